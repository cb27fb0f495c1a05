/** Finds a sealed intent by an id alone, whoever made that up: the cost of an id that nobody has is bounded. */
import { isMessageId, type MessageId } from '../core/ids.ts'
import { parseLine } from '../core/lines.ts'
import type { Clock, Disk } from '../system/types.ts'
import { MOST_ENDED } from './admissions.ts'
import type { Intent } from './intents.ts'
import type { Segments } from './segments.ts'
import { makeUnknown } from './unknown.ts'

/** Takes back an intent whose line was written, but not known to be on the medium: nothing of it was done. */
export type Void = Readonly<{ act: 'void'; drop: MessageId }>

export type SealedFinder = Readonly<{
  find: (id: MessageId) => Intent | undefined
  /** These are sealed now. */
  forget: (ids: readonly MessageId[]) => void
}>

const INDEX_KEPT_MS = 2_000
/** The drop's id is at the beginning of a line. */
const BEGIN_BYTES = 128

export function makeSealedFinder(disk: Disk, clock: Clock, segments: Segments): SealedFinder {
  /** A sweep after a start asks for one message after the other: most lie in one segment. */
  let lastIndex: Index | undefined
  const firstDrops = new Map<number, MessageId>()
  /** A task whose original is past the retention time is asked for at each look. */
  const unknown = makeUnknown()

  function indexed(segment: number, path: string): Index {
    if (lastIndex?.segment === segment && disk.stat(path).size === lastIndex.data.length) return lastIndex
    if (!lastIndex) clock.after(INDEX_KEPT_MS, () => (lastIndex = undefined))
    lastIndex = indexOf(segment, disk.readFile(path))
    return lastIndex
  }

  /** The first drop of a segment; one that cannot be read counts as older than all, and its neighbours are looked through anyway. */
  function firstDropOf(segment: number): string {
    const known = firstDrops.get(segment)
    const path = segments.file(segment)?.path
    if (known !== undefined || path === undefined) return known ?? ''
    const fd = disk.openRead(path)
    try {
      const id = dropOf(disk.read(fd, BEGIN_BYTES).toString('latin1'))
      if (id !== undefined) firstDrops.set(segment, id)
      return id ?? ''
    } finally {
      disk.close(fd)
    }
  }

  /**
   * Segments that can hold it, the likeliest first. Ids only grow, whatever the clock does, so a segment's begin where its first drop
   * does; but a drop may be overtaken, and be sealed some segments later than its id says.
   */
  function around(id: MessageId): number[] {
    const list = segments.list()
    let [low, high] = [0, list.length]
    while (low < high) {
      const middle = Math.floor((low + high) / 2)
      if (firstDropOf(list[middle] as number) <= id) low = middle + 1
      else high = middle
    }
    const at = low - 1
    const later = Array.from({ length: MOST_ENDED }, (_, n) => at + 1 + n)
    const earlier = Array.from({ length: MOST_ENDED }, (_, n) => at - 1 - n)
    return [at, ...later, ...earlier].flatMap((index) => list[index] ?? [])
  }

  function findIn(segment: number, id: MessageId, isLikely: boolean): Intent | undefined {
    const path = segments.file(segment)?.path
    // Looking for its bytes takes a tenth of what an index of all ids does.
    if (path === undefined || (!isLikely && lastIndex?.segment !== segment && !disk.readFile(path).includes(id))) return undefined
    return intentAt(indexed(segment, path), id)
  }

  return {
    find: (id) => {
      if (unknown.has(id)) return undefined
      for (const [order, segment] of around(id).entries()) {
        const intent = findIn(segment, id, order === 0)
        if (intent) return intent
      }
      unknown.add(id)
      return undefined
    },
    forget: unknown.forget,
  }
}

/** undefined: a power cut can spoil lines that were never acknowledged. */
export function parseIntent(line: string): Intent | Void | undefined {
  return parseLine(line) as Intent | Void | undefined
}

type Index = Readonly<{ segment: number; data: Buffer; lines: ReadonlyMap<string, number> }>

/** The drop that a line is of, without reading what it says of it. */
export function dropOf(line: string): MessageId | undefined {
  const [, id = ''] = /"drop":"([0-9a-f-]{36})"/.exec(line.slice(0, BEGIN_BYTES)) ?? []
  return isMessageId(id) ? id : undefined
}

/** The drop and the copies of a line. Within a message's text every quote is escaped, so that no text looks like a key. */
export function idsIn(line: string): MessageId[] {
  return [...line.matchAll(/"(?:drop|id)":"([0-9a-f-]{36})"/g)].map(([, id]) => id as MessageId)
}

/** Where the lines of drops and copies begin. */
function indexOf(segment: number, data: Buffer): Index {
  const lines = new Map<string, number>()
  for (let start = 0; ; ) {
    const end = data.indexOf(10, start)
    if (end < 0) return { segment, data, lines }
    for (const id of idsIn(data.toString('latin1', start, end))) if (!lines.has(id)) lines.set(id, start)
    start = end + 1
  }
}

function intentAt({ data, lines }: Index, id: MessageId): Intent | undefined {
  const start = lines.get(id)
  if (start === undefined) return undefined
  const intent = parseIntent(data.toString('utf8', start, data.indexOf(10, start)))
  if (!intent || intent.act === 'void') return undefined
  return intent.drop === id || (intent.act === 'admit' && intent.copies.some((copy) => copy.id === id)) ? intent : undefined
}
