/** The journal: every fact of the mail, one JSON line each, kept for ever; a segment an hour or 10,000 lines. */
import type { AdmittedEntry, Entry, Event } from '../core/event.ts'
import type { MessageId } from '../core/ids.ts'
import { parseEntry } from '../core/lines.ts'
import type { Clock, Disk } from '../system/types.ts'
import { admissionsOf } from './admissions.ts'
import { openPast } from './past.ts'
import { openSegments, type Position, type Segments } from './segments.ts'
import { makeUnknown } from './unknown.ts'

export type Journal = Readonly<{
  /** Records a fact; it is in the page cache at the end of this turn and on the medium after `sync`. */
  record: (event: Event) => void
  sync: () => Promise<void>
  end: () => Position
  /** Every entry from `from` on, oldest first, read as they are asked for. Lines a power cut spoiled are passed over. */
  read: (from: Position, lastSegment?: number) => Iterable<readonly [entry: Entry, at: Position]>
  /** The admission of a copy, from the few segments that can hold it: the cost of an id that somebody made up is bounded. */
  admissionOf: (id: MessageId) => AdmittedEntry | undefined
  /** Hands over the admission of a copy and all that happened to it since, in order; nothing for an id that nobody has. In slices. */
  pastOf: (id: MessageId, each: (entry: Entry) => void) => Promise<void>
  /** The greatest id so far: those of this start go on from it, also where the clock was set back meanwhile. */
  newestId: () => MessageId | undefined
  /** The first segment that can tell of this drop or of a later one. */
  segmentSince: (drop: MessageId) => number
  /** Called with every recorded entry, until the returned function is called. */
  listen: (each: (entry: Entry) => void) => () => void
  segments: Segments
  close: () => Promise<void>
}>

export const JOURNAL_START: Position = { segment: 0, offset: 0 }
const HOUR_MS = 3_600_000

export function openJournal(disk: Disk, clock: Clock, folder: string): Journal {
  const segments = openSegments(disk, clock, folder, { lines: 10_000, bytes: 64 * 1024 ** 2, ageMs: HOUR_MS })
  const admissions = admissionsOf(disk, segments)
  const listeners = new Set<(entry: Entry) => void>()
  const past = openPast(disk, clock, segments)
  const unknown = makeUnknown()

  function find(id: MessageId): ReturnType<typeof admissions.find> {
    if (unknown.has(id)) return undefined
    segments.flush()
    const found = admissions.find(id)
    if (!found) unknown.add(id)
    return found
  }

  return {
    record: (event) => {
      const entry: Entry = { at: new Date(clock.now()).toISOString(), ...event }
      segments.append(JSON.stringify(entry))
      if (entry.event === 'admitted') unknown.forget(entry.copies.map(({ id }) => id))
      for (const listener of listeners) listener(entry)
    },
    sync: segments.sync,
    end: () => {
      segments.flush()
      return segments.end()
    },
    *read(from, lastSegment) {
      segments.flush()
      for (const [line, at] of segments.read(from, lastSegment)) {
        const entry = parseEntry(line)
        if (entry) yield [entry, at]
      }
    },
    admissionOf: (id) => find(id)?.admission,
    pastOf: async (id, each) => {
      const found = find(id)
      if (!found) return
      each(found.admission)
      await past.tell(id, found.segment, each)
    },
    newestId: () => {
      segments.flush()
      return admissions.newest()
    },
    segmentSince: (drop) => {
      segments.flush()
      return admissions.since(drop)
    },
    listen: (each) => {
      listeners.add(each)
      return () => listeners.delete(each)
    },
    segments,
    close: segments.close,
  }
}
