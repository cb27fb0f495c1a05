/** A file of records of one length, in their order, with its digest at the end: looked up by the first bytes, added to by merging. */
import { createHash } from 'node:crypto'
import { isGone, statOrNothing } from '../mailbox/index.ts'
import { inSlices } from '../system/slices.ts'
import type { Clock, Disk, Fd } from '../system/types.ts'

export const RECORD_BYTES = 64
const SEAL_BYTES = 32
/** Records read at once where the place is known, and where all are read. */
const PAGE = 64
const PIECE = 2_048

export type SortedGiven = Readonly<{ disk: Disk; clock: Clock; path: string }>

/** All records that begin so, at most `most`. */
export function findSorted(disk: Disk, path: string, prefix: Buffer, most: number): Buffer[] {
  let fd: Fd
  try {
    fd = disk.openRead(path)
  } catch (cause) {
    if (isGone(cause)) return []
    throw cause
  }
  try {
    const count = countOf(disk.fstat(fd).size)
    const found: Buffer[] = []
    for (let at = placeOf(disk, fd, count, prefix); at < count; at += PAGE) {
      for (const record of recordsOf(disk.read(fd, Math.min(PAGE, count - at) * RECORD_BYTES, at * RECORD_BYTES))) {
        const order = record.subarray(0, prefix.length).compare(prefix)
        if (order > 0 || found.length >= most) return found
        if (order === 0) found.push(record)
      }
    }
    return found
  } finally {
    disk.close(fd)
  }
}

/** A place with only smaller records before it, and less than a page of them behind. */
function placeOf(disk: Disk, fd: Fd, count: number, prefix: Buffer): number {
  let [low, high] = [0, count]
  while (high - low > PAGE) {
    const middle = Math.floor((low + high) / 2)
    if (disk.read(fd, prefix.length, middle * RECORD_BYTES).compare(prefix) < 0) low = middle + 1
    else high = middle
  }
  return low
}

/** Whether it is as it was written; undefined: there is none. */
export async function isSorted({ disk, clock, path }: SortedGiven): Promise<boolean | undefined> {
  const found = statOrNothing(disk, path)
  if (!found) return undefined
  if (found.kind !== 'file' || found.size !== countOf(found.size) * RECORD_BYTES + SEAL_BYTES) return false
  const hash = createHash('sha256')
  await inSlices(clock, piecesOf(disk, path), (piece) => void hash.update(piece))
  const fd = disk.openRead(path)
  try {
    return hash.digest().equals(disk.read(fd, SEAL_BYTES, found.size - SEAL_BYTES))
  } finally {
    disk.close(fd)
  }
}

/** Writes it anew with these records (in their order) and without those not to be kept; `path` is as before until `ready` has resolved. */
export async function mergeSorted(given: SortedGiven, fresh: readonly Buffer[], keep: (record: Buffer) => boolean, ready: () => Promise<void>): Promise<void> {
  const { disk, clock, path } = given
  const aside = `${path}.new`
  if (statOrNothing(disk, aside)) disk.unlink(aside)
  const fd = disk.openAppend(aside, 0o600)
  try {
    const hash = createHash('sha256')
    const piece = Buffer.alloc(PIECE * RECORD_BYTES)
    let filled = 0
    const write = (): void => {
      hash.update(piece.subarray(0, filled))
      disk.append(fd, piece.subarray(0, filled))
      filled = 0
    }
    await inSlices(clock, inOrder(oldRecords(disk, path), fresh), (record) => {
      if (!keep(record)) return
      filled += record.copy(piece, filled)
      if (filled === piece.length) write()
    })
    write()
    disk.append(fd, hash.digest())
    await disk.syncData(fd)
    await ready()
  } finally {
    disk.close(fd)
  }
  disk.rename(aside, path)
  await disk.syncPath(path.slice(0, path.lastIndexOf('/')))
}

/** Each once. */
function* inOrder(old: Iterable<Buffer>, fresh: readonly Buffer[]): Generator<Buffer> {
  let at = 0
  for (const record of old) {
    for (let order = fresh[at]?.compare(record); order !== undefined && order <= 0; order = fresh[at]?.compare(record)) {
      if (order < 0) yield fresh[at] as Buffer
      at++
    }
    yield record
  }
  yield* fresh.slice(at)
}

function* oldRecords(disk: Disk, path: string): Generator<Buffer> {
  if (statOrNothing(disk, path)) for (const piece of piecesOf(disk, path)) yield* recordsOf(piece)
}

function* piecesOf(disk: Disk, path: string): Generator<Buffer> {
  const fd = disk.openRead(path)
  try {
    const count = countOf(disk.fstat(fd).size)
    for (let at = 0; at < count; at += PIECE) yield disk.read(fd, Math.min(PIECE, count - at) * RECORD_BYTES, at * RECORD_BYTES)
  } finally {
    disk.close(fd)
  }
}

function* recordsOf(piece: Buffer): Generator<Buffer> {
  for (let at = 0; at + RECORD_BYTES <= piece.length; at += RECORD_BYTES) yield piece.subarray(at, at + RECORD_BYTES)
}

function countOf(bytes: number): number {
  return Math.max(0, Math.floor((bytes - SEAL_BYTES) / RECORD_BYTES))
}
