/** What doctor tries of jails: it starts real ones, as a run would be started. */
import { constants, readFileSync, statSync } from 'node:fs'
import type { Agent, Config } from '../core/config.ts'
import { counted, shellWord } from '../core/text.ts'
import { faultOfHost, filterFor, INSTALL_BWRAP, type JailFault } from '../jail/index.ts'
import type { Layout } from '../mailbox/index.ts'
import { realClock } from '../system/clock.ts'
import { type Host, hostOf } from '../system/host.ts'
import { realSpawner } from '../system/spawner.ts'
import { tryJail } from '../wake/index.ts'
import { type Finding, note, ok, skipped, wrong } from './check.ts'
import { plainDisk } from './disk.ts'
import { UNSEEN, UP, unless } from './exit.ts'

/** Each takes some 10 ms. */
const MOST_TRIED = 50
/** Agents that are tried before the machine is blamed: one whose folders are broken closes no other's jail. */
const MOST_BLAMED = 8

/** What closes user namespaces to who is not root, and what opens them: kernel, Debian, Ubuntu. As `scripts/setup system` says it. */
const CLOSED = [
  { file: 'user/max_user_namespaces', closed: '0', fix: 'sudo sysctl user.max_user_namespaces=15000' },
  { file: 'kernel/unprivileged_userns_clone', closed: '0', fix: 'sudo sysctl kernel.unprivileged_userns_clone=1' },
  {
    file: 'kernel/apparmor_restrict_unprivileged_userns',
    closed: '1',
    // Ubuntu's own profile, which lets bubblewrap alone.
    fix: [
      'sudo apt-get install apparmor-profiles',
      'sudo install -m 0644 /usr/share/apparmor/extra-profiles/bwrap-userns-restrict /etc/apparmor.d/',
      'sudo apparmor_parser -r /etc/apparmor.d/bwrap-userns-restrict',
    ].join(' && '),
  },
] as const
/** Where nothing says what closes them, as in containers: the least that must work. */
const PLAIN = 'bwrap --unshare-user --unshare-pid --ro-bind / / --proc /proc true   # must end with 0: ordinary users need user namespaces'

const AS_NOBODY = 'setpriv --reuid=65534 --regid=65534 --clear-groups '

type Self = Readonly<{ uid: number; gid: number }>

export async function checkJail(layout: Layout, config: Config, searchPath: string, self: Self): Promise<Finding[]> {
  const host = hostOf(searchPath)
  const all = [...config.agents.values()]
  const jailed = all.filter((agent) => agent.jailed)
  const told = [...weaker(layout, all), ...aboutProgram(host())]
  const blamed = await faultOfMachine(layout, config, searchPath, self)
  if (blamed) return [...told, wrong('jail', `no jail can be made on this machine, so no agent is started: ${blamed.why}`, blamed.fix)]
  const { standingJail } = await import('../daemon/index.ts')
  const found: Finding[] = []
  let started = 0
  for (const agent of jailed.sort((a, b) => shows(b) - shows(a)).slice(0, MOST_TRIED)) {
    const standing = unless(UNSEEN, () => standingJail(plainDisk(), layout, config, agent, self))
    if (!standing) continue
    const fault = await tryJail({ spawner: realSpawner, clock: realClock, disk: plainDisk(), host }, standing.jail, standing.as)
    if (fault === undefined) {
      started++
      told.push(...barred(agent, { ...(standing.as ?? self), groups: standing.as?.groups ?? process.getgroups?.() ?? [] }))
    } else found.push(wrong('jail', `the jail of ${agent.name} cannot be made: ${fault.why}`, fixOfJail(layout, agent, fault)))
  }
  if (started > 0) found.unshift(ok('jail', `${counted(started, 'real jail')} started, with bubblewrap ${host().bwrap?.version.join('.')}`))
  if (found.length === 0 && jailed.length > 0) found.push(skipped('jail', 'no agent has folders yet: the daemon makes them when it first starts', UP))
  return [...found, ...told]
}

/** What its file opens for writing, and its ids may not write, by owner and mode. An ACL may say otherwise, so it is no fault. */
function barred({ name, mounts }: Agent, { uid, gid, groups }: Self & Readonly<{ groups: readonly number[] }>): Finding[] {
  return mounts.flatMap(({ from, mode }): Finding[] => {
    const of = mode === 'rw' && uid !== 0 ? unless(UNSEEN, () => statSync(from)) : undefined
    if (!of) return []
    const bit = of.uid === uid ? constants.S_IWUSR : [gid, ...groups].includes(of.gid) ? constants.S_IWGRP : constants.S_IWOTH
    if ((of.mode & bit) !== 0) return []
    const fix = of.uid === uid ? `chmod u+w ${shellWord(from)}` : `sudo chown ${uid} ${shellWord(from)}`
    return [note('jail', `${name} may not write ${from}, which its file mounts with mode: rw: it acts with uid ${uid}`, fix)]
  })
}

/** Why no jail of an agent can be made here, whatever its file says, and a command; undefined: one could be, or nobody needs one. */
export async function faultOfMachine(
  layout: Layout,
  config: Config,
  searchPath: string,
  self: Self,
): Promise<Readonly<{ why: string; fix: string }> | undefined> {
  const jailed = [...config.agents.values()].filter((agent) => agent.jailed)
  if (jailed.length === 0) return undefined
  const host = hostOf(searchPath)
  const fault = faultOfHost(host())
  if (fault !== undefined) return { why: fault, fix: INSTALL_BWRAP }
  const { standingJail } = await import('../daemon/index.ts')
  let why: string | undefined
  for (const agent of jailed.slice(0, MOST_BLAMED)) {
    const standing = unless(UNSEEN, () => standingJail(plainDisk(), layout, config, agent, self))
    if (!standing) continue
    const least = { ...standing.jail, mounts: [], readable: [] }
    why = (await tryJail({ spawner: realSpawner, clock: realClock, disk: plainDisk(), host }, least, standing.as))?.why
    if (why === undefined) return undefined
  }
  return why === undefined ? undefined : { why, fix: fixOfMachine(self) }
}

function fixOfMachine({ uid }: Self): string {
  const closing = CLOSED.find(({ file, closed }) => unless(UNSEEN, () => readFileSync(`/proc/sys/${file}`, 'utf8').trim()) === closed)
  // To root more is open than to agents.
  return closing?.fix ?? (uid === 0 ? AS_NOBODY + PLAIN : PLAIN)
}

/** Those with the most that could be missing come first. */
function shows({ mounts, reads }: Agent): number {
  return mounts.length + reads.length
}

function fixOfJail(layout: Layout, agent: Agent, { kind }: JailFault): string {
  return kind === 'mounts' ? edit(layout, agent.name) : `penny jail ${shellWord(agent.name)} -- true`
}

function weaker(layout: Layout, agents: readonly Agent[]): Finding[] {
  return agents.flatMap(({ name, jailed, network, mounts }): Finding[] => {
    const fix = edit(layout, name)
    if (jailed) return network === 'full' ? [note('jail', `${name} reaches whatever this machine reaches: its file says network: full`, fix)] : []
    const idle = [...(network === 'full' ? [] : [`network: ${network}`]), ...(mounts.length === 0 ? [] : ['mounts:'])]
    const first = note('jail', `${name} acts outside a jail: its file says jail: none`, fix)
    if (idle.length === 0) return [first]
    const said = `${idle.join(' and ')} in the file of ${name} ${idle.length === 1 ? 'counts' : 'count'} for nothing beside jail: none`
    return [
      first,
      note(
        'jail',
        `${said}: without a jail it sees and reaches what this machine does`,
        `${fix}   # take jail: out, or ${idle.length === 1 ? 'that' : 'those'}`,
      ),
    ]
  })
}

function edit(layout: Layout, agent: string): string {
  return `\${EDITOR:-vi} ${shellWord(`${layout.policies}/agents/${agent}.md`)}`
}

function aboutProgram({ program, filters, processor }: Host): Finding[] {
  return [
    ...(program.length > 0
      ? []
      : [
          note('jail', 'agents have no penny in their jails: this installation, or its node, lies in a folder closed to them', 'move it to /opt or /usr/local'),
        ]),
    ...(filters && filterFor(processor) ? [] : [note('jail', `no filter of system calls for this machine (${processor}): namespaces alone are the wall`)]),
  ]
}
