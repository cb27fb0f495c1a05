import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { readdirSync, readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { AM_ROOT, ORDINARY, type Organisation, type Owner, organisation, PENNY, REACHABLE, type Shape } from './driver.ts'
import { exists, type Letter, lettersOf, message, pause, processesFor, until } from './files.ts'

/** Contract, page 5; and what a machine under load takes to look. Milliseconds. */
const GONE_MS = 500
const SLACK_MS = 1_500

const program = (name: string): string => readFileSync(join(PENNY, '../../../test/jail', name), 'utf8')
const POLITE = '#!/bin/sh\ntrap "echo ended >> ended; exit 1" TERM\necho x >> started\nwhile :; do sleep 0.02; done\n'
const shape: Shape = {
  org: 'wake: { concurrency: 8, stagger: 0s }\n',
  agents: {
    tree: 'runner: { command: [./tree.py], max_attempts: 9 }\n',
    timed: 'runner: { command: [./tree.py], max_attempts: 1, timeout: 1s }\n',
    polite: 'runner: { command: [./polite.sh], max_attempts: 2, timeout: 1s }\n',
    patient: 'runner: { command: [./polite.sh], max_attempts: 1 }\n',
    limits: 'runner: { command: [./limits.py], max_attempts: 1 }\n',
    flood: 'runner: { command: [./flood.sh], max_attempts: 1 }\n',
  },
  policies: {
    'runners/tree.py': program('tree.py'),
    'runners/limits.py': program('limits.py'),
    'runners/polite.sh': POLITE,
    'runners/flood.sh': '#!/bin/sh\nhead -c 200000000 /dev/zero | tr "\\0" x\necho\necho last words\n',
  },
}

const home = (org: Organisation, agent: string, file = ''): string => org.at('workspaces', agent, 'home', file)
const letter = (org: Organisation, agent: string): Letter | undefined => lettersOf(org.root, agent).find((one) => one.head.get('status') !== undefined)
const beats = (org: Organisation, agent: string): string[] => readdirSync(home(org, agent)).filter((file) => file.startsWith('beat-'))
const sizes = (org: Organisation, agent: string): number[] => beats(org, agent).map((file) => statSync(home(org, agent, file)).size)

async function running(org: Organisation, agent: string): Promise<string> {
  const before = exists(home(org, agent, 'started')) ? statSync(home(org, agent, 'started')).size : 0
  await until(`${agent} runs`, () => exists(home(org, agent, 'started')) && statSync(home(org, agent, 'started')).size > before)
  await until('every part of it beats', () => agent === 'patient' || (beats(org, agent).length === 4 && sizes(org, agent).every((size) => size > 0)))
  return letter(org, agent)?.id ?? ''
}

/** Nothing of the run is left when its time for that is over, whether it carries the run's name or not. */
async function isGone(t: Test, org: Organisation, id: string, since: number, how: string): Promise<void> {
  while (processesFor(id).length > 0 && performance.now() - since < GONE_MS + SLACK_MS) await pause(10)
  t.same(processesFor(id), [], `${how}: nothing of it is alive after ${Math.round(performance.now() - since)} ms`)
  const then = sizes(org, 'tree')
  await pause(150)
  t.same(sizes(org, 'tree'), then, `${how}: nothing of it writes any more`)
}

async function treesEnd(t: Test, org: Organisation): Promise<void> {
  org.drop('spool/tree/task.md', message({ subject: 'one' }))
  let id = await running(org, 'tree')
  t.ok(processesFor(id).length > 100, 'the tree is there')
  t.equal((await org.penny(['pause', 'tree', '--now'])).status, 0)
  await isGone(t, org, id, performance.now(), 'penny pause --now')
  t.match(letter(org, 'tree')?.head.get('status'), 'open')

  await Promise.all([running(org, 'tree'), org.penny(['resume', 'tree'])])
  let since = performance.now()
  await org.end('SIGKILL')
  await isGone(t, org, id, since, 'SIGKILL of the daemon')
  await Promise.all([running(org, 'tree'), org.up()])
  id = letter(org, 'tree')?.id ?? ''
  since = performance.now()
  const ended = await org.end('SIGTERM')
  await isGone(t, org, id, since, 'SIGTERM of the daemon')
  t.ok(ended.ms < 2_000 + SLACK_MS, `which has ended after ${Math.round(ended.ms)} ms`)
  await Promise.all([running(org, 'tree'), org.up()])
  t.equal((await org.penny(['down'])).status, 0)
  await isGone(t, org, id, performance.now(), 'penny down')
  await until('the daemon is gone', () => !org.running())
}

async function timesOut(t: Test, org: Organisation): Promise<void> {
  org.drop('spool/timed/task.md', message({ subject: 'one' }))
  await until('started', () => exists(home(org, 'timed', 'started')))
  const since = performance.now()
  const id = letter(org, 'timed')?.id ?? ''
  await until('timed out', () => letter(org, 'timed')?.head.get('status') === 'failed')
  t.same(processesFor(id), [], 'when the task has failed nothing of it is alive')
  const then = sizes(org, 'timed')
  await pause(150)
  t.same(sizes(org, 'timed'), then)
  const last = Math.max(...beats(org, 'timed').map((file) => statSync(home(org, 'timed', file)).mtimeMs))
  t.ok(last - (performance.timeOrigin + since) < 1_000 + GONE_MS + SLACK_MS, 'and nothing was, 500 ms after its time')
}

async function isTold(t: Test, org: Organisation): Promise<void> {
  org.drop('spool/polite/task.md', message({ subject: 'one' }))
  await until('ended itself, twice', () => exists(home(org, 'polite', 'ended')) && readFileSync(home(org, 'polite', 'ended'), 'utf8') === 'ended\nended\n')
  t.pass('a program that ends when it is told can write something first: timeout')
  org.drop('spool/patient/task.md', message({ subject: 'one' }))
  await running(org, 'patient')
  t.equal((await org.penny(['pause', 'patient', '--now'])).status, 0)
  t.equal(readFileSync(home(org, 'patient', 'ended'), 'utf8'), 'ended\n', 'penny pause --now')
}

/** 400 processes of this user, which are nobody's business in a jail. */
async function crowd(t: Test, as: Owner | undefined): Promise<void> {
  const script = 'import os,sys\nfor _ in range(400):\n  if os.fork()==0:\n    sys.stdin.read(); os._exit(0)\nprint(1,flush=True)\nsys.stdin.read()'
  const child: ChildProcess = spawn('python3', ['-c', script], { ...as, cwd: '/', stdio: ['pipe', 'pipe', 'inherit'] })
  t.teardown(async () => {
    child.stdin?.end()
    await once(child, 'exit')
  })
  if (child.stdout) await once(child.stdout, 'data')
}

async function limitsBite(t: Test, org: Organisation, as: Owner | undefined): Promise<void> {
  await crowd(t, as)
  const written = (): string[] =>
    exists(home(org, 'limits', 'limits'))
      ? readFileSync(home(org, 'limits', 'limits'), 'utf8')
          .trim()
          .split('\n')
      : []
  for (const run of [1, 2]) {
    org.drop(`spool/limits/${run}.md`, message({ subject: String(run) }))
    await until(`run ${run}`, () => written().length === run, 60_000)
  }
  for (const [i, line] of written().entries()) {
    const met = JSON.parse(line) as Record<string, unknown> & { processes: [string, number]; files: [string, number] }
    t.match(met, { tmp: [], shm: [] }, `run ${i + 1}: /tmp and /dev/shm are empty, whatever another left`)
    t.equal(met['large'], 'SIGXFSZ')
    t.same(met['core'], ['SIGABRT', false])
    t.equal(met.files[0], 'EMFILE')
    t.ok(met.files[1] > 4_000 && met.files[1] < 4_096, `${met.files[1]} open files`)
    t.equal(met.processes[0], 'EAGAIN')
    t.ok(met.processes[1] > 200 && met.processes[1] < 256, `${met.processes[1]} processes`)
    t.same(met['raise'], ['refused', 'refused', 'refused'])
    t.match(met, { 'room in tmp': 'ENOSPC', 'room in shm': 'ENOSPC' })
  }
}

async function floods(t: Test, org: Organisation): Promise<void> {
  org.drop('spool/flood/task.md', message({ subject: 'one' }))
  await until('done', () => letter(org, 'flood')?.head.get('status') === 'done', 60_000)
  const log = org.at('workspaces/flood/runs', `${letter(org, 'flood')?.id}.log`)
  t.ok(statSync(log).size < 65 * 1024 ** 2, `200 MB of output left a log of ${statSync(log).size} bytes`)
}

async function live(t: Test, how: Shape, ownerOf: (org: Organisation) => Owner | undefined): Promise<void> {
  const org = await organisation(t, { ...shape, ...how })
  await org.up()
  await Promise.all([timesOut(t, org), isTold(t, org), limitsBite(t, org, ownerOf(org)), floods(t, org)])
  await treesEnd(t, org)
}

t.test(
  'system mode: no run outlives its end, none exceeds its limits',
  { skip: AM_ROOT && REACHABLE ? false : 'needs uid 0, and a checkout that agents may read' },
  (t) => live(t, {}, (org) => org.owner('limits')),
)

t.test('user mode: no run outlives its end, none exceeds its limits', { skip: REACHABLE ? false : 'an ordinary user cannot read this checkout' }, (t) =>
  live(t, AM_ROOT ? { as: ORDINARY } : {}, () => (AM_ROOT ? ORDINARY : undefined)),
)
