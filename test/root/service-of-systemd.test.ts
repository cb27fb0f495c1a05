import { mkdirSync, readdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { until } from '../e2e/files.ts'
import { boot, type Machine, noSystemd } from './booted.ts'
import { whyNot } from './image.ts'

const skip = (await whyNot()) ?? noSystemd ?? false
t.setTimeout(240_000)

const ROOT = '/srv/acme'

/** Properties of the service. */
async function show(machine: Machine, unit = 'pennypost'): Promise<Record<string, string>> {
  const { out } = await machine.inside(`systemctl show ${unit} -p ActiveState,SubState,StatusText,MainPID,NRestarts,Result,ExecMainStatus,UnitFileState`)
  return Object.fromEntries(
    out
      .trim()
      .split('\n')
      .map((line) => [line.slice(0, line.indexOf('=')), line.slice(line.indexOf('=') + 1)]),
  )
}

async function becomes(machine: Machine, what: string, is: (now: Record<string, string>) => boolean): Promise<Record<string, string>> {
  for (const since = performance.now(); ; ) {
    const now = await show(machine)
    if (is(now)) return now
    if (performance.now() - since > 60_000) throw new Error(`not ${what}: ${JSON.stringify(now)}`)
  }
}

/** What an agent's jail is: `facts` are looked at in it, under the walls of the unit. */
const JAIL = `cd /
lead=$(stat -c %u ${ROOT}/workspaces/lead/home)
exec prlimit --nproc=256 --nofile=4096 --core=0 setpriv --reuid="$lead" --regid="$lead" --clear-groups --no-new-privs \\
  bwrap --unshare-user --disable-userns --unshare-pid --unshare-ipc --unshare-uts --unshare-cgroup-try --unshare-net --new-session --die-with-parent \\
  --clearenv --setenv PATH /usr/bin:/bin --ro-bind /usr /usr --symlink usr/lib /lib --symlink usr/lib64 /lib64 --symlink usr/bin /bin \\
  --proc /proc --dev /dev --perms 1777 --tmpfs /tmp --bind ${ROOT}/workspaces/lead /ws --remount-ro / --chdir /ws/home -- \\
  sh -c 'id -u; echo /proc/[0-9]*; echo written > jailed; cat jailed; touch /usr/x /x; grep -E "^(CapEff|NoNewPrivs)" /proc/self/status; unshare -U true'
`

t.test(
  'scripts/setup makes a service that systemd starts, asks, reloads, ends when it hangs, and stops; its walls leave jails and mail alone',
  { skip },
  async (t) => {
    const machine = await boot(t)
    const setup = await machine.inside(`cd /srv/pennypost && scripts/setup system --root ${ROOT} --service`)
    t.equal(setup.status, 0, setup.err)
    t.match(
      setup.out,
      /linked \/usr\/local\/bin\/penny\n.*made an organisation[^\n]*\ninstalled [^\n]*pennypost\.service\nready: penny status --root \/srv\/acme\n$/s,
    )
    const started = await show(machine)
    t.match(started, { ActiveState: 'active', SubState: 'running', StatusText: 'small admits mail', NRestarts: '0', UnitFileState: 'enabled' })
    const lead = (await machine.inside(`stat -c %u ${ROOT}/workspaces/lead/home`)).out.trim()
    t.equal((await machine.inside(`stat -c "%u %a" ${ROOT} ${ROOT}/workspaces/lead/new`)).out, `0 755\n${lead} 2750\n`, 'the unit lets it set the group bit')
    const verified = await machine.inside('systemd-analyze verify /etc/systemd/system/pennypost.service')
    t.same([verified.status, verified.err], [0, ''])
    t.equal(
      (await machine.inside('systemd-analyze security --offline=true --threshold=52 /etc/systemd/system/pennypost.service')).status,
      0,
      'no wall was taken away',
    )

    const status = await machine.inside('/usr/local/bin/penny status --json --root /srv/acme')
    t.match(JSON.parse(status.out), { mode: 'system', completeness: 'lease' }, 'capabilities for leases are there')
    t.equal((await machine.inside('echo hello | penny send lead -s hi --root /srv/acme')).status, 0)
    await until('delivered', () => readdirSync(join(machine.srv, 'acme/workspaces/lead/new')).length === 1)

    const again = await machine.inside(`cd /srv/pennypost && scripts/setup system --root ${ROOT} --service`)
    t.same([again.status, again.out], [0, 'ready: penny status --root /srv/acme\n'], 'nothing is done twice')
    t.equal((await show(machine))['MainPID'], started['MainPID'], 'and what runs goes on')

    // A run under the walls of the unit.
    const policies = join(machine.srv, 'acme/policies')
    mkdirSync(join(policies, 'runners'), { recursive: true })
    writeFileSync(join(policies, 'runners/work.sh'), '#!/bin/sh\nid -u\ngrep NoNewPrivs /proc/self/status\ncat >&2\n', { mode: 0o755 })
    writeFileSync(join(policies, 'agents/worker.md'), '---\ntitle: works\nrunner: { command: [./work.sh] }\n---\nYou work.\n')
    t.equal((await machine.inside('systemctl reload pennypost')).status, 0)
    const reloaded = await becomes(machine, 'running again', ({ SubState }) => SubState === 'running')
    t.equal(reloaded['MainPID'], started['MainPID'])
    const asked = await machine.inside(`echo work | penny send worker -s work --wait --root ${ROOT}`)
    const worker = (await machine.inside(`stat -c %u ${ROOT}/workspaces/worker/home`)).out.trim()
    t.same([asked.status, /^NoNewPrivs:\t1$/m.test(asked.out), new RegExp(`^${worker}$`, 'm').test(asked.out)], [0, true, true], `${asked.out}${asked.err}`)

    // The same unit, with another command: what its walls allow.
    writeFileSync(join(machine.srv, 'jail'), JAIL)
    const other = ['Type=oneshot', 'WatchdogSec=0', 'Restart=no', 'RestartForceExitStatus=', 'ExecReload=', 'ExecStart=', 'ExecStart=/bin/sh /srv/jail']
    const said = (to: string): string[] => [`StandardOutput=append:/srv/${to}`, `StandardError=append:/srv/${to}`]
    writeFileSync(join(machine.srv, 'jail.conf'), `[Service]\n${[...other, ...said('jailed')].join('\n')}\n`)
    const unit = '/etc/systemd/system'
    await machine.inside(
      `cp ${unit}/pennypost.service ${unit}/jail.service; mkdir ${unit}/jail.service.d; cp /srv/jail.conf ${unit}/jail.service.d; systemctl daemon-reload`,
    )
    await machine.inside('systemctl start jail')
    const jailed = (await machine.inside('cat /srv/jailed')).out
    t.match(jailed, new RegExp(`^${lead}\n/proc/1( /proc/\\d+){1,3}\nwritten\n`), jailed)
    t.match(jailed, /\/usr\/x[^\n]*Read-only file system[\s\S]*\/x[^\n]*Read-only file system/)
    t.match(jailed, /CapEff:\t0+\nNoNewPrivs:\t1\n[\s\S]*unshare failed/)

    // One that does not answer is ended and started again.
    writeFileSync(join(machine.srv, 'short.conf'), '[Service]\nWatchdogSec=2\nTimeoutAbortSec=1\nRestartSec=100ms\n')
    await machine.inside(
      `mkdir ${unit}/pennypost.service.d; cp /srv/short.conf ${unit}/pennypost.service.d; systemctl daemon-reload; systemctl restart pennypost`,
    )
    const before = await show(machine)
    await machine.inside(`kill -STOP ${before['MainPID']}`)
    const after = await becomes(machine, 'started again', ({ NRestarts, SubState }) => NRestarts === '1' && SubState === 'running')
    t.not(after['MainPID'], before['MainPID'])
    t.equal((await machine.inside('penny status --root /srv/acme')).status, 0)

    const since = performance.now()
    t.equal((await machine.inside('systemctl stop pennypost')).status, 0)
    t.ok(performance.now() - since < 4_000, 'SIGTERM was enough')
    t.match(await show(machine), { ActiveState: 'inactive', Result: 'success' })
  },
)
