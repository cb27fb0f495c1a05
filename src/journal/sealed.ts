/**
 * Intents: what will be done with a drop, with its bytes, durable before anything of it is done.
 * One fdatasync makes the intents of all drops in flight durable; a mark says up to where everything is done and durable.
 */
import type { MessageId } from '../core/ids.ts'
import type { Clock, Disk } from '../system/types.ts'
import type { Intent } from './intents.ts'
import { openSegments, type Position, type Segments } from './segments.ts'

/** Takes back an intent whose line was written, but not known to be on the medium: nothing of it was done. */
type Void = Readonly<{ act: 'void'; drop: MessageId }>

export type Sealed = Readonly<{
  /** Resolves when the intent is on the medium. Rejects (ENOSPC …) with nothing written that recovery would follow. */
  seal: (intent: Intent) => Promise<void>
  /** Everything of this intent is done, and on the medium. */
  close: (drop: MessageId) => void
  open: () => ReadonlyMap<MessageId, Position>
  /** Writes the mark: what is before it needs no recovery. */
  mark: () => void
  /**
   * Takes away what is older, but for intents one of whose ids (drop, copies) is still needed: an old segment is written anew with
   * those lines alone, so that one task open for a year keeps its own line and not the hour of mail around it.
   */
  expire: (olderThanMs: number, isNeeded: (id: MessageId) => boolean) => Promise<void>
  /** The intents that a crash left open, in order. */
  recover: () => Intent[]
  /** The intent of a drop or copy made around `ms`, for `penny show --original`. */
  find: (id: MessageId, ms: number) => Intent | undefined
  end: () => Promise<void>
}>

const INDEX_KEPT_MS = 2_000

type Mark = { segment: number; offset: number; closed: MessageId[] }

export function openSealed(disk: Disk, clock: Clock, folder: string, markFile: string, writeWhole: (path: string, text: string) => void): Sealed {
  const segments = openSegments(disk, clock, folder, { lines: 10_000, bytes: 16 * 1024 ** 2, ageMs: 3_600_000 })
  const open = new Map<MessageId, Position>()
  let closedPast: { drop: MessageId; at: Position }[] = []
  let marked = ''
  /** Taken back in the page cache; on the medium with the next sync that succeeds. Until then they count as open, so that no mark passes them. */
  const voided = new Set<MessageId>()
  let unwritten: Void[] = []
  /** A sweep after a start asks for one message after the other: most lie in one segment. */
  let lastIndex: Index | undefined

  function write(intent: Intent): void {
    const line = JSON.stringify(intent)
    for (const one of unwritten) segments.append(JSON.stringify(one))
    segments.append(line)
    try {
      segments.flush()
    } catch (cause) {
      segments.discard()
      throw cause
    }
    for (const { drop } of unwritten) voided.add(drop)
    unwritten = []
    const end = segments.end()
    open.set(intent.drop, { segment: end.segment, offset: end.offset - Buffer.byteLength(line) - 1 })
  }

  function indexed(segment: number): Index | undefined {
    const path = segments.file(segment)?.path
    if (path === undefined) return undefined
    if (lastIndex?.segment === segment && disk.stat(path).size === lastIndex.data.length) return lastIndex
    if (!lastIndex) clock.after(INDEX_KEPT_MS, () => (lastIndex = undefined))
    lastIndex = indexOf(segment, disk.readFile(path))
    return lastIndex
  }

  function find(id: MessageId, ms: number): Intent | undefined {
    const begun = (segment: number): number => segments.file(segment)?.begunMs ?? 0
    for (const segment of [...segments.list()].sort((a, b) => Math.abs(begun(a) - ms) - Math.abs(begun(b) - ms))) {
      const index = indexed(segment)
      const intent = index && intentAt(index, id)
      if (intent) return intent
    }
    return undefined
  }

  const firstOpen = (): Position => [...open.values()].reduce((least, at) => (before(at, least) ? at : least), segments.end())

  function mark(): void {
    const first = firstOpen()
    closedPast = closedPast.filter(({ at }) => !before(at, first))
    const text = JSON.stringify({ ...first, closed: closedPast.map(({ drop }) => drop) } satisfies Mark)
    if (text !== marked) writeWhole(markFile, text)
    marked = text
  }

  /** Before the mark nothing is read by its place, so lines may move up. */
  function keepOnly(segment: number, isNeeded: (id: MessageId) => boolean): void {
    const path = segments.file(segment)?.path
    if (path === undefined) return
    const lines = disk.readFile(path).toString('utf8').split('\n').slice(0, -1)
    const needed = lines.filter((line) => idsIn(line).some(isNeeded))
    if (needed.length === 0) segments.remove(segment)
    else if (needed.length < lines.length) writeWhole(path, `${needed.join('\n')}\n`)
  }

  function takeBack(drop: MessageId): void {
    unwritten.push({ act: 'void', drop })
    for (const one of unwritten) segments.append(JSON.stringify(one))
    try {
      segments.flush()
      for (const one of unwritten) voided.add(one.drop)
      unwritten = []
    } catch {
      // No room for the line either: it is written before the next intent.
      segments.discard()
    }
  }

  return {
    seal: async (intent) => {
      write(intent)
      const covered = [...voided]
      try {
        await segments.sync()
      } catch (cause) {
        takeBack(intent.drop)
        throw cause
      }
      for (const drop of covered) {
        voided.delete(drop)
        open.delete(drop)
      }
    },
    close: (drop) => {
      const at = open.get(drop)
      if (at && open.delete(drop)) closedPast.push({ drop, at })
    },
    open: () => open,
    mark,
    expire: async (olderThanMs, isNeeded) => {
      mark()
      const failures: unknown[] = []
      for (const segment of past(segments, firstOpen().segment, olderThanMs)) {
        // On a full disk one may not be written anew, and others still be taken away.
        try {
          keepOnly(segment, isNeeded)
        } catch (cause) {
          failures.push(cause)
        }
        await new Promise<void>((resolve) => clock.soon(resolve))
      }
      if (failures.length > 0) throw failures[0]
    },
    recover: () => {
      const mark = readMark(disk, markFile)
      const closed = new Set(mark.closed)
      const found = new Map<MessageId, Intent>()
      for (const [line, at] of segments.read(mark)) {
        const intent = parseIntent(line)
        if (!intent || closed.has(intent.drop)) continue
        if (intent.act === 'void') {
          found.delete(intent.drop)
          open.delete(intent.drop)
          continue
        }
        found.set(intent.drop, intent)
        open.set(intent.drop, at)
      }
      return [...found.values()]
    },
    find,
    end: segments.close,
  }
}

function before(a: Position, b: Position): boolean {
  return a.segment < b.segment || (a.segment === b.segment && a.offset < b.offset)
}

/** Segments that ended before, none that recovery needs: one ends where the next begins. */
function past(segments: Segments, firstNeeded: number, olderThanMs: number): number[] {
  const list = segments.list()
  return list.filter((segment, index) => segment < firstNeeded && (segments.file(list[index + 1] ?? -1)?.begunMs ?? Number.POSITIVE_INFINITY) < olderThanMs)
}

function readMark(disk: Disk, path: string): Mark {
  try {
    return JSON.parse(disk.readFile(path).toString()) as Mark
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === 'ENOENT') return { segment: 0, offset: 0, closed: [] }
    throw cause
  }
}

function parseIntent(line: string): Intent | Void | undefined {
  try {
    return JSON.parse(line) as Intent | Void
  } catch (cause) {
    // A power cut can spoil lines that were never acknowledged.
    if (cause instanceof SyntaxError) return undefined
    throw cause
  }
}

type Index = Readonly<{ segment: number; data: Buffer; lines: ReadonlyMap<string, number> }>

/** The drop and the copies of a line. Within a message's text every quote is escaped, so that no text looks like a key. */
function idsIn(line: string): MessageId[] {
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
