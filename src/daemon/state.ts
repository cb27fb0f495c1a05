/** What the daemon remembers of all mail: rebuilt from a snapshot and the journal, and kept current by the journal's own events. */
import type { Accounting } from '../core/control.ts'
import type { CopyFact, Entry } from '../core/event.ts'
import type { MessageId } from '../core/ids.ts'
import { isSettled, type Status } from '../core/status.ts'
import type { Journal, Position } from '../journal/index.ts'
import type { Ledger, Mail } from '../mailbox/index.ts'
import type { Clock, Ids } from '../system/types.ts'
import type { Handles } from './handles.ts'
import { makeRebuild } from './rebuild.ts'
import { makeTaints, type Taint, type Taints } from './taints.ts'

export type State = Readonly<{
  ledger: Ledger
  handles: Handles
  accounting: () => Accounting
  /** Senders of the messages of a thread that were admitted in the last hour, one for each. */
  sendersOf: (thread: MessageId) => readonly string[]
  taints: Taints
  /** Whether `from` ever wrote to `to`. */
  wrote: (from: string, to: string) => boolean
  /** One event of the past. */
  replay: (entry: Entry) => void
  restore: (head: KeptHead) => void
  restoreLine: (line: KeptLine) => void
  /** The state at this place of the journal. Lines that are asked for later may be newer: replaying what came since changes nothing in them. */
  kept: (position: Position) => { head: KeptHead; lines: Iterable<KeptLine> }
}>

/** First line of a snapshot. */
export type KeptHead = Readonly<{
  version: typeof SNAPSHOT_VERSION
  /** Where the journal goes on. */
  position: Position
  counts: Counts
  /** There was a file of refs beside it: without that, it is half of the past. */
  hasHandles: boolean
}>
/** Each further line: none is long, so that reading or writing one holds up nobody. */
export type KeptLine = Readonly<{ mail: Mail } | { pair: string } | { thread: MessageId; sent: readonly Sent[] } | { handle: string } | { taint: Taint }>
export const SNAPSHOT_VERSION = 4
type Counts = {
  admitted: number
  held: number
  repeats: number
  tasks: number
  notes: number
  settled: number
  bounces: number
  alerts: number
  canaries: number
}

/** When (milliseconds) and by whom. */
type Sent = readonly [number, string]

const HOUR_MS = 3_600_000
/** Threads whose pace is known, the latest: more at once are no loop, and take about 4 MB. */
const MOST_THREADS = 20_000

const pairKey = (from: string, to: string): string => `${from} ${to}`

export function createState(clock: Clock, ids: Ids, journal: Journal, ledger: Ledger, handles: Handles): State {
  const threads = new Map<MessageId, readonly Sent[]>()
  const pairs = new Set<string>()
  const counts: Counts = { admitted: 0, held: 0, repeats: 0, tasks: 0, notes: 0, settled: 0, bounces: 0, alerts: 0, canaries: 0 }

  const rebuild = makeRebuild(ledger, journal)
  const taints = makeTaints({
    ledger,
    meant: (holder, word) => [...(handles.sent(holder, word)?.ids ?? []), ...handles.received(holder, word)],
  })

  function keepThread(thread: MessageId, sent: readonly Sent[]): void {
    threads.delete(thread)
    threads.set(thread, sent)
    const [oldest] = threads.keys()
    if (threads.size > MOST_THREADS && oldest !== undefined) threads.delete(oldest)
  }

  /** Counters and indexes: for past events and for those that are recorded now. */
  function count(entry: Entry): void {
    taints.see(entry)
    switch (entry.event) {
      case 'admitted': {
        if (!entry.internal) counts.admitted++
        handles.see(entry)
        for (const copy of entry.copies) countCopy(copy)
        for (const { to } of entry.copies) pairs.add(pairKey(entry.from, to))
        if (entry.from !== 'pennypost') keepThread(entry.thread, [...recent(threads.get(entry.thread) ?? []), [Date.parse(entry.at), entry.from]])
        return
      }
      case 'held':
        counts.held++
        return
      case 'repeat':
        counts.repeats++
        return
      case 'status':
        if (entry.was !== null && entry.status !== null) counts.settled += Number(isSettled(entry.status)) - Number(isSettled(entry.was))
        return
      default:
        return
    }
  }

  function countCopy({ to, kind }: CopyFact): void {
    if (String(to) === 'canary') counts.canaries++
    else if (kind === 'bounce') counts.bounces++
    else if (kind === 'alert') counts.alerts++
    else if (kind === 'note') counts.notes++
    else counts.tasks++
  }

  const recent = (sent: readonly Sent[]): readonly Sent[] => sent.filter(([ms]) => ms > clock.now() - HOUR_MS)

  journal.listen(count)
  return {
    ledger,
    handles,
    taints,
    accounting: () => {
      const now: Record<Status, number> = { open: 0, in_progress: 0, blocked: 0, done: 0, failed: 0, cancelled: 0 }
      for (const mail of ledger.all()) if (mail.status !== null) now[mail.status]++
      const { admitted, held, repeats, tasks, notes, settled, bounces, alerts, canaries } = counts
      const { open, in_progress, blocked } = now
      return {
        drops: admitted + held + repeats,
        admitted,
        held,
        repeats,
        copies: tasks + notes,
        open,
        in_progress,
        blocked,
        settled,
        notes,
        bounces,
        alerts,
        canaries,
      }
    },
    sendersOf: (thread) => recent(threads.get(thread) ?? []).map(([, from]) => from),
    wrote: (from, to) => pairs.has(pairKey(from, to)),
    replay: (entry) => {
      if (entry.event === 'admitted') for (const { id } of entry.copies) ids.after(id)
      count(entry)
      rebuild(entry)
    },
    restore: (head) => {
      // Added, not set: mail is admitted while the past is still being read.
      for (const name of Object.keys(counts) as (keyof Counts)[]) counts[name] += head.counts[name]
    },
    restoreLine: (line) => {
      if ('mail' in line) {
        ids.after(line.mail.id)
        if (!ledger.get(line.mail.id)) ledger.add(line.mail)
      } else if ('thread' in line) keepThread(line.thread, [...line.sent, ...(threads.get(line.thread) ?? [])])
      else if ('taint' in line) taints.restore(line.taint)
      else if ('pair' in line) pairs.add(line.pair)
      else handles.restore(Buffer.from(line.handle, 'base64').toString('latin1'))
    },
    kept: (position) => {
      for (const [thread, sent] of threads) if (recent(sent).length === 0) threads.delete(thread)
      return {
        head: { version: SNAPSHOT_VERSION, position, counts: { ...counts }, hasHandles: handles.hasFile() },
        lines: keptLines([...threads], handles.kept(), [...taints.kept()], [...ledger.all()]),
      }
    },
  }

  function* keptLines(
    busy: readonly (readonly [MessageId, readonly Sent[]])[],
    recentHandles: readonly string[],
    marked: readonly Taint[],
    mails: readonly Mail[],
  ): Generator<KeptLine> {
    for (const [thread, sent] of busy) yield { thread, sent: recent(sent) }
    for (const taint of marked) yield { taint }
    for (const pair of pairs) yield { pair }
    for (const record of recentHandles) yield { handle: Buffer.from(record, 'latin1').toString('base64') }
    for (const mail of mails) yield { mail }
  }
}
