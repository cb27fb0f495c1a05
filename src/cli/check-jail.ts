/** What doctor tries of jails: it starts real ones, as a run would be started. */
import { readFileSync } from 'node:fs'
import type { Agent, Config } from '../core/config.ts'
import { counted, shellWord } from '../core/text.ts'
import { faultOfHost, filterFor, type JailFault } from '../jail/index.ts'
import type { Layout } from '../mailbox/index.ts'
import { realClock } from '../system/clock.ts'
import { type Host, hostOf } from '../system/host.ts'
import { realSpawner } from '../system/spawner.ts'
import { tryJail } from '../wake/index.ts'
import { type Finding, note, ok, skipped, wrong } from './check.ts'
import { UNSEEN, UP, unless } from './exit.ts'
import { plainDisk } from './policies.ts'

/** Each takes some 10 ms; what is wrong with the machine shows with the first. */
const MOST_TRIED = 50

const INSTALL = 'sudo apt-get install bubblewrap'

/** What closes user namespaces to who is not root, and what opens them: kernel, Debian, Ubuntu. */
const CLOSED = [
  { file: 'user/max_user_namespaces', closed: '0', fix: 'sudo sysctl user.max_user_namespaces=10000' },
  { file: 'kernel/unprivileged_userns_clone', closed: '0', fix: 'sudo sysctl kernel.unprivileged_userns_clone=1' },
  {
    file: 'kernel/apparmor_restrict_unprivileged_userns',
    closed: '1',
    fix: 'sudo scripts/setup system   # says which AppArmor profile opens them',
  },
] as const

export async function checkJail(layout: Layout, config: Config, searchPath: string, self: Readonly<{ uid: number; gid: number }>): Promise<Finding[]> {
  const host = hostOf(searchPath)
  const fault = faultOfHost(host())
  const all = [...config.agents.values()]
  const jailed = all.filter((agent) => agent.jailed)
  const told = [...weaker(layout, all), ...aboutProgram(host())]
  if (fault !== undefined) return [...told, jailed.length === 0 ? note('jail', fault) : wrong('jail', fault, INSTALL)]
  const { standingJail } = await import('../daemon/index.ts')
  const found: Finding[] = []
  let started = 0
  for (const agent of jailed.sort((a, b) => shows(b) - shows(a)).slice(0, MOST_TRIED)) {
    const standing = unless(UNSEEN, () => standingJail(plainDisk(), layout, config, agent, self))
    if (!standing) continue
    const broken = await tryJail({ spawner: realSpawner, clock: realClock, disk: plainDisk(), host }, standing.jail, standing.as)
    if (broken === undefined) started++
    else found.push(wrong('jail', `the jail of ${agent.name} cannot be made: ${broken.why}`, fixOfJail(layout, agent, broken)))
  }
  if (started > 0) found.unshift(ok('jail', `${counted(started, 'real jail')} started, with bubblewrap ${host().bwrap?.version.join('.')}`))
  if (found.length === 0 && jailed.length > 0) found.push(skipped('jail', 'no agent has folders yet: the daemon makes them when it first starts', UP))
  return [...found, ...told]
}

/** Those with the most that could be missing come first. */
function shows({ mounts, reads }: Agent): number {
  return mounts.length + reads.length
}

function fixOfJail(layout: Layout, agent: Agent, { kind }: JailFault): string {
  switch (kind) {
    case 'machine':
      return INSTALL
    case 'mounts':
      return `\${EDITOR:-vi} ${shellWord(`${layout.policies}/agents/${agent.name}.md`)}`
    case 'start': {
      const shut = CLOSED.find(({ file, closed }) => unless(UNSEEN, () => readFileSync(`/proc/sys/${file}`, 'utf8').trim()) === closed)
      return shut?.fix ?? `penny jail ${shellWord(agent.name)} -- true`
    }
  }
}

function weaker(layout: Layout, agents: readonly Agent[]): Finding[] {
  return agents.flatMap(({ name, jailed, network }): Finding[] => {
    const fix = `\${EDITOR:-vi} ${shellWord(`${layout.policies}/agents/${name}.md`)}`
    if (!jailed) return [note('jail', `${name} acts outside a jail: its file says jail: none`, fix)]
    return network === 'full' ? [note('jail', `${name} reaches whatever this machine reaches: its file says network: full`, fix)] : []
  })
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
