import { spawn } from 'node:child_process'
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import t, { type Test } from 'tap'
import type { MessageId } from '../../src/core/ids.ts'
import { realClock } from '../../src/system/clock.ts'
import type { Clock, Disk } from '../../src/system/types.ts'
import { createDispatcher, type WakeGiven } from '../../src/wake/index.ts'
import { makeOffice, type Office, until } from './office.ts'

const isAlive = (pid: string | number): boolean => {
  try {
    return !readFileSync(`/proc/${String(pid).trim()}/stat`, 'utf8').includes(') Z ')
  } catch {
    return false
  }
}

/** Time runs fifty times as fast, so that delays of retries pass. */
const BEGUN = Date.now()
const fastClock: Clock = {
  ...realClock,
  now: () => BEGUN + (Date.now() - BEGUN) * 50,
  monotonic: () => performance.now() * 50,
  after: (ms, call) => realClock.after(ms / 50, call),
  every: (ms, call) => realClock.every(ms / 50, call),
}

const WRITES = new Set<string | symbol>(['create', 'rename', 'unlink', 'syncPath', 'append'])

/** A world in which the daemon dies at its n-th act: from then on nothing of it reaches the outside any more. */
function mortal(given: WakeGiven, lives: number): { given: WakeGiven; dead: () => boolean } {
  let left = lives
  const die = (): void => {
    if (left-- <= 0) throw Object.assign(new Error('dead'), { code: 'EDEAD' })
  }
  const disk = new Proxy(given.disk, {
    get: (real, name: keyof Disk) => {
      if (!WRITES.has(name)) return real[name]
      return (...args: unknown[]) => {
        die()
        return (real[name] as (...args: unknown[]) => unknown)(...args)
      }
    },
  })
  const guard =
    <A extends unknown[], R>(act: (...args: A) => Promise<R>) =>
    async (...args: A): Promise<R> => {
      die()
      return act(...args)
    }
  const quiet =
    <A extends unknown[]>(act: (...args: A) => void) =>
    (...args: A): void => {
      if (left > 0) act(...args)
    }
  return {
    dead: () => left < 0,
    given: {
      ...given,
      disk,
      apply: guard(given.apply),
      moveNote: guard(given.moveNote),
      submit: guard(given.submit),
      lookAgain: guard(given.lookAgain),
      raise: quiet(given.raise),
      record: quiet(given.record),
      spawner: {
        ...given.spawner,
        spawn: guard(given.spawner.spawn),
        // A dead daemon ends nobody.
        withEnvironment: (entry, uid) => (left < 0 ? [] : given.spawner.withEnvironment(entry, uid)),
      },
    },
  }
}

function runFiles(office: Office): string[] {
  return readdirSync(`${office.root}/.penny/runs`)
}

for (const [title, script, attempts, check] of [
  [
    'a task',
    'echo $$ >> pids.txt; sleep 0.02; echo reply',
    5,
    (t: Test, office: Office) =>
      t.same(
        [...office.letters.values()].map(({ body }) => body),
        ['reply\n'],
      ),
  ],
  [
    'a task that fails',
    'echo $$ >> pids.txt; exit 1',
    2,
    (t: Test, office: Office) =>
      t.same(
        [...office.letters.values()].map(({ kind }) => kind),
        ['bounce'],
      ),
  ],
] as const) {
  t.test(`${title}: whatever moment the daemon dies at, it is settled once and nobody runs on`, async (t) => {
    for (let lives = 0; ; lives++) {
      const office = makeOffice(t, fastClock)
      office.agent('legal', script, { maxAttempts: attempts })
      const task = office.deliver('legal')
      const { given, dead } = mortal(office.given, lives)
      const first = createDispatcher(given)
      await first.recover()
      await until('dead or done', () => dead() || (office.find(task)?.folder === 'done' && first.running().length === 0))
      if (!dead()) {
        t.ok(lives > 15, `${lives} moments`)
        break
      }
      const before = office.home('legal', 'pids.txt').split('\n')[0]
      const second = await office.open()
      if (before) t.notOk(isAlive(before), `${lives}: the run of the dead daemon is ended`)
      await until(`${lives}: settled`, () => office.find(task)?.folder === 'done' && second.running().length === 0)
      await second.stop(0)
      check(t, office)
      t.same(
        runFiles(office).filter((name) => !name.endsWith('.new')),
        [],
        `${lives}: nothing is left written`,
      )
      t.equal(office.faults.length <= 2, true)
    }
  })
}

const recordOf = (office: Office, shape: object): void => {
  const run = office.given.ids.next()
  const whole = {
    run,
    agent: 'legal',
    isNote: false,
    sender: 'operator',
    subject: 'a task',
    priority: 'normal',
    attempt: 1,
    maxAttempts: 2,
    boot: 'boot-1',
    startedMs: 0,
    replies: [],
    ...shape,
  }
  writeFileSync(`${office.root}/.penny/runs/run-${run}.json`, JSON.stringify(whole))
}

t.test('a run is found by pid and start time, or by its environment; a foreign process with its pid is left alone', async (t) => {
  const startTime = (pid: number): string =>
    readFileSync(`/proc/${pid}/stat`, 'latin1')
      .replace(/^.*\) /s, '')
      .split(' ')[19] ?? ''
  const office = makeOffice(t, fastClock)
  office.agent('legal', 'echo hi')
  const run = office.given.ids.next()
  const start = (env: NodeJS.ProcessEnv = {}): number => {
    const child = spawn('sleep', ['600'], { detached: true, stdio: 'ignore', env: { ...process.env, ...env } })
    t.teardown(() => child.kill('SIGKILL'))
    return child.pid ?? 0
  }
  const [known, byName, foreign, otherBoot] = [start(), start({ PENNY_RUN: run }), start(), start()]
  await until('their environment is theirs', () => office.given.spawner.withEnvironment(`PENNY_RUN=${run}`, undefined).includes(byName))
  const tasks = Array.from({ length: 4 }, () => office.deliver('legal', { status: 'in_progress', folder: 'cur' as never }))
  const ids = tasks.map(({ id }) => id)
  recordOf(office, { id: ids[0], process: { pid: known, startTime: startTime(known) } })
  recordOf(office, { id: ids[1], run })
  recordOf(office, { id: ids[2], process: { pid: foreign, startTime: '1' } })
  recordOf(office, { id: ids[3], boot: 'boot-0', process: { pid: otherBoot, startTime: startTime(otherBoot) } })
  office.wake.concurrency = 0
  const dispatcher = await office.open()
  t.notOk(isAlive(known))
  t.notOk(isAlive(byName))
  t.ok(isAlive(foreign))
  t.ok(isAlive(otherBoot))
  t.same(
    tasks.map((task) => office.find(task)?.folder),
    ['new', 'new', 'new', 'new'],
  )
  t.same(
    tasks.map((task) => task.attempts),
    [1, 1, 1, 1],
  )
  office.wake.concurrency = 8
  dispatcher.kick()
  await until('done', () => tasks.every((task) => office.find(task)?.folder === 'done'))
})

t.test('a claim without a process is returned and no attempt; what the agent has settled meanwhile stays settled', async (t) => {
  const office = makeOffice(t)
  office.agent('legal', 'echo hi')
  office.wake.concurrency = 0
  const claimed = office.deliver('legal', { status: 'in_progress', folder: 'cur' as never })
  const blocked = office.deliver('legal', { status: 'blocked', folder: 'cur' as never })
  const note = office.deliver('legal', { status: null, folder: 'cur' as never })
  recordOf(office, { id: claimed.id })
  recordOf(office, { id: blocked.id, process: { pid: 2 ** 22 + 1, startTime: '1' } })
  recordOf(office, { id: note.id, isNote: true })
  recordOf(office, { id: '019a0000-0000-7000-8000-000000000000' as MessageId })
  await office.open()
  t.same(
    [claimed, blocked, note].map((mail) => [office.find(mail)?.folder, mail.attempts]),
    [
      ['new', 0],
      ['cur', 0],
      ['new', 0],
    ],
  )
  t.same(runFiles(office), [])
})

t.test('a spoiled record is set aside and said, attempts of mail that is gone are forgotten', async (t) => {
  const office = makeOffice(t)
  const task = office.deliver('legal')
  const run = office.given.ids.next()
  const folder = `${office.root}/.penny/runs`
  office.agent('legal', 'exit 1')
  const waiting = office.deliver('legal')
  writeFileSync(`${folder}/run-${run}.json`, '{"run":')
  writeFileSync(`${folder}/tally-${task.id}.json`, JSON.stringify({ attempts: 1, deferrals: 0, retryAtMs: 0 }))
  writeFileSync(`${folder}/tally-${waiting.id}.json`, JSON.stringify({ attempts: 2, deferrals: 0, retryAtMs: Date.now() + 60_000 }))
  await office.open()
  t.ok(existsSync(`${folder}/run-${run}.json.spoiled`))
  t.ok(office.logged.some((line) => line.startsWith('error record of a run is spoiled')))
  t.notOk(existsSync(`${folder}/tally-${task.id}.json`))
  t.equal(waiting.attempts, 2)
})
