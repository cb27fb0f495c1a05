/** What each agent's jail shows, from the configuration in force (contract, page 5). */
import { type Agent, type Config, type Mount, NETWORKS } from '../core/config.ts'
import type { Name } from '../core/names.ts'
import type { Clear, Raise } from '../core/post.ts'
import { shellWord } from '../core/text.ts'
import { type Jail, SOCKET_NAME } from '../jail/index.ts'
import { type Layout, statOrNothing } from '../mailbox/index.ts'
import type { Disk, Owner, SpawnPlan } from '../system/types.ts'
import { type Identities, loadIdentities, readersOf } from './identities.ts'
import { copyRunners } from './runners.ts'
import { readUids } from './uids.ts'

/** `as`: with which ids it acts. `runners`: the copy of policies/runners/ that runs are started from. */
export function jailOf(config: Config, layout: Layout, agent: Agent, as: Owner, runners: string, mode: Identities['mode']): Jail {
  const { name, mounts, network } = agent
  return {
    agent: name,
    uid: as.uid,
    gid: as.gid,
    workspace: layout.workspace(name),
    readOnly: [layout.sent(name), layout.attachments(name), layout.runs(name)],
    readable: readersOf(config, name).map((other) => ({ name: other, folders: (['new', 'cur', 'done'] as const).map((one) => layout.folder(other, one)) })),
    runners,
    mounts,
    organisation: layout.root,
    writable:
      mounts.length === 0 ? [] : [...config.agents.values()].flatMap((other) => other.mounts.filter(({ mode: how }) => how === 'rw').map(({ from }) => from)),
    network,
    gateway: network === 'gateway' && config.providers.size > 0 ? layout.socketFolder(name) : undefined,
    sameUid: mode === 'user',
  }
}

/** An agent's way to the model gateway where it has no jail; undefined: there is none, for whoever has no uid of its own is not told apart. */
export function gatewaySocket(config: Config, layout: Layout, agent: Name, mode: Identities['mode']): string | undefined {
  return mode === 'system' && config.providers.size > 0 ? `${layout.socketFolder(agent)}/${SOCKET_NAME}` : undefined
}

/**
 * As the daemon would start this agent now, for commands. undefined: it has no uid or no folders yet, which the daemon gives it.
 * Makes the copy of policies/runners/ where it is not there; throws where that cannot be written.
 */
export function standingJail(disk: Disk, layout: Layout, config: Config, agent: Agent, self: Owner): Readonly<{ jail: Jail; as: SpawnPlan['as'] }> | undefined {
  if (statOrNothing(disk, layout.home(agent.name))?.kind !== 'folder') return undefined
  if (self.uid === 0 && agent.user === undefined && !readUids(disk, layout.uids).of(agent.name)) return undefined
  const { mode, runAs } = loadIdentities(disk, config, self, layout.uids, () => undefined)
  const as = runAs(agent.name)
  return { jail: jailOf(config, layout, agent, as ?? self, copyRunners(disk, layout, config.digest), mode), as }
}

/** Whether it would act with the daemon's own uid and no wall, where a key of a provider could be read with that uid: then nothing is started for it. */
export function isBare(config: Config, agent: Agent, mode: Identities['mode']): boolean {
  return mode === 'user' && !agent.jailed && config.providers.size > 0
}

/** Tells of each such agent, and closes what was told of others: jails that cannot be made have the same code, and are told elsewhere. */
export function createBareTold(raise: Raise, clear: Clear): (config: Config, mode: Identities['mode']) => void {
  const told = new Set<Name>()
  return (config, mode) => {
    const bare = [...config.agents.values()].filter((agent) => isBare(config, agent, mode)).map(({ name }) => name)
    for (const name of told) {
      if (bare.includes(name)) continue
      told.delete(name)
      clear('jail-unavailable', name)
    }
    for (const name of bare) {
      if (told.has(name)) continue
      told.add(name)
      raise({
        code: 'jail-unavailable',
        about: name,
        agent: name,
        sentence: `${name} has jail: none and would act with the daemon's own uid, which can read the key of a provider: while policies/providers/ names one, nothing is started for it; its mail waits in new/.`,
        fix: `\${EDITOR:-vi} ${shellWord(`policies/agents/${name}.md`)}   # take jail: none out, or run the daemon as root`,
      })
    }
  }
}

/** Whether a run of before could see or do what one of now may not: it must end before that counts. */
export function isNarrower(before: Config, agent: Agent, next: Config): boolean {
  const after = next.agents.get(agent.name)
  if (!after?.runner || agent.user !== after.user) return true
  if (!agent.jailed && after.jailed) return true
  if (NETWORKS.indexOf(after.network) < NETWORKS.indexOf(agent.network)) return true
  const stillReads = readersOf(next, agent.name)
  return readersOf(before, agent.name).some((name) => !stillReads.includes(name)) || agent.mounts.some((mount) => !isStillThere(mount, after.mounts))
}

function isStillThere({ from, at, mode }: Mount, mounts: readonly Mount[]): boolean {
  return mounts.some((one) => one.from === from && one.at === at && (one.mode === mode || one.mode === 'rw'))
}
