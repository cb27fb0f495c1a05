/**
 * By what messages are called besides their ids: the sender's `ref`, and the keys of the daemon's own letters. Whatever was
 * admitted within the retention time is found again; only the latest of it is in memory, the rest in a sorted file.
 */
import { hash } from 'node:crypto'
import type { Admission } from '../core/event.ts'
import { isRef, type MessageId } from '../core/ids.ts'
import type { Clock, Disk, Log } from '../system/types.ts'
import { findSorted, isSorted, mergeSorted, RECORD_BYTES } from './sorted.ts'

export type Sent = Readonly<{ sha256: string; ids: readonly MessageId[] }>

export type Handles = Readonly<{
  see: (admitted: Admission) => void
  /** What this sender sent under this ref: its digest and its copies. */
  sent: (from: string, ref: string) => Sent | undefined
  /** Copies that this holder got under this ref, whoever sent them. */
  received: (holder: string, ref: string) => readonly MessageId[]
  /** Copies of whatever was sent under this ref. */
  called: (ref: string) => readonly MessageId[]
  /** The daemon's letter with this key. */
  letter: (key: string) => MessageId | undefined
  /** Forgets refs of messages that are settled and older than this, and what no letter is asked for again. */
  expire: (olderThanMs: number) => Promise<void>
  /** Whether the file is as it was written; undefined: there is none. One that is not is taken away. */
  check: () => Promise<boolean | undefined>
  hasFile: () => boolean
  /** Records of what is in memory, for a snapshot. */
  kept: () => readonly string[]
  restore: (record: string) => void
}>

export type HandlesGiven = Readonly<{
  clock: Clock
  disk: Disk
  log: Log
  path: string
  isUnsettled: (id: MessageId) => boolean
  syncJournal: () => Promise<void>
}>

/** A letter is not asked for again later than this. */
const KEYS_LAST_MS = 7 * 24 * 3_600_000
/** In memory: about 4 MB. */
const MOST_RECENT = 20_000
/** In the file, 128 MB: a million messages with a ref within the retention time; the oldest hours go first. */
const MOST_KEPT = 2_000_000
/** One message to all of a large organisation. */
const MOST_FOUND = 10_000
const MOST_ABSENT = 10_000
const HOUR_MS = 3_600_000

/** A record: what it is (1 byte), digests of the ref (9) and of whose it is (6), the copy's id (16), SHA-256 of the content (32). */
type Kind = 's' | 'r' | 'k'
const NAME_BYTES = 16
const ID_END = 32

export function createHandles(given: HandlesGiven): Handles {
  const { clock, disk, log, path } = given
  /** Records in latin1 by their names in latin1: Buffers would take four times as much. */
  const recent = new Map<string, readonly string[]>()
  const absent = new Set<string>()
  let size = 0
  let mergeAt = MOST_RECENT
  let leastMs = 0
  let retainMs = 0
  let running: Promise<void> = Promise.resolve()

  function keep(record: string): void {
    const name = record.slice(0, NAME_BYTES)
    const known = recent.get(name) ?? []
    if (known.includes(record)) return
    recent.set(name, [...known, record])
    size++
    if (size < mergeAt) return
    mergeAt = size + MOST_RECENT
    merge().catch((cause: unknown) => log('error', 'refs of messages could not be moved out of memory', { why: String(cause) }))
  }

  /** A name that the file did not have, it has only after a merge: holders may wait for many that nobody has. */
  function inFile(name: Buffer): Buffer[] {
    const key = name.toString('latin1')
    const found = absent.has(key) ? [] : findSorted(disk, path, name, MOST_FOUND)
    if (found.length === 0) absent.add(key)
    if (absent.size > MOST_ABSENT) absent.clear()
    return found
  }

  function inMemory(prefix: Buffer): Buffer[] {
    const begin = prefix.toString('latin1')
    const records = begin.length === NAME_BYTES ? (recent.get(begin) ?? []) : [...recent].flatMap(([name, of]) => (name.startsWith(begin) ? of : []))
    return records.map((record) => Buffer.from(record, 'latin1'))
  }

  /** The oldest first. */
  function find(prefix: Buffer): Buffer[] {
    const found = prefix.length === NAME_BYTES ? inFile(prefix) : findSorted(disk, path, prefix, MOST_FOUND)
    return [...found, ...inMemory(prefix)].sort((a, b) => a.compare(b, NAME_BYTES, ID_END, NAME_BYTES, ID_END))
  }

  const idsOf = (records: readonly Buffer[]): MessageId[] => [...new Set(records.map(idIn))]

  function merge(): Promise<void> {
    const work = running.catch(() => undefined).then(mergeOnce)
    running = work
    return work
  }

  async function mergeOnce(): Promise<void> {
    const batch = [...recent]
    const fresh = batch.flatMap(([, records]) => records).sort()
    const hours = new Map<number, number>()
    const buffers = fresh.map((record) => Buffer.from(record, 'latin1'))
    await mergeSorted({ disk, clock, path }, buffers, (record) => isNeeded(record) && countHour(hours, record), given.syncJournal)
    for (const [name, records] of batch) {
      absent.delete(name)
      if (recent.get(name) !== records) continue
      recent.delete(name)
      size -= records.length
    }
    mergeAt = size + MOST_RECENT
    leastMs = Math.max(leastMs, leastOf(hours))
  }

  function isNeeded(record: Buffer): boolean {
    const ms = timeIn(record)
    if (ms < leastMs) return false
    if (record.toString('latin1', 0, 1) === 'k') return ms > clock.now() - KEYS_LAST_MS
    return ms >= retainMs || given.isUnsettled(idIn(record))
  }

  return {
    see: ({ from, ref, key, sha256, copies }) => {
      const [first] = copies
      if (key !== undefined && first) keep(recordOf(nameOf('k', key, ''), first.id, ''))
      if (ref === undefined) return
      for (const { id, to } of copies) {
        keep(recordOf(nameOf('s', ref, from), id, sha256))
        keep(recordOf(nameOf('r', ref, to), id, ''))
      }
    },
    sent: (from, ref) => {
      if (!isRef(ref)) return undefined
      const records = find(nameOf('s', ref, from))
      const last = records.at(-1)
      const sha256 = last?.toString('hex', ID_END, RECORD_BYTES)
      // After its ref was forgotten, another message may have had it again.
      return sha256 === undefined ? undefined : { sha256, ids: idsOf(records.filter((record) => record.toString('hex', ID_END, RECORD_BYTES) === sha256)) }
    },
    received: (holder, ref) => (isRef(ref) ? idsOf(find(nameOf('r', ref, holder))) : []),
    called: (ref) => (isRef(ref) ? idsOf(find(nameOf('s', ref, '').subarray(0, 10))) : []),
    letter: (key) => idsOf(find(nameOf('k', key, ''))).at(-1),
    expire: (olderThanMs) => {
      retainMs = olderThanMs
      return merge()
    },
    check: async () => {
      const isWhole = await isSorted({ disk, clock, path })
      if (isWhole === false) disk.rename(path, `${path}.spoiled`)
      absent.clear()
      return isWhole
    },
    hasFile: () => findSorted(disk, path, Buffer.alloc(0), 1).length > 0,
    kept: () => [...recent.values()].flat(),
    restore: keep,
  }
}

function nameOf(kind: Kind, what: string, whose: string): Buffer {
  return Buffer.concat([Buffer.from(kind), hash('sha256', what, 'buffer').subarray(0, 9), hash('sha256', whose, 'buffer').subarray(0, 6)])
}

function recordOf(name: Buffer, id: MessageId, sha256: string): string {
  return Buffer.concat([name, Buffer.from(id.replaceAll('-', ''), 'hex'), Buffer.from(sha256.padEnd(64, '0'), 'hex')]).toString('latin1')
}

function idIn(record: Buffer): MessageId {
  const hex = record.toString('hex', NAME_BYTES, ID_END)
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-${hex.slice(12, 16)}-${hex.slice(16, 20)}-${hex.slice(20)}` as MessageId
}

/** The first six bytes of an id are its moment. */
function timeIn(record: Buffer): number {
  return record.readUIntBE(NAME_BYTES, 6)
}

function countHour(hours: Map<number, number>, record: Buffer): true {
  const hour = Math.floor(timeIn(record) / HOUR_MS)
  hours.set(hour, (hours.get(hour) ?? 0) + 1)
  return true
}

/** The moment from which on there are no more than may be kept. */
function leastOf(hours: ReadonlyMap<number, number>): number {
  let count = 0
  for (const [hour, records] of [...hours].sort(([a], [b]) => b - a)) {
    count += records
    if (count > MOST_KEPT) return (hour + 1) * HOUR_MS
  }
  return 0
}
