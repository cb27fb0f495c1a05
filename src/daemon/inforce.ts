/** What follows from the configuration in force: who has which uid, and the copy of the runners that runs are started from. */
import type { Config } from '../core/config.ts'
import type { Name } from '../core/names.ts'
import type { Layout } from '../mailbox/index.ts'
import { type System, writeStateNow } from '../system/index.ts'
import type { Identity } from '../wake/index.ts'
import { type Identities, loadIdentities } from './identities.ts'
import { gatewaySocket, isBare, isNarrower, jailOf } from './jails.ts'
import { copyRunners } from './runners.ts'

export type InForce = Readonly<{
  identities: () => Identities
  /** What alerts call whoever owns a file in the spool. */
  ownerOf: (uid: number) => string
  /** As whom this agent's runs are started; undefined where that can't be said, and nothing may be started. */
  identityOf: (agent: Name) => Identity | undefined
  /** Where a program of policies/runners/ lies for a run. */
  runnerPath: (program: string) => string
  /**
   * Builds what the next configuration needs, while the one before still counts; throws where something is refused. `narrowed`: agents
   * whose runs may see or do less then; `count` makes it count.
   */
  prepare: (next: Config) => Readonly<{ narrowed: readonly Name[]; count: () => void }>
}>

export function putInForce(system: Pick<System, 'disk' | 'self'>, layout: Layout, first: Config): InForce {
  const { disk, self } = system
  const load = (config: Config): Identities => loadIdentities(disk, config, self, layout.uids, writeStateNow)
  let config = first
  let identities = load(first)
  let runners = copyRunners(disk, layout, first.digest)
  return {
    identities: () => identities,
    ownerOf: (uid) => {
      const sender = identities.senderInSpool(uid)
      return 'from' in sender ? sender.from : `uid-${uid}`
    },
    identityOf: (agent) => {
      const as = identities.runAs(agent)
      const known = config.agents.get(agent)
      // An agent without a uid of its own must never run with the daemon's.
      if (!known || (identities.mode === 'system' && !as) || isBare(config, known, identities.mode)) return undefined
      const jail = known.jailed ? jailOf(config, layout, known, as ?? self, runners, identities.mode) : undefined
      return { as, logOwner: identities.givenOwner(agent), jail, gateway: gatewaySocket(config, layout, agent, identities.mode) }
    },
    runnerPath: (program) => `${runners}/${program.replace(/^\.\//, '')}`,
    prepare: (next) => {
      const built = { identities: load(next), runners: copyRunners(disk, layout, next.digest) }
      const narrowed = [...config.agents.values()].filter((agent) => isNarrower(config, agent, next)).map(({ name }) => name)
      return {
        narrowed,
        count: () => {
          config = next
          identities = built.identities
          runners = built.runners
        },
      }
    },
  }
}
