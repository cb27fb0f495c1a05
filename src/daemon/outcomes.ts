/** What became of the files that `penny send` dropped: whoever asks late is answered too. */
import type { Dropped } from '../core/control.ts'
import { SENT_PREFIX } from '../core/control.ts'
import type { Entry } from '../core/event.ts'
import type { MessageId } from '../core/ids.ts'
import type { Journal } from '../journal/index.ts'
import type { Clock } from '../system/types.ts'
import type { State } from './state.ts'

export type Outcome = Readonly<{ kind: 'admitted'; ids: readonly MessageId[] }> | Readonly<{ kind: 'held'; drop: MessageId; code: string; held: string }>

export type Outcomes = Readonly<{
  /** undefined: not yet known. */
  of: (dropped: Dropped) => Outcome | undefined
}>

/** A sender asks at once; whoever is slower than this asks for its ref. */
const KEPT_MS = 10 * 60_000
/** Names are unique (a random word), so this bounds memory alone: about 2 MB. */
const MOST_KEPT = 10_000

export function createOutcomes(clock: Clock, journal: Journal, state: State): Outcomes {
  const kept = new Map<string, Outcome & { atMs: number }>()

  function remember(name: string, outcome: Outcome): void {
    if (!name.startsWith(SENT_PREFIX)) return
    const now = clock.monotonic()
    kept.set(name, { ...outcome, atMs: now })
    for (const [oldest, { atMs }] of kept) {
      if (kept.size <= MOST_KEPT && now - atMs < KEPT_MS) break
      kept.delete(oldest)
    }
  }

  journal.listen((entry: Entry) => {
    if (entry.event === 'admitted' && !entry.internal) remember(entry.name, { kind: 'admitted', ids: entry.copies.map(({ id }) => id) })
    else if (entry.event === 'held') remember(entry.name, { kind: 'held', drop: entry.drop, code: entry.code, held: entry.held })
  })

  return {
    of: ({ name, from, ref, sha256 }) => {
      const known = kept.get(name)
      if (known) return known
      // The same content under the same ref is one message, whenever it was sent: a repeat, or a drop of before the last restart.
      const seen = state.handles.sent(from, ref)
      return seen?.sha256 === sha256 ? { kind: 'admitted', ids: seen.ids } : undefined
    },
  }
}
