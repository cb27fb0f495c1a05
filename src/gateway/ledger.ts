/**
 * The ledger: a line for each request, in a file for each day (of UTC, so that a file never depends on a setting). A line is in the page
 * cache when `record` returns and on the medium a second later. What a crash left without its end gets one, and is passed over when read.
 */
import type { Name } from '../core/names.ts'
import type { Cancel, Clock, Disk, Fd, Log } from '../system/types.ts'
import type { Entry } from './types.ts'

export type Ledger = Readonly<{
  record: (entry: Entry) => void
  /** Resolves when all that was recorded is on the medium. */
  sync: () => Promise<void>
  report: () => LedgerReport
  close: () => Promise<void>
}>

/** `waiting`: the disk refuses them, for the reason of `why`; each second they are tried again. `lost`: those, and those never sent, beyond a bound. */
export type LedgerReport = Readonly<{ waiting: number; lost: number; why: string | undefined }>

export type LedgerGiven = Readonly<{
  disk: Disk
  clock: Clock
  log: Log
  /** Nobody else writes there. */
  folder: string
  keepMs: () => number
}>

const SEGMENT = /^(\d{4}-\d{2}-\d{2})\.jsonl$/
const DAY_MS = 86_400_000
const SYNC_MS = 1_000
/** While the disk refuses them; about 4 MB. */
const MOST_WAITING = 10_000
/** Those sent are bounded by the provider's limits; those that a client gives up before that, by nothing. Of one agent, a day. */
const MOST_UNSENT = 10_000
const LINE_FEED = 10

type Open = { fd: Fd; day: string; path: string; bytes: number; isDirty: boolean }

export function openLedger({ disk, clock, log, folder, keepMs }: LedgerGiven): Ledger {
  let open: Open | undefined
  /** No longer written; closed once they are on the medium. */
  let left: Open[] = []
  let isFolderDirty = false
  let waiting: { day: string; line: string }[] = []
  /** A write failed: half of it may be there. */
  let isTorn = false
  let unsent = { day: '', of: new Map<Name, number>() }
  let lost = 0
  let why: string | undefined
  let planned: Cancel | undefined
  let running: Promise<void> = Promise.resolve()

  function failed(cause: unknown): void {
    if (why === undefined) log('error', 'the gateway cannot write its ledger, and tries again', { folder, why: String(cause) })
    why = String(cause)
  }

  function write(): void {
    while (waiting[0]) {
      const { day } = waiting[0]
      const other = waiting.findIndex((one) => one.day !== day)
      const count = other < 0 ? waiting.length : other
      const lines = waiting.slice(0, count).map(({ line }) => `${line}\n`)
      const data = Buffer.from(lines.join(''))
      const file = openDay(day)
      isTorn = true
      disk.append(file.fd, data)
      isTorn = false
      file.bytes += data.length
      file.isDirty = true
      waiting = waiting.slice(count)
    }
  }

  function openDay(day: string): Open {
    if (open?.day === day && isTorn) mend(open)
    if (open?.day === day) return open
    leave()
    forget()
    const path = `${folder}/${day}.jsonl`
    const fd = disk.openAppend(path, 0o600)
    try {
      const bytes = disk.fstat(fd).size
      if (bytes > 0 && !hasEnd(path, bytes)) disk.append(fd, '\n')
    } catch (cause) {
      disk.close(fd)
      throw cause
    }
    isFolderDirty = true
    open = { fd, day, path, bytes: disk.fstat(fd).size, isDirty: false }
    return open
  }

  /** Takes away what is about to be written again. A file that somebody removed, to make room, is begun anew. */
  function mend(file: Open): void {
    if (disk.fstat(file.fd).links === 0) leave()
    else disk.truncate(file.path, file.bytes)
  }

  function hasEnd(path: string, bytes: number): boolean {
    const fd = disk.openRead(path)
    try {
      return disk.read(fd, 1, bytes - 1)[0] === LINE_FEED
    } finally {
      disk.close(fd)
    }
  }

  function leave(): void {
    if (open) left.push(open)
    open = undefined
    isTorn = false
  }

  function forget(): void {
    const from = new Date(Math.max(0, clock.now() - keepMs())).toISOString().slice(0, 10)
    for (const { name } of disk.list(folder)) {
      const day = SEGMENT.exec(name)?.[1]
      if (day === undefined || day >= from) continue
      try {
        disk.unlink(`${folder}/${name}`)
      } catch (cause) {
        log('warn', 'a day of the ledger is past the retention time and cannot be taken away', { file: `${folder}/${name}`, why: String(cause) })
      }
    }
  }

  async function syncOnce(): Promise<void> {
    write()
    const past = left
    left = []
    const files = [...past, ...(open ? [open] : [])].filter(({ isDirty }) => isDirty)
    for (const file of files) file.isDirty = false
    try {
      await Promise.all(files.map(({ fd }) => disk.syncData(fd)))
      if (isFolderDirty) await disk.syncPath(folder)
      isFolderDirty = false
    } catch (cause) {
      for (const file of files) file.isDirty = true
      left = [...past, ...left]
      throw cause
    }
    for (const { fd } of past) disk.close(fd)
  }

  function sync(): Promise<void> {
    const mine = running.then(syncOnce).then(() => {
      if (why !== undefined) log('info', 'the gateway writes its ledger again', { folder })
      why = undefined
    })
    running = mine.catch(failed)
    return mine
  }

  function plan(): void {
    planned ??= clock.after(SYNC_MS, () => {
      planned = undefined
      sync().catch(plan)
    })
  }

  /** Beyond the bound an agent that gives up one request after another would fill the disk. */
  function isTooMany({ at, agent, tries }: Entry): boolean {
    if (tries > 0) return false
    const day = at.slice(0, 10)
    if (day !== unsent.day) unsent = { day, of: new Map() }
    const count = (unsent.of.get(agent) ?? 0) + 1
    unsent.of.set(agent, count)
    if (count === MOST_UNSENT + 1)
      log('warn', 'requests that are given up before they are sent are not recorded any more today', { agent, recorded: MOST_UNSENT })
    return count > MOST_UNSENT
  }

  return {
    record: (entry) => {
      if (isTooMany(entry)) {
        lost++
        return
      }
      waiting.push({ day: entry.at.slice(0, 10), line: JSON.stringify(entry) })
      plan()
      if (why === undefined) {
        try {
          return write()
        } catch (cause) {
          failed(cause)
        }
      }
      if (waiting.length > MOST_WAITING) {
        waiting.shift()
        lost++
      }
    },
    sync,
    report: () => ({ waiting: waiting.length, lost, why }),
    close: async () => {
      planned?.()
      try {
        await sync()
      } finally {
        leave()
        for (const { fd } of left) disk.close(fd)
        left = []
      }
    },
  }
}

/** The days that there are, oldest first. */
export function daysIn(disk: Disk, folder: string): readonly Readonly<{ path: string; fromMs: number; toMs: number }>[] {
  return disk
    .list(folder)
    .flatMap(({ name, kind }) => {
      const fromMs = kind === 'file' ? Date.parse(SEGMENT.exec(name)?.[1] ?? '') : Number.NaN
      return Number.isNaN(fromMs) ? [] : [{ path: `${folder}/${name}`, fromMs, toMs: fromMs + DAY_MS }]
    })
    .sort((a, b) => a.fromMs - b.fromMs)
}
