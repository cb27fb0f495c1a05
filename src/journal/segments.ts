/** An append-only log of lines in numbered segments, made durable for many writers at once by one fdatasync. */
import { countLines, linesOf } from '../system/lines.ts'
import type { Clock, Disk, Fd } from '../system/types.ts'

/** A place between two lines. */
export type Position = Readonly<{ segment: number; offset: number }>

export type SegmentLimits = Readonly<{ lines: number; bytes: number; ageMs: number }>

export type Segments = Readonly<{
  /** Puts a line into the page cache at the end of this turn; `sync` makes it durable. Lines hold no line feed. */
  append: (line: string) => void
  /** Writes what was appended, now. Throws (ENOSPC …) with the log unchanged and the lines kept. */
  flush: () => void
  /** Resolves when all that was appended before is on the medium; one call to the disk serves all who wait. */
  sync: () => Promise<void>
  /** Takes back lines that could not be flushed. */
  discard: () => void
  /** Where the next flushed line will begin. */
  end: () => Position
  /** Every whole line from `from` on, read as they are asked for; a last line cut off by a crash is not one. */
  read: (from: Position, lastSegment?: number) => Iterable<readonly [line: string, at: Position]>
  /** Segment numbers, oldest first. */
  list: () => readonly number[]
  /** The segment's file, and the moment it was begun (milliseconds). */
  file: (segment: number) => { path: string; begunMs: number } | undefined
  remove: (segment: number) => void
  close: () => Promise<void>
}>

const NAME = /^(\d{8})-(\d{4})(\d{2})(\d{2})T(\d{2})(\d{2})(\d{2})Z\.jsonl$/

export function openSegments(disk: Disk, clock: Clock, folder: string, limits: SegmentLimits): Segments {
  const files = new Map<number, { path: string; begunMs: number }>()
  for (const { name, kind } of disk.list(folder)) {
    const match = NAME.exec(name)
    if (!match || kind !== 'file') continue
    const [, number, ...time] = match
    const [y = 0, mo = 1, d = 1, h = 0, mi = 0, s = 0] = time.map(Number)
    files.set(Number(number), { path: `${folder}/${name}`, begunMs: Date.UTC(y, mo - 1, d, h, mi, s) })
  }
  const numbers = (): number[] => [...files.keys()].sort((a, b) => a - b)

  let current = numbers().at(-1) ?? 0
  let offset = 0
  let lines = 0
  let fd: Fd | undefined
  let begunAt = clock.monotonic()
  let waiting: string[] = []
  let flushPlanned = false
  let unsyncedFds: Fd[] = []
  let folderDirty = false
  let dirty = false
  let running: Promise<void> | undefined
  let queued: Promise<void> | undefined

  const last = files.get(current)
  if (last) {
    const whole = countLines(disk, last.path)
    if (whole.end < whole.bytes) disk.truncate(last.path, whole.end)
    ;[offset, lines] = [whole.end, whole.lines]
    fd = disk.openAppend(last.path, 0o600)
  }

  function rotateIfDue(): void {
    const full = lines >= limits.lines || offset >= limits.bytes || (lines > 0 && clock.monotonic() - begunAt >= limits.ageMs)
    if (fd !== undefined && !full) return
    const begunMs = clock.now()
    const stamp = new Date(begunMs).toISOString().replace(/[-:]|\.\d+/g, '')
    const path = `${folder}/${String(current + 1).padStart(8, '0')}-${stamp}.jsonl`
    // May throw: then nothing has changed, and the next flush begins the segment.
    const fresh = disk.openAppend(path, 0o600)
    if (fd !== undefined) unsyncedFds.push(fd)
    current += 1
    fd = fresh
    files.set(current, { path, begunMs })
    ;[offset, lines, begunAt, folderDirty] = [0, 0, clock.monotonic(), true]
  }

  function flush(): void {
    flushPlanned = false
    if (waiting.length === 0) return
    rotateIfDue()
    const data = Buffer.from(`${waiting.join('\n')}\n`)
    const file = files.get(current)
    try {
      disk.append(fd ?? -1, data)
    } catch (cause) {
      // A full disk may have taken half of it.
      if (file) disk.truncate(file.path, offset)
      throw cause
    }
    offset += data.length
    lines += waiting.length
    waiting = []
    dirty = true
  }

  async function syncOnce(): Promise<void> {
    flush()
    if (!dirty && unsyncedFds.length === 0) return
    const closing = unsyncedFds
    const syncFolder = folderDirty
    ;[unsyncedFds, dirty, folderDirty] = [[], false, false]
    const open = fd === undefined ? [] : [fd]
    try {
      await Promise.all([...closing, ...open].map((one) => disk.syncData(one)))
      if (syncFolder) await disk.syncPath(folder)
    } catch (cause) {
      // Nothing of it is known to be on the medium: whoever calls next has it all done again.
      ;[unsyncedFds, dirty, folderDirty] = [[...closing, ...unsyncedFds], true, folderDirty || syncFolder]
      throw cause
    }
    for (const one of closing) disk.close(one)
  }

  function start(): Promise<void> {
    const mine = syncOnce().finally(() => {
      if (running === mine) running = undefined
    })
    running = mine
    return mine
  }

  /** False: the lines are kept; sync() or the next append tries again, and sync() tells its caller. */
  function tryFlush(): boolean {
    try {
      flush()
      return true
    } catch {
      return false
    }
  }

  function sync(): Promise<void> {
    // One that waits to begin has yet to flush: it serves whoever comes now. One that runs may have flushed before.
    if (queued) return queued
    if (!running) return start()
    queued = running
      .catch(() => undefined)
      .then(() => {
        queued = undefined
        return start()
      })
    return queued
  }

  return {
    append: (line) => {
      waiting.push(line)
      if (flushPlanned) return
      flushPlanned = true
      queueMicrotask(() => {
        if (flushPlanned) tryFlush()
      })
    },
    flush,
    sync,
    discard: () => {
      waiting = []
    },
    end: () => ({ segment: current, offset }),
    *read(from, last = Number.POSITIVE_INFINITY) {
      for (const segment of numbers()) {
        const file = files.get(segment)
        if (segment < from.segment || segment > last || !file) continue
        for (const { text, at } of linesOf(disk, file.path, segment === from.segment ? from.offset : 0)) yield [text, { segment, offset: at }]
      }
    },
    list: numbers,
    file: (segment) => files.get(segment),
    remove: (segment) => {
      const file = files.get(segment)
      if (!file || segment === current) return
      disk.unlink(file.path)
      files.delete(segment)
    },
    close: async () => {
      await sync()
      if (fd === undefined) return
      disk.close(fd)
      fd = undefined
    },
  }
}
