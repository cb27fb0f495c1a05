/**
 * Intents: what will be done with a drop, with its bytes, durable before anything of it is done.
 * One fdatasync makes the intents of all drops in flight durable; a mark says up to where everything is done and durable, and
 * names the few before it that are not.
 */
import type { MessageId } from '../core/ids.ts'
import type { Clock, Disk } from '../system/types.ts'
import { dropOf, idsIn, makeSealedFinder, parseIntent, type Void } from './find.ts'
import type { Intent } from './intents.ts'
import { openSegments, type Position, type Segments } from './segments.ts'

export type Sealed = Readonly<{
  /** Resolves when the intent is on the medium. Rejects (ENOSPC …) with nothing written that recovery would follow. */
  seal: (intent: Intent) => Promise<void>
  /** Everything of this intent is done, and on the medium. */
  close: (drop: MessageId) => void
  open: () => ReadonlyMap<MessageId, Position>
  /** Writes the mark: what is before it needs no recovery. */
  mark: () => Promise<void>
  /**
   * Takes away what is older, but for intents that are open, or one of whose ids (drop, copies) is still needed: an old segment is
   * written anew with those lines alone, so that one task open for a year keeps its own line and not the hour of mail around it.
   */
  expire: (olderThanMs: number, isNeeded: (id: MessageId) => boolean) => Promise<void>
  /** The intents that a crash left open, in order. */
  recover: () => Intent[]
  /** The intent of a drop or copy, from the few segments that can hold it. */
  find: (id: MessageId) => Intent | undefined
  end: () => Promise<void>
}>

type Mark = Readonly<{
  segment: number
  offset: number
  /** Done, though they lie after it. */
  closed: readonly MessageId[]
  /** Not done, though they lie before it: one that takes for ever holds up no other. By segment, in which lines may move up. */
  left?: readonly (readonly [segment: number, drop: MessageId])[]
}>

export function openSealed(disk: Disk, clock: Clock, folder: string, markFile: string, writeWhole: (path: string, text: string) => Promise<void>): Sealed {
  const segments = openSegments(disk, clock, folder, { lines: 10_000, bytes: 16 * 1024 ** 2, ageMs: 3_600_000 })
  const finder = makeSealedFinder(disk, clock, segments)
  const open = new Map<MessageId, Position>()
  let closedPast: { drop: MessageId; at: Position }[] = []
  let marked = ''
  /** Not known to be on the medium, or taken back there: no mark passes them. */
  const unsure = new Map<MessageId, Position>()
  /** Taken back in the page cache; on the medium with the next sync that succeeds. Until then they count as open. */
  const voided = new Set<MessageId>()
  let unwritten: Void[] = []

  function write(intent: Intent): void {
    const line = JSON.stringify(intent)
    finder.forget(idsIn(line))
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
    const at = { segment: end.segment, offset: end.offset - Buffer.byteLength(line) - 1 }
    open.set(intent.drop, at)
    unsure.set(intent.drop, at)
  }

  async function mark(): Promise<Position> {
    const first = [...unsure.values()].reduce((least, at) => (before(at, least) ? at : least), segments.end())
    closedPast = closedPast.filter(({ at }) => !before(at, first))
    const left = [...open].flatMap(([drop, at]) => (before(at, first) ? [[at.segment, drop] as const] : []))
    const text = JSON.stringify({ ...first, closed: closedPast.map(({ drop }) => drop), ...(left.length > 0 ? { left } : {}) } satisfies Mark)
    if (text === marked) return first
    marked = ''
    await writeWhole(markFile, text)
    marked = text
    return first
  }

  /** What no mark says is done, in order. */
  function* unfinished({ left = [], ...from }: Mark): Generator<readonly [line: string, at: Position]> {
    for (const segment of new Set(left.map(([one]) => one))) {
      const drops = new Set<string | undefined>(left.flatMap(([one, drop]) => (one === segment ? [drop] : [])))
      for (const [line, at] of segments.read({ segment, offset: 0 }, segment)) if (before(at, from) && drops.has(dropOf(line))) yield [line, at]
    }
    yield* segments.read(from)
  }

  /** Before the mark nothing is read by its place, so lines may move up. */
  async function keepOnly(segment: number, isNeeded: (id: MessageId) => boolean): Promise<void> {
    const path = segments.file(segment)?.path
    if (path === undefined) return
    const lines = disk.readFile(path).toString('utf8').split('\n').slice(0, -1)
    const needed = lines.filter((line) => idsIn(line).some((id) => open.has(id) || isNeeded(id)))
    if (needed.length === 0) segments.remove(segment)
    else if (needed.length < lines.length) await writeWhole(path, `${needed.join('\n')}\n`)
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
      unsure.delete(intent.drop)
      for (const drop of covered) {
        voided.delete(drop)
        unsure.delete(drop)
        open.delete(drop)
      }
    },
    close: (drop) => {
      const at = open.get(drop)
      if (at && open.delete(drop)) closedPast.push({ drop, at })
    },
    open: () => open,
    mark: async () => void (await mark()),
    expire: async (olderThanMs, isNeeded) => {
      const { segment: markedIn } = await mark()
      const failures: unknown[] = []
      for (const segment of past(segments, markedIn, olderThanMs)) {
        // On a full disk one may not be written anew, and others still be taken away.
        try {
          await keepOnly(segment, isNeeded)
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
      for (const [line, at] of unfinished(mark)) {
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
    find: (id) => finder.find(id),
    end: segments.close,
  }
}

function before(a: Position, b: Position): boolean {
  return a.segment < b.segment || (a.segment === b.segment && a.offset < b.offset)
}

/** Segments that ended before, none that recovery reads from a place in it: one ends where the next begins. */
function past(segments: Segments, markedIn: number, olderThanMs: number): number[] {
  const list = segments.list()
  return list.filter((segment, index) => segment < markedIn && (segments.file(list[index + 1] ?? -1)?.begunMs ?? Number.POSITIVE_INFINITY) < olderThanMs)
}

function readMark(disk: Disk, path: string): Mark {
  try {
    return JSON.parse(disk.readFile(path).toString()) as Mark
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === 'ENOENT') return { segment: 0, offset: 0, closed: [] }
    throw cause
  }
}
