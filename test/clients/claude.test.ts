import t, { type Test } from 'tap'
import { organisation } from '../e2e/driver.ts'
import { alertOf, alertsOf, exists, lettersOf, message, processesFor, until } from '../e2e/files.ts'
import { reviewing as reviewingWithout } from '../e2e/reviewing.ts'
import { KEY } from '../support/provider/provider.ts'
import type { Step } from '../support/review.ts'
import { mountsOfClaude, runnerOfClaude } from './claude.ts'
import { type Given, type Reviewer, type Reviewing, reviewing } from './reviewers.ts'

const SECTIONS = 12
/** `npm run reviews`: after each of the twelve. They take two minutes. */
const AFTER =
  process.env['PENNY_REVIEWS'] === 'all'
    ? { killed: Array.from({ length: SECTIONS }, (_, i) => i + 1), compacted: Array.from({ length: SECTIONS }, (_, i) => i + 1) }
    : { killed: [3, 7], compacted: [5] }
const BOUND_MS = process.env['PENNY_REVIEWS'] === 'all' ? 1_500_000 : 120_000

const letterOf = (n: number): string => 'abcdefghijkl'[n - 1] ?? ''
const isAfter = (step: Step, section: number): boolean => (section === SECTIONS ? step.kind === 'finish' : step.kind === 'read' && step.section === section + 1)

/** Its run is killed when the section's decision is recorded, and Claude Code has that on its disk: no model answers as fast as this one. */
function killedAfter(section: number, one: () => Reviewer | undefined): Given {
  let isDone = false
  return {
    before: async (step) => {
      if (isDone || !isAfter(step, section)) return undefined
      isDone = true
      await until('it is written down', () => one()?.hasKept(section))
      for (const pid of processesFor(one()?.task()?.id ?? 'none')) process.kill(pid, 'SIGKILL')
      return { kind: 'hang' }
    },
  }
}

/** Its context is full then. It does not listen when it is first told to write a checkpoint. `asked`: how often the hook had blocked by then. */
function compactedAfter(section: number, asked: number[], memory: () => string): Given {
  return {
    fullAfter: section,
    before: (step) => {
      if (step.kind !== 'checkpoint') return undefined
      asked.push(...[...memory().matchAll(/"times":(\d+)/g)].map(([, times]) => Number(times)))
      return asked.length > 1 ? undefined : { kind: 'answer', content: [{ type: 'tool_use', name: 'Bash', input: { command: 'true' } }] }
    },
  }
}

async function hasReviewed(t: Test, { name, review, sessions, settled, reply, read }: Reviewer): Promise<void> {
  t.equal((await settled(BOUND_MS)).head.get('status'), 'done', name)
  t.same(read('home/decisions.md').trimEnd().split('\n'), review.decisions, `${name}: each is decided once, as it was decided before`)
  t.same(
    review.reads(),
    review.decisions.map(() => 1),
    `${name}: each section is read once`,
  )
  t.equal((await reply()).body.toString().trimEnd(), `Reviewed.\n${review.decisions.join('\n')}`, `${name}: the reply has all decisions`)
  t.equal(sessions.size, 1, `${name}: one session`)
}

t.test('killed after a section, or compacted, Claude Code in a jail behind the gateway goes on with the next one', async (t) => {
  const asked = new Map<string, number[]>()
  let office: Reviewing | undefined
  const oneOf = (name: string): Reviewer | undefined => office?.reviewers.find((one) => one.name === name)
  const killed = AFTER.killed.map((section): [string, Given] => {
    const name = `killed-${letterOf(section)}`
    return [name, killedAfter(section, () => oneOf(name))]
  })
  const compacted = AFTER.compacted.map((section): [string, Given] => {
    const name = `compacted-${letterOf(section)}`
    const times: number[] = []
    asked.set(name, times)
    return [name, compactedAfter(section, times, () => oneOf(name)?.read('home/.checkpoint-asked.json') ?? '')]
  })
  office = await reviewing(t, Object.fromEntries([...killed, ...compacted]))
  const { house, reviewers, begin } = office
  const { org, upstream } = house
  t.setTimeout(BOUND_MS)
  begin()
  for (const one of reviewers) await hasReviewed(t, one)
  for (const { name, review, task, read } of reviewers) {
    const kinds = review.steps.map(({ kind }) => kind)
    if (name.startsWith('killed')) t.notOk(kinds.includes('summary'), `${name}: it is resumed, not begun anew`)
    else {
      t.same(
        kinds.filter((kind) => kind === 'checkpoint' || kind === 'summary'),
        ['checkpoint', 'summary'],
        `${name}: no compaction before the checkpoint`,
      )
      t.same(asked.get(name), [1, 2], `${name}: it was blocked until then`)
      t.ok(exists(org.at('workspaces', name, 'runs', `${task()?.id}.sealed.json`)), `${name}: what was compacted is sealed`)
      t.match(read('runs', `${task()?.id}.checkpoint.md`), `REVIEW OF ${name}, decided so far`, `${name}: the checkpoint is kept`)
      t.ok(
        lettersOf(org.root, name).some(({ head }) => head.get('subject')?.startsWith('Write a checkpoint')),
        `${name}: the order came as a note, too`,
      )
    }
    t.match(read('runs', `${task()?.id}.log`), /^\{"type":"system","subtype":"init"/m, `${name}: what it tells is in the log`)
  }
  const asks = upstream.seen.filter(({ path }) => path.startsWith('/v1/messages'))
  t.same(new Set(asks.map(({ key }) => key)), new Set([KEY]), 'the gateway alone has the key')
  t.match(asks[0]?.body?.toString(), /You are (killed|compacted)-|ROLE\.md/, 'it knows where its role is')
  t.same(
    alertsOf(org.root).filter(({ code }) => code === 'run-failed' || code === 'checkpoint-missing'),
    [],
  )
})

t.test('the daemon and its gateway killed in the middle, it is resumed in its session', async (t) => {
  let isKilled = false
  const { house, reviewers, begin } = await reviewing(t, {
    reader: {
      sections: 3,
      before: async (step) => {
        if (isKilled || step.kind !== 'read' || step.section !== 2) return undefined
        isKilled = true
        await until('it is written down', () => reviewers[0]?.hasKept(1))
        void house.org.end('SIGKILL')
        return { kind: 'hang' }
      },
    },
  })
  begin()
  await until('it was killed', () => isKilled && !house.org.running(), 60_000)
  await house.org.up()
  for (const one of reviewers) await hasReviewed(t, one)
})

t.test('what the provider refuses is a failed attempt, told in its words', async (t) => {
  const agent = (url: string): string => `network: full\n${mountsOfClaude()}${runnerOfClaude(url, KEY).replace(/\] \}\n$/, '], max_attempts: 1 }\n')}`
  const office = await reviewingWithout(t, { agent })
  office.provider.control.next({ kind: 'error', status: 400, message: 'no such thing' })
  office.begin()
  t.equal((await office.settled()).head.get('status'), 'failed')
  t.match((await until('the alert', () => alertOf(office.org.root, 'run-failed', 'reader'))).text, 'claude: API Error: 400 no such thing')
})

t.test('where it is not installed, the log has the command that installs it', async (t) => {
  const org = await organisation(t, { agents: { reader: 'runner: { builtin: claude, max_attempts: 1 }\n', pmo: '' } })
  await org.up()
  org.drop('workspaces/pmo/outbox/task.md', message({ to: 'reader', subject: 'Try' }), org.owner('pmo'))
  await until('it has failed', () => lettersOf(org.root, 'reader').find(({ head }) => head.get('status') === 'failed'))
  t.match((await until('the alert', () => alertOf(org.root, 'run-failed', 'reader'))).text, /claude: claude is not there in its jail.*: sudo npm install /)
})
