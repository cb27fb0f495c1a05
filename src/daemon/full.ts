/** Mailboxes that keep mail waiting: told while some of it waits for room, closed when none does any more. */
import type { Config } from '../core/config.ts'
import type { Name } from '../core/names.ts'
import type { ClearAll, Raise } from '../core/post.ts'
import { counted } from '../core/text.ts'
import type { Ledger } from '../mailbox/index.ts'
import type { Clock } from '../system/types.ts'

export type FullGiven = Readonly<{
  clock: Clock
  ledger: Ledger
  config: () => Config
  /** Files seen and not yet taken. */
  waitingDrops: () => number
  raise: Raise
  clearAll: ClearAll
}>

export type Full = Readonly<{
  /** A drop waits for room in this mailbox; to be told each time it is looked at. */
  waitsFor: (holder: Name) => void
  /** Closes what is over; call it every second or so, once every message is known. */
  sweep: () => void
}>

/** A drop that waits is looked at again this soon, and a millisecond later for each that waits beside it. */
const SEEN_WITHIN_MS = 3_000

export function createFull({ clock, ledger, config, waitingDrops, raise, clearAll }: FullGiven): Full {
  const seenMs = new Map<Name, number>()
  const startedMs = clock.monotonic()
  return {
    waitsFor: (holder) => {
      seenMs.set(holder, clock.monotonic())
      const { backlog } = config().org.limits
      raise({
        code: 'workspace-full',
        about: about(holder),
        agent: holder,
        sentence: `The mailbox of ${holder} holds ${counted(backlog, 'message')}; more wait in the drop folders until some are settled.`,
        fix: `penny tasks to:${holder}`,
      })
    },
    sweep: () => {
      const seenSinceMs = clock.monotonic() - SEEN_WITHIN_MS - waitingDrops()
      for (const [holder, atMs] of seenMs) if (atMs < seenSinceMs || ledger.count(holder) < config().org.limits.backlog) seenMs.delete(holder)
      // An alert of before a restart is judged only when what waits had its turn.
      if (startedMs < seenSinceMs) clearAll('workspace-full', new Set([...seenMs.keys()].map(about)))
    },
  }
}

const about = (holder: Name): string => `workspaces/${holder}`
