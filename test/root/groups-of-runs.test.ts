import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdirSync, readdirSync, readFileSync, rmdirSync, writeFileSync } from 'node:fs'
import { dirname } from 'node:path'
import t, { type Test } from 'tap'
import { expendable, findOwnGroup, openRunGroups } from '../../src/system/cgroup.ts'
import type { RunGroups } from '../../src/system/types.ts'
import { AM_ROOT } from '../e2e/driver.ts'
import { until } from '../e2e/files.ts'

const mountInfo = readFileSync('/proc/self/mountinfo', 'utf8')
const found = findOwnGroup(mountInfo, `0::/penny-test-${process.pid}.service\n`)
const top = 'own' in found ? found.own : ''
const tree = dirname(top)
/** Any will do: the kernel has the same rules for each, and on a machine that still has v1 this may be all that is left for v2. */
const controller = ['memory', 'hugetlb'].find((one) => top !== '' && readFileSync(`${tree}/cgroup.controllers`, 'utf8').split(/\s/).includes(one))
const skip = AM_ROOT && controller !== undefined ? false : 'needs uid 0 and a cgroup v2 tree with a controller'
const limit = controller === 'memory' ? { 'memory.max': '1073741824' } : { 'hugetlb.2MB.max': '0' }
const limits = { controller: controller ?? '', all: limit, each: limit }

/** A group as systemd delegates it, with a process that stands for the daemon. */
async function service(t: Test): Promise<{ daemon: ChildProcess; logged: string[]; open: () => RunGroups | undefined }> {
  mkdirSync(top)
  const parent = `${tree}/cgroup.subtree_control`
  const had = readFileSync(parent, 'utf8')
  writeFileSync(parent, `+${controller}`)
  const daemon = spawn('/bin/sh', ['-c', 'echo 0 > "$0/cgroup.procs"; echo in; exec sleep 60', top])
  await once(daemon.stdout, 'data')
  t.teardown(async () => {
    daemon.kill('SIGKILL')
    await once(daemon, 'exit')
    for (const folder of ['daemon', 'runs', '']) if (existsSync(`${top}/${folder}`)) await until(`${folder} is empty`, () => gone(`${top}/${folder}`))
    if (!had.split(/\s/).includes(controller ?? '')) writeFileSync(parent, `-${controller}`)
  })
  const logged: string[] = []
  return { daemon, logged, open: () => openRunGroups(top, daemon.pid ?? 0, (_, what, more) => void logged.push(`${what} ${JSON.stringify(more)}`), limits) }
}

function gone(folder: string): boolean {
  try {
    rmdirSync(folder)
    return true
  } catch {
    return false
  }
}

const groupsOf = (pid: number | undefined): string => readFileSync(`/proc/${pid}/cgroup`, 'utf8')

t.test('a daemon that has a cgroup of its own makes one for each run, with limits, and removes it with all that is left in it', { skip }, async (t) => {
  const { daemon, open, logged } = await service(t)
  const groups = open()
  if (!groups) throw new Error(logged.join())
  t.match(groupsOf(daemon.pid), /\.service\/daemon$/m)
  const group = groups.make('run-1') ?? ''
  const [[name, value] = ['', '']] = Object.entries(limit)
  t.equal(readFileSync(`${group}/${name}`, 'utf8').trim(), value)
  t.equal(readFileSync(`${top}/runs/${name}`, 'utf8').trim(), value)
  const [program = '', ...args] = expendable(group, ['/bin/sh', '-c', 'setsid sleep 60 >&2 & cat /proc/self/cgroup; exec sleep 60'])
  const run = spawn(program, args)
  const [said] = (await once(run.stdout, 'data')) as [Buffer]
  t.match(said.toString(), /^0::\/.*\.service\/runs\/run-1$/m)
  const ended = once(run, 'exit')
  t.equal(groups.remove(group), false, 'memory did not run out')
  await ended
  await until('the group is removed with the next', () => {
    const next = groups.make('run-2')
    if (next) groups.remove(next)
    return !existsSync(group)
  })
  t.same(logged, [])

  // As after a crash, when the supervisor starts it again: what runs left is still there.
  mkdirSync(`${top}/runs/left`)
  for (const folder of [`${top}/runs`, top]) writeFileSync(`${folder}/cgroup.subtree_control`, `-${controller}`)
  writeFileSync(`${top}/cgroup.procs`, String(daemon.pid))
  t.ok(open())
  t.notOk(readdirSync(`${top}/runs`, { withFileTypes: true }).some((entry) => entry.isDirectory()))
})

t.test('where the cgroup is shared with others, nothing in it is changed, and runs go on without limits', { skip }, async (t) => {
  const { open, logged } = await service(t)
  const other = spawn('/bin/sh', ['-c', 'echo 0 > "$0/cgroup.procs"; echo in; exec sleep 60', top])
  await once(other.stdout, 'data')
  t.equal(open(), undefined)
  t.match(logged.join(), /not limited.*other processes/)
  t.notOk(existsSync(`${top}/daemon`))
  other.kill('SIGKILL')
  await once(other, 'exit')
})

t.test('a run goes on where its group cannot be entered', async (t) => {
  const [program = '', ...args] = expendable('/nowhere', ['/bin/echo', 'a b', '$c'])
  const run = spawn(program, args)
  const [said] = (await once(run.stdout, 'data')) as [Buffer]
  t.equal(said.toString(), 'a b $c\n')
})

t.test('a run is taken before the daemon where memory is short; one that would go earlier anyway stays so', async (t) => {
  const own = Number(readFileSync('/proc/self/oom_score_adj', 'utf8'))
  for (const [before, then] of [
    [own, Math.max(own, 500)],
    [900, 900],
  ]) {
    const script = `echo ${before} > /proc/self/oom_score_adj; exec "$@"`
    const run = spawn('/bin/sh', ['-c', script, 'sh', ...expendable(undefined, ['/bin/cat', '/proc/self/oom_score_adj'])])
    const [said] = (await once(run.stdout, 'data')) as [Buffer]
    t.equal(said.toString(), `${then}\n`)
  }
})

t.test('only a service has a cgroup of its own, and only in version 2', async (t) => {
  const v2 = '30 23 0:28 / /sys/fs/cgroup rw,relatime shared:9 - cgroup2 cgroup2 rw\n'
  t.same(findOwnGroup(v2, '0::/system.slice/pennypost.service\n'), { own: '/sys/fs/cgroup/system.slice/pennypost.service' })
  t.match(findOwnGroup(v2, '0::/user.slice/session-1.scope\n'), { why: /no service/ })
  t.match(findOwnGroup(v2.replace('cgroup2 cgroup2', 'cgroup memory'), '4:memory:/x.service\n'), { why: /no cgroup v2/ })
})
