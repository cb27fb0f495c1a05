/** What the daemon remembers of all mail: rebuilt from a snapshot and the journal, and kept current by the journal's own events. */
import type { Accounting } from '../core/control.ts'
import type { CopyFact, Entry } from '../core/event.ts'
import { idTimeMs, type MessageId } from '../core/ids.ts'
import { isSettled, type Status } from '../core/status.ts'
import { ownText } from '../core/text.ts'
import type { Journal, Position } from '../journal/index.ts'
import type { Ledger, Mail } from '../mailbox/index.ts'
import type { Clock, Ids } from '../system/types.ts'
import { makeRebuild, sharing } from './rebuild.ts'

export type RefSeen = Readonly<{ from: string; ref: string; sha256: string; copies: readonly Readonly<{ id: MessageId; to: string }>[] }>

export type State = Readonly<{
  ledger: Ledger
  refs: ReadonlyMap<string, RefSeen>
  /** Copies that this holder got under this ref, whoever sent them. */
  receivedAs: (holder: string, ref: string) => readonly MessageId[]
  /** Letters of the daemon by key. */
  keys: ReadonlyMap<string, MessageId>
  /** Forgets refs of messages that are settled and older, and what no letter is asked for again. */
  expire: (refsOlderThanMs: number) => void
  accounting: () => Accounting
  /** Senders of the messages of a thread that were admitted in the last hour, one for each. */
  sendersOf: (thread: MessageId) => readonly string[]
  /** Whether `from` ever wrote to `to`. */
  wrote: (from: string, to: string) => boolean
  /** One event of the past. */
  replay: (entry: Entry) => void
  restore: (head: KeptHead) => void
  restoreMail: (kept: Mail) => void
  head: (position: Position) => KeptHead
}>

/** First line of a snapshot; each further line is a message. */
export type KeptHead = Readonly<{
  /** Where the journal goes on. */
  position: Position
  counts: Counts
  refs: readonly RefSeen[]
  keys: readonly (readonly [string, MessageId])[]
  threads: readonly (readonly [MessageId, readonly (number | Sent)[]])[]
  pairs: readonly string[]
}>
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
/** Snapshots of before had only the times: as if each were of a sender of its own. */
const asSent = (kept: number | Sent, index: number): Sent => (typeof kept === 'number' ? [kept, `unknown ${index}`] : kept)

const HOUR_MS = 3_600_000
/** A letter is not asked for again later than this. */
const KEYS_LAST_MS = 7 * 24 * HOUR_MS

/** However many are sent within the retention time; the oldest go first. */
const MOST_REFS = 500_000
const MOST_KEYS = 100_000

const pairKey = (from: string, to: string): string => `${from} ${to}`
export const refKey = (from: string, ref: string): string => `${from} ${ref}`

export function createState(clock: Clock, ids: Ids, journal: Journal, ledger: Ledger): State {
  const refs = new Map<string, RefSeen>()
  const received = new Map<string, readonly MessageId[]>()
  const keys = new Map<string, MessageId>()
  const threads = new Map<MessageId, readonly Sent[]>()
  const pairs = new Set<string>()
  const counts: Counts = { admitted: 0, held: 0, repeats: 0, tasks: 0, notes: 0, settled: 0, bounces: 0, alerts: 0, canaries: 0 }

  const rebuild = makeRebuild(ledger, journal)

  function keepRef(seen: RefSeen): void {
    const key = refKey(seen.from, seen.ref)
    dropRef(key)
    refs.set(key, seen)
    for (const { id, to } of seen.copies) received.set(refKey(to, seen.ref), [...(received.get(refKey(to, seen.ref)) ?? []), id])
    const [oldest] = refs.keys()
    if (refs.size > MOST_REFS && oldest !== undefined) dropRef(oldest)
  }

  function dropRef(key: string): void {
    const seen = refs.get(key)
    refs.delete(key)
    for (const { id, to } of seen?.copies ?? []) {
      const left = (received.get(refKey(to, seen?.ref ?? '')) ?? []).filter((other) => other !== id)
      if (left.length > 0) received.set(refKey(to, seen?.ref ?? ''), left)
      else received.delete(refKey(to, seen?.ref ?? ''))
    }
  }

  function keepKey(key: string, id: MessageId): void {
    keys.set(key, id)
    const [oldest] = keys.keys()
    if (keys.size > MOST_KEYS && oldest !== undefined) keys.delete(oldest)
  }

  function expire(refsOlderThanMs: number): void {
    for (const [key, { copies }] of refs) if (copies.every(({ id }) => idTimeMs(id) < refsOlderThanMs && !ledger.get(id))) dropRef(key)
    for (const [key, id] of keys) if (idTimeMs(id) <= clock.now() - KEYS_LAST_MS) keys.delete(key)
  }

  /** Counters and indexes: for past events and for those that are recorded now. */
  function count(entry: Entry): void {
    switch (entry.event) {
      case 'admitted': {
        if (!entry.internal) counts.admitted++
        if (entry.ref !== undefined)
          keepRef({ from: entry.from, ref: ownText(entry.ref), sha256: entry.sha256, copies: entry.copies.map(({ id, to }) => ({ id, to })) })
        const [first] = entry.copies
        if (entry.key !== undefined && first) keepKey(entry.key, first.id)
        for (const copy of entry.copies) countCopy(copy)
        for (const { to } of entry.copies) pairs.add(pairKey(entry.from, to))
        if (entry.from !== 'pennypost') threads.set(entry.thread, [...(threads.get(entry.thread) ?? []), [Date.parse(entry.at), entry.from]])
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
    refs,
    receivedAs: (holder, ref) => received.get(refKey(holder, ref)) ?? [],
    keys,
    expire,
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
      for (const seen of head.refs) if (!refs.has(refKey(seen.from, seen.ref))) keepRef(seen)
      for (const [key, id] of head.keys) keepKey(key, id)
      for (const [thread, sent] of head.threads) threads.set(thread, [...sent.map(asSent), ...(threads.get(thread) ?? [])])
      for (const pair of head.pairs) pairs.add(pair)
    },
    restoreMail: (kept) => {
      ids.after(kept.id)
      if (!ledger.get(kept.id)) ledger.add(sharing(kept))
    },
    head: (position) => {
      for (const [thread, at] of threads) if (recent(at).length === 0) threads.delete(thread)
      return {
        position,
        counts: { ...counts },
        refs: [...refs.values()],
        keys: [...keys].filter(([, id]) => idTimeMs(id) > clock.now() - KEYS_LAST_MS),
        threads: [...threads].map(([thread, at]) => [thread, recent(at)] as const),
        pairs: [...pairs],
      }
    },
  }
}
