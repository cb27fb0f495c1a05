/**
 * Where in the journal a message was admitted, found by its id alone. Ids only grow, whatever the clock does, so segments follow each
 * other as their greatest ids do; the times in their names don't, once the clock was stepped. The exception is an admission that was
 * overtaken: its ids were made, then others were admitted before it (attachments were copied meanwhile, or a crash came between and
 * recovery wrote it down). How many segments may end meanwhile is bounded here, and with it the cost of an id that somebody made up.
 */
import type { AdmittedEntry } from '../core/event.ts'
import { isMessageId, type MessageId } from '../core/ids.ts'
import { parseEntry } from '../core/lines.ts'
import { linesOf } from '../system/lines.ts'
import type { Disk } from '../system/types.ts'
import type { Segments } from './segments.ts'

export type Admissions = Readonly<{
  /** Reads few segments, also for an id that somebody made up. */
  find: (id: MessageId) => Readonly<{ admission: AdmittedEntry; segment: number }> | undefined
  /** The greatest id of the last two segments that tell of a drop. */
  newest: () => MessageId | undefined
  /** The first segment that can tell of this drop or of a later one. Reads those from there on, and few before. */
  since: (drop: MessageId) => number
}>

/** Segments that may end while a drop is on its way from its ids to the journal: some 15,000 messages. */
export const MOST_ENDED = 3

/** No text looks so: within it every quote is escaped. */
const DROP = '"drop":"'
const ID = '"id":"'
const ID_LENGTH = 36

/** The ids of a segment's drops and copies, as far as it was read. */
type Range = { least?: MessageId; greatest?: MessageId; end: number; isWhole: boolean }

export function admissionsOf(disk: Disk, segments: Segments): Admissions {
  const ranges = new Map<number, Range>()

  /** Each segment is read once; the last one goes on from where it ended. */
  function rangeOf(segment: number): Range {
    const range = ranges.get(segment) ?? { end: 0, isWhole: false }
    const path = segments.file(segment)?.path
    if (range.isWhole || path === undefined) return range
    const end = segments.end()
    for (const { text } of linesOf(disk, path, range.end)) {
      for (const id of outermost(text)) {
        if (range.least === undefined || id < range.least) range.least = id
        if (range.greatest === undefined || id > range.greatest) range.greatest = id
      }
    }
    if (segment === end.segment) range.end = end.offset
    else range.isWhole = true
    ranges.set(segment, range)
    return range
  }

  /** Segments that tell of a drop, from the one at `from` on. */
  function* telling(list: readonly number[], from: number, step: 1 | -1): Generator<readonly [at: number, range: Range & { greatest: MessageId }]> {
    for (let at = from; at >= 0 && at < list.length; at += step) {
      const range = rangeOf(list[at] as number)
      if (range.greatest !== undefined) yield [at, { ...range, greatest: range.greatest }]
    }
  }

  /** A place in the list before which is none, or one whose ids are all smaller, and from which on is none, or one that goes up to this id. */
  function borderAt(list: readonly number[], id: MessageId): number {
    let [low, high] = [0, list.length]
    while (low < high) {
      const middle = Math.floor((low + high) / 2)
      const [at, range] = first(telling(list.slice(0, high), middle, 1)) ?? [high]
      if (range && range.greatest < id) low = at + 1
      else high = middle
    }
    return low
  }

  /** The likeliest first. Those before the border are looked at too: one that tells of overtaken drops alone may have moved it. */
  function* around(id: MessageId): Generator<number> {
    const list = segments.list()
    const border = borderAt(list, id)
    for (const [from, step] of [
      [border, 1],
      [border - 1, -1],
    ] as const) {
      for (const [at, { least = id, greatest }] of some(telling(list, from, step), MOST_ENDED + 1)) {
        if (least <= id && id <= greatest) yield list[at] as number
      }
    }
  }

  function admissionIn(segment: number, id: MessageId): AdmittedEntry | undefined {
    for (const { text } of linesOf(disk, segments.file(segment)?.path ?? '')) {
      const entry = text.includes(DROP) && text.includes(id) ? parseEntry(text) : undefined
      if (entry?.event === 'admitted' && entry.copies.some((copy) => copy.id === id)) return entry
    }
    return undefined
  }

  return {
    find: (id) => {
      for (const segment of around(id)) {
        const admission = admissionIn(segment, id)
        if (admission) return { admission, segment }
      }
      return undefined
    },
    newest: () => {
      const list = segments.list()
      return [...some(telling(list, list.length - 1, -1), 2)]
        .map(([, { greatest }]) => greatest)
        .sort()
        .at(-1)
    },
    since: (drop) => {
      const list = segments.list()
      let earlier = 0
      for (const [at, { greatest }] of telling(list, list.length - 1, -1)) {
        earlier = greatest < drop ? earlier + 1 : 0
        if (earlier > MOST_ENDED) return list[at] as number
      }
      return 0
    },
  }
}

/** The least and the greatest id that a line tells of, if it tells of a drop: its copies' ids follow its own. */
function outermost(line: string): MessageId[] {
  const drop = line.indexOf(DROP)
  if (drop < 0) return []
  const last = line.lastIndexOf(ID)
  const starts = last > drop ? [drop + DROP.length, last + ID.length] : [drop + DROP.length]
  return starts.map((start) => line.slice(start, start + ID_LENGTH)).filter(isMessageId)
}

function first<T>(items: Iterable<T>): T | undefined {
  for (const item of items) return item
  return undefined
}

function* some<T>(items: Iterable<T>, most: number): Generator<T> {
  let count = 0
  for (const item of items) {
    yield item
    if (++count >= most) return
  }
}
