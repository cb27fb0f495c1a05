/**
 * A machine inside this one, for what an installation does: own mounts, processes, network; /usr/local/bin, /etc/systemd/system and
 * /run are empty, /srv/pennypost is a copy of this project that belongs to root, and, where asked, systemd is its first process.
 * The disk is this machine's. Needs uid 0.
 */
import { spawn } from 'node:child_process'
import { chmodSync, existsSync, mkdirSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import type { Test } from 'tap'
import { type Command, type Ended, PENNY, run } from '../e2e/driver.ts'
import { pause } from '../e2e/files.ts'
import { must } from './image.ts'

const PROJECT = dirname(dirname(dirname(PENNY)))
const COPIED = ['dist', 'docs', 'policies', 'scripts', 'src', 'package.json', 'package-lock.json', 'tsconfig.json']
const SYSTEMD = '/lib/systemd/systemd'
const PATH = '/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin'

/** Why none can be had, if so. */
export const noSystemd = existsSync(SYSTEMD) ? undefined : 'systemd is not installed'

/** The mounts; `$1` is the scratch folder, and what stands in its `more` is done as well. */
const MOUNTS = `set -eu
mount --bind "$1/srv" /srv
mount --bind '${PROJECT}/node_modules' /srv/pennypost/node_modules
mount -o remount,bind,ro /srv/pennypost/node_modules
npm=$(readlink -f "$(command -v npm)")
for folder in /run /usr/local/bin /etc/systemd/system; do mount -t tmpfs -o mode=755 none "$folder"; done
cp '${realpathSync(process.execPath)}' /usr/local/bin/node
ln -s "$npm" /usr/local/bin/npm
. "$1/more"
cd /srv/pennypost
`

/** systemd needs a cgroup of its own, which is then the root of all it sees, and units that want nothing else of the machine. */
const BOOT = `set -eu
mount -t cgroup2 none "$1/cgroup"
mkdir "$1/cgroup/$2"
echo $$ > "$1/cgroup/$2/cgroup.procs"
exec unshare --pid --net --uts --ipc --cgroup --fork --kill-child sh "$1/init" "$1"
`
const INIT = `${MOUNTS}
umount -lR /proc
mount -t proc -o nosuid,nodev,noexec none /proc
mount -t cgroup2 none /sys/fs/cgroup
exec env -i container=pennypost PATH=${PATH} SYSTEMD_UNIT_PATH="/etc/systemd/system:$1/units" SYSTEMD_GENERATOR_PATH="$1/cgroup" \\
  SYSTEMD_ENVIRONMENT_GENERATOR_PATH="$1/cgroup" ${SYSTEMD} --system --unit=multi-user.target --log-target=console --show-status=no </dev/null
`
const TARGETS = ['multi-user', 'basic', 'sysinit', 'shutdown', 'nss-user-lookup']

/** What lies in /srv. `more`: shell, after the mounts. */
async function make(t: Test, more: string): Promise<string> {
  const scratch = mkdtempSync(join(tmpdir(), 'penny-machine-'))
  t.teardown(() => rmSync(scratch, { recursive: true, force: true, maxRetries: 3 }))
  chmodSync(scratch, 0o755)
  for (const folder of ['srv', 'srv/pennypost', 'srv/pennypost/node_modules', 'units', 'cgroup']) mkdirSync(join(scratch, folder), { mode: 0o755 })
  await must('cp', '-r', '--preserve=mode,timestamps', ...COPIED.map((name) => join(PROJECT, name)), join(scratch, 'srv/pennypost'))
  await must('chmod', '-R', 'go-w,a+rX', join(scratch, 'srv/pennypost'))
  // What is installed and built counts as new: nothing is fetched.
  await must('touch', '-d', '2000-01-01', join(scratch, 'srv/pennypost/package-lock.json'))
  await must('touch', join(scratch, 'srv/pennypost/dist/.built'))
  writeFileSync(join(scratch, 'more'), more)
  return scratch
}

/** Runs a script in a machine that lasts as long as it, in pennypost's folder. */
export async function onMachine(t: Test, more: string, script: string): Promise<Ended> {
  const scratch = await make(t, more)
  writeFileSync(join(scratch, 'script'), `${MOUNTS}${script}\n`)
  return run(['unshare', '--mount', '--propagation', 'private', 'sh', join(scratch, 'script'), scratch], { cwd: '/', env: { PATH } })
}

export type Machine = Readonly<{
  /** Its /srv, as it is seen from here. */
  srv: string
  inside: (script: string, how?: Command) => Promise<Ended>
}>

/** Boots systemd with nothing to do. */
export async function boot(t: Test): Promise<Machine> {
  const scratch = await make(t, '')
  for (const name of TARGETS) writeFileSync(join(scratch, 'units', `${name}.target`), '[Unit]\nDefaultDependencies=no\n')
  writeFileSync(join(scratch, 'boot'), BOOT)
  writeFileSync(join(scratch, 'init'), INIT)
  const group = `penny-test-${process.pid}`
  const outer = spawn('unshare', ['--mount', '--propagation', 'private', 'sh', join(scratch, 'boot'), scratch, group], {
    stdio: ['ignore', 'ignore', 'inherit'],
    cwd: '/',
    env: { ...process.env, PATH },
  })
  const ended = new Promise((resolve) => outer.once('exit', resolve))
  const atExit = (): void => void outer.kill('SIGKILL')
  process.once('exit', atExit)
  t.teardown(async () => {
    process.removeListener('exit', atExit)
    outer.kill('SIGKILL')
    await ended
    // The kernel takes a cgroup for busy until the last of its processes is gone.
    const cgroup = join(scratch, 'cgroup')
    const remove = `mount -t cgroup2 none ${cgroup} && ! find ${cgroup}/${group} -depth -type d -exec rmdir {} + 2>&1 | grep .`
    for (let tries = 0; tries < 50 && (await run(['unshare', '--mount', 'sh', '-c', remove])).status !== 0; tries++) await pause(100)
  })
  let first: number | undefined
  for (const since = performance.now(); first === undefined; first = await systemdBelow(outer.pid ?? 0)) {
    if (outer.exitCode !== null) throw new Error(`no machine: exit ${outer.exitCode}`)
    if (performance.now() - since > 30_000) throw new Error('systemd does not start')
    await pause(50)
  }
  const inside: Machine['inside'] = (script, how) =>
    run(['nsenter', '-t', String(first), '-a', 'sh', '-c', script], { ...how, env: { PATH, NODE_OPTIONS: '', NO_COLOR: '1', ...how?.env } })
  for (const since = performance.now(); (await inside('systemctl is-system-running')).out.trim() !== 'running'; )
    if (performance.now() - since > 30_000)
      throw new Error(
        `systemd does not come up: ${JSON.stringify(await inside('systemctl is-system-running; systemctl list-jobs; systemctl --failed; ls /run/systemd'))}`,
      )
  return { srv: join(scratch, 'srv'), inside }
}

/** `unshare --fork` stays outside and waits for it; before that come the commands of the scripts. */
async function systemdBelow(pid: number): Promise<number | undefined> {
  const [child = ''] = (await run(['cat', `/proc/${pid}/task/${pid}/children`])).out.split(' ')
  return child !== '' && (await run(['cat', `/proc/${child}/comm`])).out === 'systemd\n' ? Number(child) : undefined
}
