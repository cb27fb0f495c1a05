/** Claude Code of several agents, each at a review of its own: in jails, through the gateway's own process, to the provider for tests. */
import { existsSync, readFileSync } from 'node:fs'
import type { Test } from 'tap'
import { exists, type Letter, lettersOf, message, until } from '../e2e/files.ts'
import { type GatewayHouse, gatewayHouse } from '../e2e/gateway-house.ts'
import type { Asked, Behaviour } from '../support/provider/options.ts'
import { createReview, type Review, type ReviewOptions } from '../support/review.ts'
import { mountsOfClaude } from './claude.ts'

/** From `fullAfter` on the provider counts so many more than it read or wrote in its cache (25,000 or so): 80 % of the window, not 92 %. */
const FULL = 148_000
const WINDOW = 200_000

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
    const counted = isFull && told.kind === 'answer' ? { ...told, inputTokens: FULL } : told
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
  const reviewer: Reviewer = { name, review, sessions, task, settled, reply, read }
  return { reviewer, answer }
}
