/** What follows from the configuration in force: who has which uid, and the copy of the runners that runs are started from. */
import type { Agent, Config } from '../core/config.ts'
import type { Name } from '../core/names.ts'
import type { Layout } from '../mailbox/index.ts'
import { type System, writeState } from '../system/index.ts'
import type { Identity } from '../wake/index.ts'
import { type Identities, loadIdentities } from './identities.ts'
import { copyRunners } from './runners.ts'

export type InForce = Readonly<{
  identities: () => Identities
  /** As whom this agent's runs are started; undefined where that can't be said, and nothing may be started. */
  identityOf: (agent: Name) => Identity | undefined
  /** Where a program of policies/runners/ lies for a run. */
  runnerPath: (program: string) => string
  /**
   * Builds what the next configuration needs, while the one before still counts; throws where something is refused. What it returns
   * makes the next one count, and tells the agents whose runs may see or do less now than when they were started.
   */
  prepare: (next: Config) => () => Name[]
}>

export function putInForce(system: Pick<System, 'disk' | 'self'>, layout: Layout, first: Config): InForce {
  const { disk, self } = system
  const load = (config: Config): Identities => loadIdentities(disk, config, self, layout.uids, writeState)
  let config = first
  let identities = load(first)
  let runners = copyRunners(disk, layout, first.digest)
  return {
    identities: () => identities,
    identityOf: (agent) => {
      const as = identities.runAs(agent)
      // An agent without a uid of its own must never run with the daemon's.
      return identities.mode === 'system' && !as ? undefined : { as, logOwner: identities.givenOwner(agent) }
    },
    runnerPath: (program) => `${runners}/${program.replace(/^\.\//, '')}`,
    prepare: (next) => {
      const built = { identities: load(next), runners: copyRunners(disk, layout, next.digest) }
      return () => {
        const narrowed = [...config.agents.values()].filter((agent) => isNarrower(agent, next.agents.get(agent.name))).map(({ name }) => name)
        config = next
        identities = built.identities
        runners = built.runners
        return narrowed
      }
    },
  }
}

function isNarrower(before: Agent, after: Agent | undefined): boolean {
  return !after?.runner || before.reads.some((name) => !after.reads.includes(name)) || before.user !== after.user
}
