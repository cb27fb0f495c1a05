/** Contexts of agents as the daemon sees them: what the gateway says of them goes in, what a next run is given comes out. */
import {
  type Change,
  checkpointFile,
  copySealed,
  createOrders,
  keptFor,
  makeVersions,
  type Orders,
  type OrdersGiven,
  type SealedCopies,
  type Standing,
  sealedFile,
  type VersionsGiven,
} from '../context/index.ts'
import type { Config } from '../core/config.ts'
import type { Entry } from '../core/event.ts'
import type { MessageId } from '../core/ids.ts'
import type { Name } from '../core/names.ts'
import { isKey } from '../core/orderfile.ts'
import type { ClearAll } from '../core/post.ts'
import { isSettled } from '../core/status.ts'
import type { Journal } from '../journal/index.ts'
import { type Ledger, type Mail, markOf } from '../mailbox/index.ts'
import { readKept, writeState } from '../system/index.ts'
import type { Disk, Log } from '../system/types.ts'

export type ContextSide = Readonly<{
  /** What the gateway tells. */
  told: Orders['told']
  sealed: (sealed: Readonly<{ agent: Name; message: string | undefined; file: string }>) => void
  /** Each second. */
  look: () => void
  /** Once every message is known. */
  recover: () => Promise<void>
  /** Where a run of this message finds what was kept of those before it. */
  keptFor: (mail: Mail) => Readonly<{ checkpoint: string | undefined; sealed: string | undefined }>
}>

export type ContextSideGiven = Pick<OrdersGiven, 'submit' | 'putAway' | 'raise' | 'clear'> &
  VersionsGiven &
  Readonly<{ config: () => Config; ledger: Ledger; journal: Pick<Journal, 'listen'>; clearAll: ClearAll }>

/** A run, and what lay in the place of its agent's checkpoint when it began. */
type Running = Readonly<{ run: string; agent: Name; id: MessageId; mark: string | undefined }>
type Saved = Readonly<{ orders: readonly Standing[]; runs: readonly Running[] }>

export function createContextSide(given: ContextSideGiven): ContextSide {
  const { disk, log, layout, config, ledger } = given
  const file = `${layout.private('state')}/contexts.json`
  const saved = load(disk, log, file)
  const runs = new Map(saved.runs.map((one): [string, Running] => [one.run, one]))
  const outside = { ...given, mailOf: ledger.get, isAgent: (name: Name) => config().agents.has(name) }
  const versions = makeVersions(given)
  const orders = createOrders({ ...outside, versions, before: saved.orders, changed: save })
  const sealed: SealedCopies = copySealed({ ...outside, folder: layout.checkpoints })
  given.clearAll('context-high', new Set(orders.all().map(({ agent, key }) => `${agent}/${key}`)))
  given.journal.listen(follow)

  function save(): void {
    const state: Saved = { orders: orders.all(), runs: [...runs.values()] }
    writeState(file, JSON.stringify(state)).catch((cause: unknown) => log('warn', 'what is known of contexts is not saved', { why: String(cause) }))
  }

  /** What one agent's folders refuse keeps nothing else from being done. */
  function guarded<T>(agent: Name, work: () => T): T | undefined {
    try {
      return work()
    } catch (cause) {
      log('warn', 'a checkpoint could not be looked at', { agent, why: String(cause) })
      return undefined
    }
  }

  function markOfCheckpoint(agent: Name): string | undefined {
    const stat = guarded(agent, () => versions.look(agent))
    return stat && markOf(stat)
  }

  function keep(agent: Name): void {
    guarded(agent, () => {
      const mark = markOfCheckpoint(agent)
      if (mark === undefined) return
      const written = [...runs.values()].flatMap((one) => (one.agent === agent && one.mark !== mark ? [one.id] : []))
      const ids = [...new Set([...orders.fulfilledBy(agent), ...written])]
      if (ids.length > 0) versions.keep(agent, ids.sort())
    })
  }

  function follow(entry: Entry): void {
    switch (entry.event) {
      case 'run-started':
        runs.set(entry.run, { run: entry.run, agent: entry.agent, id: entry.id, mark: markOfCheckpoint(entry.agent) })
        return save()
      case 'run-ended':
        keep(entry.agent)
        if (runs.delete(entry.run)) save()
        return
      case 'status':
        if (entry.folder !== 'done' && (entry.status === null || !isSettled(entry.status))) return
        orders.settled(entry.id)
        return versions.forget(entry.id)
      default:
    }
  }

  return {
    told: (change: Change) => orders.told(change),
    sealed: ({ agent, message, file: name }) => void sealed.take(agent, message, name),
    look: () => {
      orders.look()
      const agents = [...runs.values(), ...orders.all()].map(({ agent }) => agent)
      for (const agent of new Set(agents)) if (config().agents.has(agent)) keep(agent)
    },
    recover: () => sealed.takeMissed(config().agents.keys()),
    keptFor: ({ holder, id }) => ({
      checkpoint: keptFor(disk, layout, holder, checkpointFile(id)),
      sealed: keptFor(disk, layout, holder, sealedFile(id)),
    }),
  }
}

/** Of a daemon before this one; what cannot be read is nothing: contexts are told of again as they grow. */
function load(disk: Disk, log: Log, file: string): Saved {
  try {
    const value = JSON.parse(readKept(disk, file) ?? '{}') as Partial<Saved>
    return { orders: (value.orders ?? []).filter(({ key }) => isKey(key)), runs: value.runs ?? [] }
  } catch (cause) {
    log('error', 'what was known of contexts cannot be read, and is begun anew', { file, why: String(cause) })
    return { orders: [], runs: [] }
  }
}
