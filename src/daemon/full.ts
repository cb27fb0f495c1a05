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
  /** Mail waits for room in this mailbox, and is tried again after so many milliseconds; to be told each time. */
  waitsFor: (holder: Name, againMs: number) => void
  /** Closes what is over; call it every second or so, once every message is known. */
  sweep: () => void
}>

/** What waits is tried again so much later than it should be at most, and a millisecond for each drop that waits beside it. */
const LATE_MS = 2_000
/** After a start, everything that waits was tried once. */
const FIRST_TRIED_MS = 1_000

export function createFull({ clock, ledger, config, waitingDrops, raise, clearAll }: FullGiven): Full {
  /** When what waits for each is tried again, at the latest that was told. */
  const againAtMs = new Map<Name, number>()
  const startedMs = clock.monotonic()
  return {
    waitsFor: (holder, againMs) => {
      againAtMs.set(holder, Math.max(againAtMs.get(holder) ?? 0, clock.monotonic() + againMs))
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
      const triedMs = clock.monotonic() - LATE_MS - waitingDrops()
      for (const [holder, atMs] of againAtMs) if (atMs < triedMs || ledger.count(holder) < config().org.limits.backlog) againAtMs.delete(holder)
      // An alert of before a restart is judged only when what waits had its turn.
      if (startedMs + FIRST_TRIED_MS < triedMs) clearAll('workspace-full', new Set([...againAtMs.keys()].map(about)))
    },
  }
}

const about = (holder: Name): string => `workspaces/${holder}`
