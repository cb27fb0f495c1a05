import { addressable, type Config } from '../core/config.ts'
import type { Complaint, FaultCode, Spot } from '../core/fault.ts'
import { type Draft, type Envelope, type Kind, MOST_HOPS, type Value } from '../core/message.ts'
import { type Name, nearest } from '../core/names.ts'
import { findPriority, misleadingWord } from '../core/priority.ts'
import { counted, showSafely } from '../core/text.ts'
import { formatTime, parseMoment } from '../core/time.ts'
import { leastTrusted } from '../core/trust.ts'
import { defaultSubject, type MessageText, readDraft } from '../message/index.ts'
import type { AdmitPlan, Asked, Pace, Parent, Verdict } from './types.ts'

/** Of one thread: a conversation between programs that goes on for ever is cut here (contract, page 3). */
const MOST_AN_HOUR = 50
const LEDGER_AGAIN_MS = 100
const FULL_AGAIN_MS = 1_000
/** Timers and listings come round at least this often. */
const LONGEST_WAIT_MS = 60_000

export type RouteResult =
  | { ok: true; holders: readonly Name[] }
  | { ok: false; problems: readonly { code: FaultCode; what: string; near?: string | undefined }[] }
/** Neighbour room, handed in by the daemon. */
export type Route = (addresses: readonly string[], from: string, asked: Asked) => RouteResult

export function judge(envelope: Envelope, message: MessageText, config: Config, asked: Asked, route: Route): Verdict {
  const { draft, complaints: shape } = readDraft(message)
  const complaints: Complaint[] = [...shape]
  const spot = (key: string): Spot | undefined => message.spots.get(key)
  const complain = (code: FaultCode, key: string, what: string, near?: string): void =>
    void complaints.push({ code, spot: spot(key), what, ...(near === undefined ? {} : { near }) })

  if (draft.claimedFrom !== undefined && draft.claimedFrom !== envelope.from)
    complain('forged-sender', 'from', `says it is from "${draft.claimedFrom}", but it came from ${envelope.from}`)
  const priority = findPriority(config.priorities, draft.priority)
  if ('unknown' in priority)
    complain('unknown-priority', 'priority', `unknown priority "${priority.unknown}"; known are ${priority.known.join(', ')}`, priority.near)

  const times = readTimes(draft, config.org.timezone, complain)
  const addresses = addressesOf(envelope, draft, config, complain, (key) => shape.some(({ spot: at }) => at !== undefined && at === spot(key)))
  if (draft.attach.length > config.org.limits.attachments)
    complain('bad-value', 'attach', `${counted(draft.attach.length, 'attachment')}; at most ${config.org.limits.attachments}`)

  const found = draft.inReplyTo === undefined ? undefined : asked.parent(draft.inReplyTo, envelope.from)
  // What is wrong already is told at once, as far as it can be judged yet.
  const { attach } = draft
  if (found === 'later') return complaints.length > 0 ? hold(complaints, hopsFrom(envelope, undefined)) : { verdict: 'wait', againMs: LEDGER_AGAIN_MS, attach }
  const parent = found && 'among' in found ? undefined : found
  if (found && 'among' in found)
    complain('bad-value', 'in_reply_to', `"${draft.inReplyTo}" is the ref of several messages; give the id of one: ${found.among.join(', ')}`)
  else if (draft.inReplyTo !== undefined && !parent) complain('bad-value', 'in_reply_to', `no message "${draft.inReplyTo}" is known here`)
  if (parent && draft.settles) refuseSettling(envelope, draft.settles, parent, config, complain)

  const to = route(addresses.to, envelope.from, asked)
  const cc = route(draft.cc, envelope.from, asked)
  for (const [routed, key] of [
    [to, 'to'],
    [cc, 'cc'],
  ] as const) {
    if (!routed.ok) for (const { code, what, near } of routed.problems) complain(code, key, what, near)
  }
  const reminder = times.notBeforeMs !== undefined && envelope.arrivedMs !== undefined && times.notBeforeMs > envelope.arrivedMs
  const hops = hopsFrom(envelope, parent, reminder && to.ok && to.holders.every((holder) => holder === envelope.from))
  if (hops > MOST_HOPS) complain('loop', 'in_reply_to', describeLoop(parent, envelope))
  if (complaints.length > 0 || 'unknown' in priority || !to.ok || !cc.ok) return hold(complaints, hops)

  const again = repeated(envelope, draft, asked)
  if (again) return again.verdict === 'complain' ? hold([{ code: 'ref-reused', spot: spot('ref'), what: again.what }], hops) : again
  if (parent && isTooFast(asked.threadPace(parent.thread, envelope.from)))
    return hold([{ code: 'loop', spot: spot('in_reply_to'), what: `this thread has passed ${MOST_AN_HOUR} messages in an hour` }], hops)

  if (times.notBeforeMs !== undefined && times.notBeforeMs > asked.nowMs)
    return { verdict: 'wait', againMs: Math.min(LONGEST_WAIT_MS, times.notBeforeMs - asked.nowMs), attach }
  const recipients = recipientsOf(to.holders, cc.holders, kindOf(draft, message, parent))
  const full = recipients.find(({ holder }) => !asked.room(holder))
  if (full) return { verdict: 'wait', againMs: FULL_AGAIN_MS, attach, full: full.holder }

  const subject = draft.subject ?? defaultSubject(message, envelope.name)
  const origin = leastTrusted(envelope.via, parent?.origin, envelope.causeOrigin)
  const kind = recipients[0]?.kind ?? 'task'
  const stamp: Record<string, Value | undefined> = {
    from: envelope.from,
    via: envelope.via,
    origin,
    ...(draft.to.length === 0 ? { to: addresses.to.length === 1 ? (addresses.to[0] ?? '') : addresses.to } : {}),
    ...(draft.subject === undefined ? { subject } : {}),
    ...(message.values['priority'] === priority.rule.name ? {} : { priority: priority.rule.name }),
    ...(times.due === undefined ? {} : { due: times.due }),
    ...(parent && draft.inReplyTo !== parent.id ? { in_reply_to: parent.id } : {}),
    ...(draft.attach.length > 0 ? { attach: undefined } : {}),
    ...(message.values['status'] !== undefined && kind !== 'task' ? { status: undefined } : {}),
  }
  const plan: AdmitPlan = {
    to: recipients,
    attach: draft.attach,
    subject,
    priority: priority.rule,
    stamp,
    thread: parent?.thread,
    hops,
    origin,
    ref: draft.ref,
    inReplyTo: parent,
    settles: parent ? draft.settles : undefined,
    due: times.due,
    expires: times.expires,
    reminder,
    misleadingName: misleadingWord(config.priorities, envelope.name, priority.rule, draft.priority),
  }
  return { verdict: 'admit', plan }
}

type Complain = (code: FaultCode, key: string, what: string, near?: string) => void

/** The longer of two chains: of answers, and of messages whose runs sent the next. A clock (a reminder to oneself) is no hop. */
export function hopsFrom({ causeHops }: Envelope, parent: Parent | undefined, isClock = false): number {
  return Math.max(parent ? parent.hops + 1 : 0, causeHops === undefined ? 0 : causeHops + (isClock ? 0 : 1))
}

function describeLoop(parent: Parent | undefined, { from }: Envelope): string {
  if (parent && parent.hops >= MOST_HOPS) return `this thread has passed ${MOST_HOPS} hops`
  return `a chain of ${MOST_HOPS} messages, each sent by the run for the one before, has led to this one of ${from}`
}

/** The code of the first complaint names the file and its alert; all of them are told. */
function hold(complaints: readonly Complaint[], hops: number): Verdict {
  // Nobody should learn of a typing mistake first where the sender is not who it says it is, or where mail goes round for ever.
  const first = complaints.find(({ code }) => code === 'forged-sender') ?? complaints.find(({ code }) => code === 'loop') ?? complaints[0]
  const inOrder = complaints.toSorted((a, b) => Number(b === first) - Number(a === first))
  return { verdict: 'hold', code: first?.code ?? 'bad-value', complaints: inOrder, hops }
}

function readTimes(
  draft: Draft,
  timezone: string,
  complain: Complain,
): { due: string | undefined; expires: string | undefined; notBeforeMs: number | undefined } {
  const read = (key: string, text: string | undefined): { ms: number; text: string } | undefined => {
    if (text === undefined) return undefined
    const moment = parseMoment(text, timezone)
    if (!moment) complain('bad-value', key, `"${text}" is no date (2026-11-30) and no time (2026-11-30T17:00:00+01:00)`)
    return moment
  }
  const due = read('due', draft.due)
  const expires = read('expires', draft.expires)
  return { due: due?.text, expires: expires && formatTime(expires.ms), notBeforeMs: read('not_before', draft.notBefore)?.ms }
}

function addressesOf(envelope: Envelope, draft: Draft, config: Config, complain: Complain, isFaulty: (key: string) => boolean): { to: readonly string[] } {
  const { box } = envelope
  const known = addressable(config)
  if (box !== undefined && !known.includes(box)) {
    complain('unknown-recipient', 'to', `it lies in spool/${showSafely(box)}/, and nobody of that name is known`, nearest(box, known))
    return { to: [] }
  }
  if (box === undefined) {
    if (draft.to.length === 0 && !isFaulty('to')) complain('unknown-recipient', 'to', 'no `to:` says who this is for')
    return { to: draft.to }
  }
  if (draft.to.length > 0 && !draft.to.some((address) => address === box || address === `@${box}`)) {
    complain('bad-value', 'to', `it lies in the box of ${box}, but its \`to:\` is ${draft.to.join(', ')}`)
  }
  return { to: draft.to.length > 0 ? draft.to : [box] }
}

function refuseSettling(envelope: Envelope, settles: NonNullable<Draft['settles']>, parent: Parent, config: Config, complain: Complain): void {
  if (settles === 'no') return
  if (parent.status === null) return complain('bad-value', 'settles', `message ${parent.id} is a note; it has no status`)
  if (settles === 'open' || settles === 'cancelled') {
    const isSender = envelope.from === parent.from || envelope.from === config.org.postmaster
    if (!isSender) complain('not-permitted', 'settles', `only the sender of ${parent.id} or the postmaster may say settles: ${settles}`)
    return
  }
  if (envelope.from !== parent.holder) complain('not-permitted', 'settles', `only ${parent.holder}, who holds ${parent.id}, may settle it`)
}

/** One who writes much stops itself, and those who keep pace with it, but not the others of the thread. */
function isTooFast({ all, own, senders }: Pace): boolean {
  return all >= MOST_AN_HOUR && own >= MOST_AN_HOUR / Math.max(1, senders)
}

function repeated(
  envelope: Envelope,
  draft: Draft,
  asked: Asked,
): Exclude<Verdict, { verdict: 'admit' | 'hold' }> | { verdict: 'complain'; what: string } | undefined {
  if (draft.ref === undefined) return undefined
  const seen = asked.refSeen(envelope.from, draft.ref)
  if (seen === 'later') return { verdict: 'wait', againMs: LEDGER_AGAIN_MS, attach: draft.attach }
  if (!seen) return undefined
  if (seen.sha256 === envelope.sha256) return { verdict: 'repeat', ref: draft.ref, of: seen.id }
  return { verdict: 'complain', what: `ref "${draft.ref}" was used for another message (${seen.id})` }
}

/** An answer is a note unless it says it is a task; an answer to a settled task is a note whatever it says. */
function kindOf(draft: Draft, message: MessageText, parent: Parent | undefined): Kind {
  if (!parent) return draft.kind
  const answersSettled = parent.settled && draft.settles !== 'open'
  return answersSettled || message.values['kind'] === undefined ? 'note' : draft.kind
}

function recipientsOf(to: readonly Name[], cc: readonly Name[], kind: Kind): { holder: Name; kind: Kind }[] {
  const direct = to.map((holder) => ({ holder, kind }))
  return [...direct, ...cc.filter((holder) => !to.includes(holder)).map((holder) => ({ holder, kind: 'note' as const }))]
}
