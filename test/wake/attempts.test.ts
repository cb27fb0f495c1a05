import { existsSync, readFileSync } from 'node:fs'
import t from 'tap'
import type { RunGroups } from '../../src/system/types.ts'
import { makeHandClock } from '../hand-clock.ts'
import { makeOffice, pause, until } from './office.ts'

const START = Date.parse('2026-11-21T08:00:00Z')
const isAlive = (pid: string): boolean => existsSync(`/proc/${pid.trim()}`) && !readFileSync(`/proc/${pid.trim()}/stat`, 'utf8').includes(') Z ')

t.test('exit 75 is tried again after 1 s, 4 s, 16 s, for as long as it asks, also over a restart', async (t) => {
  const clock = makeHandClock(START)
  const office = makeOffice(t, clock)
  office.agent('later', 'echo x >> tries.txt; exit 75', { maxAttempts: 1 })
  const task = office.deliver('later')
  let dispatcher = await office.open()
  const tries = (): number => office.home('later', 'tries.txt').length / 2
  const ended = (n: number): Promise<unknown> =>
    until(`run ${n} ended`, () => office.events.filter(({ event }) => event === 'run-ended').length === n && dispatcher.running().length === 0)
  await ended(1)
  t.match(office.events.at(-1), { event: 'run-ended', attempt: false, how: 'exit 75', retry_at: '2026-11-21T08:00:01.000Z' })
  t.equal(office.find(task)?.folder, 'new')
  t.equal(task.retryAtMs, START + 1000)
  await clock.turn(900)
  t.equal(tries(), 1, 'not early')
  await clock.turn(200)
  await ended(2)
  await dispatcher.stop(0)
  Object.assign(task, { attempts: 0, retryAtMs: undefined })
  dispatcher = await office.open()
  await clock.turn(3800)
  await pause(50)
  t.equal(tries(), 2, 'the delay goes on where it was')
  await clock.turn(300)
  await ended(3)
  t.match(office.events.at(-1), { retry_at: '2026-11-21T08:00:21.' })
  t.same(office.faults, [])
})

t.test('after max_attempts the task is failed, its sender told, and an alert raised', async (t) => {
  const clock = makeHandClock(START)
  const office = makeOffice(t, clock)
  office.agent('broken', 'echo x >> tries.txt; echo "no disk: \u001b" >&2; [ $(wc -l < tries.txt) -gt 1 ] && kill -9 $$; exit 3', { maxAttempts: 2 })
  const task = office.deliver('broken', { subject: 'Pay' })
  const dispatcher = await office.open()
  await until('one', () => office.events.some(({ event }) => event === 'run-ended') && dispatcher.running().length === 0)
  t.match(office.events.at(-1), { how: 'exit 3', attempt: true })
  t.equal(task.attempts, 1)
  await clock.turn(1100)
  await until('failed', () => office.find(task)?.status === 'failed' && dispatcher.running().length === 0)
  t.match([...office.letters.values()], [{ kind: 'bounce', from: 'pennypost', to: 'operator', subject: 'Failed: Pay', inReplyTo: task.id }])
  t.match([...office.letters.values()][0]?.body, 'killed by SIGKILL')
  const log = `workspaces/broken/runs/${task.id}.log`
  t.match(office.faults, [
    { code: 'run-failed', about: task.id, agent: 'broken', fix: `cat -v ${log}   # mend the runner, then: penny set ${task.id} status=open` },
  ])
  t.match(office.faults[0]?.sentence, 'killed by SIGKILL: no disk: \\x1b. So', 'why, with nothing a terminal would obey')
  t.match(office.faults[0]?.sentence, log)
  t.same(office.records(), [], 'nothing is remembered of it')
  await office.given.apply({ id: task.id, to: 'open', actor: 'postmaster', by: 'operator' })
  dispatcher.offer(task.id)
  await until('again', () => office.events.filter(({ event }) => event === 'run-started').length === 3)
  t.match(
    office.events.findLast(({ event }) => event === 'run-started'),
    { attempt: 1 },
    'a reopened task begins anew',
  )
})

t.test('a program that cannot be started is an attempt that says which file', async (t) => {
  const office = makeOffice(t)
  office.agent('absent', '', { maxAttempts: 1, command: ['/nonexistent/program'] })
  office.agent('nowhere', '', { maxAttempts: 1, command: ['no-such-command'] })
  office.agent('plain', '', { maxAttempts: 1, command: ['/etc/passwd'] })
  office.agent('folder', '', { maxAttempts: 1, command: ['/etc'] })
  office.agent('homeless', '', { maxAttempts: 1, command: ['./homeless.sh'] })
  const { rmdirSync } = await import('node:fs')
  rmdirSync(`${office.root}/workspaces/homeless/home`)
  for (const name of ['absent', 'nowhere', 'plain', 'folder', 'homeless']) office.deliver(name)
  await office.open()
  await until('all failed', () => office.faults.length === 5)
  const said = (name: string): string => office.faults.find(({ agent }) => agent === name)?.sentence ?? ''
  t.match(said('absent'), 'not started: there is no program /nonexistent/program')
  t.match(said('nowhere'), 'not started: there is no program no-such-command in PATH')
  t.match(said('plain'), 'not started: /etc/passwd is not executable: chmod +x /etc/passwd')
  t.match(said('folder'), 'not started: /etc is a folder')
  t.match(said('homeless'), `not started: its folder ${office.root}/workspaces/homeless/home is not there`)
})

t.test('a run over its time is ended with everything it started, in its group or not', async (t) => {
  const office = makeOffice(t)
  office.agent('slow', "trap '' TERM; sleep 600 & echo $! > child.txt; setsid sh -c 'echo $$ > stray.txt; exec sleep 600' & sleep 600", {
    maxAttempts: 1,
    timeoutMs: 500,
  })
  office.deliver('slow')
  await office.open()
  const start = performance.now()
  await until('failed', () => office.faults.length === 1)
  t.ok(performance.now() - start < 5000)
  t.match(office.faults[0]?.sentence, 'not ended after 500ms')
  for (const file of ['child.txt', 'stray.txt']) await until(file, () => !isAlive(office.home('slow', file)))
})

t.test('a note whose run fails is put away with an alert, and nobody is written to', async (t) => {
  const office = makeOffice(t)
  office.agent('keen', 'exit 1', { notes: true, maxAttempts: 1 })
  const note = office.deliver('keen', { status: null })
  await office.open()
  await until('alerted', () => office.faults.length === 1)
  await until('done', () => office.find(note)?.folder === 'done')
  t.equal(office.letters.size, 0)
})

t.test('a run enters its own cgroup before all else; one that ran out of memory there says so, and the group is removed', async (t) => {
  const clock = makeHandClock(START)
  const office = makeOffice(t, clock)
  const group = t.testdir({ 'cgroup.procs': '' })
  const seen: string[] = []
  const groups: RunGroups = {
    make: (run) => {
      seen.push(`made ${run}`)
      return group
    },
    remove: (path) => {
      seen.push(`removed ${path}`)
      return true
    },
  }
  Object.assign(office.given, { groups })
  office.agent('large', `cat ${group}/cgroup.procs >&2; kill -9 $$`, { maxAttempts: 1 })
  const task = office.deliver('large')
  const dispatcher = await office.open()
  await until('failed', () => office.find(task)?.status === 'failed' && dispatcher.running().length === 0)
  const run = office.events.flatMap((one) => (one.event === 'run-started' ? [one.run] : []))
  t.same(seen, [`made ${run[0]}`, `removed ${group}`])
  t.match(office.events.at(-1), { how: 'killed by SIGKILL: out of memory' })
  t.match(office.faults[0]?.sentence, 'killed by SIGKILL: out of memory: 0')
})
