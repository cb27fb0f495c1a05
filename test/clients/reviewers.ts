/** Claude Code of several agents, each at a review of its own: in jails, through the gateway's own process, to the provider for tests. */
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import type { Test } from 'tap'
import { exists, type Letter, lettersOf, message, until } from '../e2e/files.ts'
import { type GatewayHouse, gatewayHouse } from '../e2e/gateway-house.ts'
import type { Answer, Asked, Behaviour } from '../support/provider/options.ts'
import { createReview, type Review, type ReviewOptions } from '../support/review.ts'
import { mountsOfClaude } from './claude.ts'

/** From `fullAfter` on the provider counts so many more than it read or wrote in its cache (25,000 or so): 80 % of the window, not 92 %. */
const FULL = 148_000
const WINDOW = 200_000
/** Models take longer than it takes to write the order down. */
const UNTIL_ORDERED = 'for n in $(seq 200); do ls /ws/runs/*.context.json >/dev/null 2>&1 && break; sleep 0.1; done'

/** `fullAfter`: the section after which its context is full, until it is compacted. */
export type Given = ReviewOptions & Readonly<{ fullAfter?: number }>

export type Reviewer = Readonly<{
  name: string
  review: Review
  /** Of Claude Code. */
  sessions: ReadonlySet<unknown>
  task: () => Letter | undefined
  settled: (boundMs?: number) => Promise<Letter>
  reply: () => Promise<Letter>
  /** Its text; empty where it is not there. */
  read: (...path: string[]) => string
  /** Whether Claude Code has on its disk that this section's decision is recorded. */
  hasKept: (section: number) => boolean
}>

export type Reviewing = Readonly<{ house: GatewayHouse; reviewers: readonly Reviewer[]; begin: () => void }>

/** `given`: by the agent's name, which is its paper's as well. */
export async function reviewing(t: Test, given: Readonly<Record<string, Given>>): Promise<Reviewing> {
  const runner = 'runner: { builtin: claude, command: [/opt/claude/claude], max_attempts: 3 }\n'
  const house = await gatewayHouse(t, {
    org: 'wake: { concurrency: 4, stagger: 0s }\n',
    agents: Object.fromEntries(Object.keys(given).map((name) => [name, `context_window: ${WINDOW}\n${mountsOfClaude()}${runner}`])),
    provider: { keepBodies: true },
  })
  const { org, upstream } = house
  const ones = Object.entries(given).map(([name, options]) => reviewerOf(house, name, options))
  upstream.control.script(async (asked) => {
    for (const { answer } of ones) {
      const told = await answer(asked)
      if (told) return told
    }
    return undefined
  })
  await org.up()
  for (const { reviewer } of ones) {
    const { name, review } = reviewer
    await until('its home', () => exists(org.at('workspaces', name, 'home', 'AGENTS.md')))
    await org.as(name, 'mkdir home/sections')
    for (const [file, text] of Object.entries(review.files)) org.drop(`workspaces/${name}/home/sections/${file}`, text, org.owner(name))
  }
  return {
    house,
    reviewers: ones.map(({ reviewer }) => reviewer),
    begin: () => {
      for (const { reviewer } of ones) org.drop(`spool/${reviewer.name}/task.md`, message({ to: reviewer.name, subject: 'Review' }, reviewer.review.task))
    },
  }
}

function reviewerOf({ org }: GatewayHouse, name: string, { fullAfter, ...options }: Given) {
  const review = createReview({ folder: '/ws/home/sections', ledger: '/ws/home/decisions.md', name, ...options })
  const sessions = new Set<unknown>()
  let isFull = false
  const answer = async (asked: Asked): Promise<Behaviour | undefined> => {
    const told = await review.script(asked)
    if (!told) return undefined
    sessions.add(asked.headers['x-claude-code-session-id'])
    const last = review.steps.at(-1)
    if (last?.kind === 'record' && last.section === fullAfter) isFull = true
    const counted = isFull && told.kind === 'answer' ? { ...told, content: waiting(told.content ?? ''), inputTokens: FULL } : told
    if (last?.kind === 'summary') isFull = false
    return counted
  }
  const task = (): Letter | undefined => lettersOf(org.root, name).find(({ head }) => head.get('subject') === 'Review')
  const settled = (boundMs = 120_000): Promise<Letter> => {
    const isSettled = (letter: Letter | undefined): boolean => ['done', 'failed'].includes(letter?.head.get('status') ?? '')
    return until(
      `${name} has settled`,
      () => {
        const letter = task()
        return isSettled(letter) ? letter : undefined
      },
      boundMs,
    )
  }
  const reply = (): Promise<Letter> => until(`${name} answered`, () => lettersOf(org.root, 'operator').find(({ head }) => head.get('from') === name))
  const read = (...path: string[]): string => {
    const file = org.at('workspaces', name, ...path)
    return existsSync(file) ? readFileSync(file, 'utf8') : ''
  }
  const hasKept = (section: number): boolean => {
    const folder = org.at('workspaces', name, 'home/.claude/projects/-ws-home')
    const transcripts = readdirSync(folder).filter((file) => file.endsWith('.jsonl'))
    return transcripts.some((file) => readFileSync(`${folder}/${file}`, 'utf8').includes(`"content":"recorded ${section} of ${name}`))
  }
  const reviewer: Reviewer = { name, review, sessions, task, settled, reply, read, hasKept }
  return { reviewer, answer }
}

/** Its commands end when the order stands. */
function waiting(content: NonNullable<Answer['content']>): NonNullable<Answer['content']> {
  if (typeof content === 'string') return content
  return content.map((block) => {
    if (block.type !== 'tool_use' || block.name !== 'Bash') return block
    const { command } = block.input as Readonly<{ command: string }>
    return { ...block, input: { command: `${command}\n${UNTIL_ORDERED}` } }
  })
}
