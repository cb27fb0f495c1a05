/** What became of a drop, as the journal tells it; for the files that `penny send` dropped, whoever asks late is answered too. */
import type { Dropped } from '../core/control.ts'
import { SENT_PREFIX } from '../core/control.ts'
import type { Entry } from '../core/event.ts'
import type { MessageId } from '../core/ids.ts'
import type { Journal } from '../journal/index.ts'
import type { Clock } from '../system/types.ts'
import type { State } from './state.ts'

export type Outcome = Readonly<{ kind: 'admitted'; ids: readonly MessageId[] }> | Readonly<{ kind: 'held'; drop: MessageId; code: string; held: string }>

export type DropEntry = Extract<Entry, { event: 'admitted' | 'held' | 'repeat' }>

export function isOfDrop(entry: Entry): entry is DropEntry {
  return entry.event === 'admitted' || entry.event === 'held' || entry.event === 'repeat'
}

export function outcomeOf(entry: DropEntry): Outcome {
  if (entry.event === 'held') return { kind: 'held', drop: entry.drop, code: entry.code, held: entry.held }
  return { kind: 'admitted', ids: entry.event === 'repeat' ? [entry.of] : entry.copies.map(({ id }) => id) }
}

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
    if ((entry.event === 'admitted' && !entry.internal) || entry.event === 'held') remember(entry.name, outcomeOf(entry))
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

/** The next entry that fits; undefined once the client went away. */
export function nextEntry(journal: Journal, fits: (entry: Entry) => boolean, gone: AbortSignal): Promise<Entry | undefined> {
  return new Promise((resolve) => {
    if (gone.aborted) return resolve(undefined)
    const end = (entry: Entry | undefined): void => {
      stop()
      gone.removeEventListener('abort', leave)
      resolve(entry)
    }
    const leave = (): void => end(undefined)
    const stop = journal.listen((entry) => {
      if (fits(entry)) end(entry)
    })
    gone.addEventListener('abort', leave)
  })
}
