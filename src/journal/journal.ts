/** The journal: every fact of the mail, one JSON line each, kept for ever; a segment an hour or 10,000 lines. */
import type { Entry, Event } from '../core/event.ts'
import { idTimeMs, type MessageId } from '../core/ids.ts'
import type { Clock, Disk } from '../system/types.ts'
import { openSegments, type Position, type Segments } from './segments.ts'

export type Journal = Readonly<{
  /** Records a fact; it is in the page cache at the end of this turn and on the medium after `sync`. */
  record: (event: Event) => void
  sync: () => Promise<void>
  end: () => Position
  /** Every entry from `from` on, oldest first, read as they are asked for. Lines a power cut spoiled are passed over. */
  read: (from: Position, lastSegment?: number) => Iterable<readonly [entry: Entry, at: Position]>
  /** The admission of a copy, from the few segments that can hold it: the cost of an id that somebody made up is bounded. */
  admissionOf: (id: MessageId) => Extract<Entry, { event: 'admitted' }> | undefined
  /** Called with every recorded entry, until the returned function is called. */
  listen: (each: (entry: Entry) => void) => () => void
  segments: Segments
  close: () => Promise<void>
}>

export const JOURNAL_START: Position = { segment: 0, offset: 0 }
const HOUR_MS = 3_600_000
/** A segment lasts an hour, in which the clock may step; ids never go back with it. */
const TOLERANCE_MS = 2 * HOUR_MS
/** Ids nobody knows, kept so that nobody looks for them twice. */
const MOST_UNKNOWN = 10_000

export function openJournal(disk: Disk, clock: Clock, folder: string): Journal {
  const segments = openSegments(disk, clock, folder, { lines: 10_000, bytes: 64 * 1024 ** 2, ageMs: HOUR_MS })
  const listeners = new Set<(entry: Entry) => void>()
  const unknown = new Set<MessageId>()
  return {
    record: (event) => {
      const entry: Entry = { at: new Date(clock.now()).toISOString(), ...event }
      segments.append(JSON.stringify(entry))
      if (entry.event === 'admitted') for (const { id } of entry.copies) unknown.delete(id)
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
    admissionOf: (id) => {
      if (unknown.has(id)) return undefined
      segments.flush()
      for (const segment of possible(segments, idTimeMs(id))) {
        const found = findAdmission(disk, segments.file(segment)?.path, id)
        if (found) return found
      }
      unknown.add(id)
      const [oldest] = unknown
      if (unknown.size > MOST_UNKNOWN && oldest !== undefined) unknown.delete(oldest)
      return undefined
    },
    listen: (each) => {
      listeners.add(each)
      return () => listeners.delete(each)
    },
    segments,
    close: segments.close,
  }
}

function parseEntry(line: string): Entry | undefined {
  try {
    const value: unknown = JSON.parse(line)
    return typeof value === 'object' && value !== null && 'event' in value ? (value as Entry) : undefined
  } catch (cause) {
    if (cause instanceof SyntaxError) return undefined
    throw cause
  }
}

/**
 * Segments that can hold the admission of an id made at `ms`, the likeliest first. A segment lasts until the next one begins; after
 * the clock went back, ids go on from the latest moment there was, and an admission cut off by a crash is written one segment later.
 */
function possible(segments: Segments, ms: number): number[] {
  const numbers = segments.list()
  const begun = (at: number): number => segments.file(numbers[at] ?? -1)?.begunMs ?? Number.POSITIVE_INFINITY
  const fits: number[] = []
  let latestMs = Number.NEGATIVE_INFINITY
  let fitBefore = false
  for (const [at, segment] of numbers.entries()) {
    const from = Math.min(begun(at), begun(at + 1))
    latestMs = Math.max(latestMs, begun(at))
    const fit = ms >= from - TOLERANCE_MS && ms <= Math.max(latestMs, begun(at + 1)) + TOLERANCE_MS
    if (fit || fitBefore) fits.push(segment)
    fitBefore = fit
  }
  const distance = (segment: number): number => {
    const begunMs = segments.file(segment)?.begunMs ?? 0
    return begunMs <= ms + 1000 ? ms + 1000 - begunMs : 10 * (begunMs - ms)
  }
  return fits.sort((a, b) => distance(a) - distance(b))
}

function findAdmission(disk: Disk, path: string | undefined, id: MessageId): Extract<Entry, { event: 'admitted' }> | undefined {
  if (path === undefined) return undefined
  const data = disk.readFile(path)
  for (let at = data.indexOf(id); at >= 0; at = data.indexOf(id, at + 1)) {
    const start = data.lastIndexOf(10, at) + 1
    const end = data.indexOf(10, at)
    const entry = parseEntry(data.toString('utf8', start, end < 0 ? data.length : end))
    if (entry?.event === 'admitted' && entry.copies.some((copy) => copy.id === id)) return entry
  }
  return undefined
}
