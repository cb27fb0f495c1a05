/**
 * Up to where in the journal `sent/` shows everything. Mirrors are written a moment after the change and never synced, so a
 * crash costs the last ones; whatever came after this mark is shown again at the next start, however many starts that takes.
 */
import type { Entry } from '../core/event.ts'
import type { MessageId } from '../core/ids.ts'
import { JOURNAL_START, type Journal, type Position } from '../journal/index.ts'
import { type Disk, readKept, writeState } from '../system/index.ts'
import { parseKept } from './snapshot.ts'

export type Mirrored = Readonly<{
  from: Position
  /** An entry after `from`, at a start. */
  see: (entry: Entry) => void
  /** The messages that may not be shown, the one that changed last first. */
  missing: () => MessageId[]
  /** They have all been shown. */
  caughtUp: () => void
  /** Moves the mark; `isIdle` says that no mirror waits to be written. */
  look: (isIdle: boolean) => Promise<void>
}>

/** `look` comes this often, and the mark is one look behind: longer than the 30 s in which the kernel writes files back (`vm.dirty_expire_centisecs`). */
export const MIRRORS_LOOK_MS = 60_000

export function createMirrored(disk: Disk, journal: Pick<Journal, 'end'>, file: string): Mirrored {
  const kept = parseKept(readKept(disk, file)) as Position | undefined
  const seen = new Set<MessageId>()
  let marked = kept ?? JOURNAL_START
  let reached: Position | undefined
  return {
    from: marked,
    see: (entry) => {
      if (entry.event !== 'delivered' && entry.event !== 'status' && entry.event !== 'set') return
      seen.delete(entry.id)
      seen.add(entry.id)
    },
    missing: () => [...seen].reverse(),
    caughtUp: () => {
      seen.clear()
      reached = marked
    },
    look: async (isIdle) => {
      if (!reached || !isIdle) return
      const hasMoved = reached.segment !== marked.segment || reached.offset !== marked.offset
      marked = reached
      reached = journal.end()
      if (hasMoved) await writeState(file, `${JSON.stringify(marked)}\n`)
    },
  }
}
