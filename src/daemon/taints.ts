/**
 * What came from outside the organisation marks what it leads to: the thread it is in, whichever message of it is answered, and what an
 * agent sends in a run for it, days later too. From the journal alone, so that it is the same after a crash.
 */
import type { Entry } from '../core/event.ts'
import type { MessageId } from '../core/ids.ts'
import type { Via } from '../core/message.ts'
import { isOutside, leastTrusted } from '../core/trust.ts'
import type { Ledger, Mail } from '../mailbox/index.ts'

export type Taints = Readonly<{
  see: (entry: Entry) => void
  /** The least trusted origin of the message and its thread so far. */
  originOf: (mail: Pick<Mail, 'via' | 'origin' | 'thread'>) => Via
  /** What a run of this agent at that moment (wall time, milliseconds) had read that came from outside; undefined: nothing. */
  ofRun: (agent: string, atMs: number) => Via | undefined
  kept: () => Iterable<Taint>
  restore: (taint: Taint) => void
}>

/** A run's `to` is null while it is under way. */
export type Taint = Readonly<{ thread: MessageId; origin: Via } | { agent: string; id: MessageId; from: number; to: number | null; origin: Via }>
type Span = { readonly agent: string; readonly id: MessageId; from: number; to: number | null; origin: Via }

export type TaintsGiven = Readonly<{
  ledger: Ledger
  /** Ids that a word of this holder's may mean. */
  meant: (holder: string, word: string) => readonly MessageId[]
}>

/** The kernel stamps files with the time of its last tick, up to 10 ms ago. */
const TICK_MS = 20
/** What a run left behind may still send, or was renamed by it in its last moment. */
const LINGER_MS = 5_000
/** The latest; a thread beyond them is known by the message that is answered alone. */
const MOST_THREADS = 20_000
/** Of one agent; earlier ones are counted as one long run. */
const MOST_RUNS = 1_000

export function makeTaints(given: TaintsGiven): Taints {
  const { ledger } = given
  const threads = new Map<MessageId, Via>()
  const byAgent = new Map<string, Span[]>()

  function mark(thread: MessageId, origin: Via): void {
    const known = threads.get(thread)
    threads.delete(thread)
    threads.set(thread, known === undefined ? origin : leastTrusted(origin, known))
    const [oldest] = threads.keys()
    if (threads.size > MOST_THREADS && oldest !== undefined) threads.delete(oldest)
  }

  const originOf: Taints['originOf'] = ({ via, origin, thread }) => leastTrusted(via, origin as Via | undefined, threads.get(thread))

  function began(mail: Mail, atMs: number): void {
    const origin = leastTrusted(originOf(mail), ...repliesTo(mail).map(originOf))
    if (!isOutside(origin)) return
    keep({ agent: mail.holder, id: mail.id, from: atMs - TICK_MS, to: null, origin })
    // What it read goes on in the thread that it works on.
    mark(mail.thread, origin)
  }

  /** Unread answers to what the task waited for are its run's to read. */
  function repliesTo({ holder, blockedOn }: Mail): Mail[] {
    if (blockedOn.length === 0) return []
    const waitedFor = new Set(blockedOn.flatMap((word) => [word, ...given.meant(holder, word)]))
    return [...ledger.of(holder).values()].filter(({ folder, status, inReplyTo }) => folder === 'new' && status === null && waitedFor.has(inReplyTo ?? ''))
  }

  function keep(span: Span): void {
    const spans = byAgent.get(span.agent) ?? []
    byAgent.set(span.agent, spans)
    spans.push(span)
    const [first, second] = spans
    if (spans.length <= MOST_RUNS || !first || !second) return
    spans.splice(0, 2, { ...second, from: first.from, origin: leastTrusted(first.origin, second.origin) })
  }

  return {
    originOf,
    see: (entry) => {
      switch (entry.event) {
        case 'admitted': {
          const origin = (entry.origin ?? entry.via) as Via
          return isOutside(origin) ? mark(entry.thread, origin) : undefined
        }
        case 'status': {
          const mail = entry.folder === 'cur' && entry.by === `run:${entry.holder}` ? ledger.get(entry.id) : undefined
          return mail && began(mail, Date.parse(entry.at))
        }
        case 'run-ended':
          for (const span of byAgent.get(entry.agent) ?? []) if (span.id === entry.id) span.to ??= Date.parse(entry.at)
          return
        default:
          return
      }
    },
    ofRun: (agent, atMs) => {
      const during = (byAgent.get(agent) ?? []).filter(({ from, to }) => from <= atMs && atMs <= (to ?? Number.POSITIVE_INFINITY) + LINGER_MS)
      const [first, ...more] = during.map(({ origin }) => origin)
      return first && leastTrusted(first, ...more)
    },
    kept: function* () {
      for (const [thread, origin] of threads) yield { thread, origin }
      for (const spans of byAgent.values()) yield* spans
    },
    restore: (taint) => {
      if ('thread' in taint) mark(taint.thread, taint.origin)
      else keep({ ...taint })
    },
  }
}
