/** Whether a task is late, by which clock, and how many times over. */
import type { PriorityScheme } from '../core/priority.ts'
import type { Mail } from '../mailbox/index.ts'
import type { CountedTime } from './counted.ts'

export type LateCode = 'stuck-new' | 'stuck-cur' | 'overdue'
/** Once: its holder is told; twice the time: the manager; three times: the postmaster (contract, page 3). */
export const LEVELS = [1, 2, 3] as const
export type Level = (typeof LEVELS)[number]

export type Lateness = Readonly<{
  /** `overdue` as soon as the date of the sender has passed, else how it is stuck. */
  code: LateCode
  /** 0: not late by this clock. */
  stuck: Level | 0
  due: Level | 0
  dueMs: number | undefined
}>

/** How many spellings of moments are kept parsed; most tasks share a few. */
const MOST_MOMENTS = 10_000
const moments = new Map<string, number>()

/** Milliseconds since 1970; undefined where there is none (admission lets no other text through). */
export function momentMs(text: string | undefined): number | undefined {
  if (text === undefined) return undefined
  const known = moments.get(text)
  const ms = known ?? Date.parse(text)
  if (known === undefined) {
    if (moments.size >= MOST_MOMENTS) moments.clear()
    moments.set(text, ms)
  }
  return Number.isNaN(ms) ? undefined : ms
}

/**
 * `claim_within` runs from admission or the last time the task was opened, `finish_within` from the claim. While a task is
 * blocked neither runs, and when it is unblocked its clock begins anew; `due` goes on in every state, also while the holder
 * is paused or the daemon is down. Both clocks are looked at: whichever passes first makes the task late.
 */
export function latenessOf(mail: Mail, scheme: PriorityScheme, time: CountedTime, nowMs: number): Lateness | undefined {
  const rule = scheme.byName.get(mail.priority) ?? scheme.fallback
  const dueMs = momentMs(mail.due)
  const stuck = mail.status === 'blocked' ? 0 : timesOver(mail, mail.status === 'open' ? rule.claimWithinMs : rule.finishWithinMs, time, nowMs)
  // A date has no length to double but the time that was given for it, and where that was none, the time to claim.
  const given = dueMs === undefined ? 0 : Math.max(dueMs - mail.createdMs, rule.claimWithinMs, 1)
  const due = dueMs === undefined || nowMs < dueMs ? 0 : level(1 + Math.floor((nowMs - dueMs) / given))
  if (stuck === 0 && due === 0) return undefined
  return { code: due > 0 ? 'overdue' : mail.status === 'open' ? 'stuck-new' : 'stuck-cur', stuck, due, dueMs }
}

function timesOver(mail: Mail, withinMs: number, time: CountedTime, nowMs: number): Level | 0 {
  const startMs = time.startMs(mail)
  // Most tasks are not late even if all time counted: nothing more is asked about them.
  if (nowMs - startMs < withinMs) return 0
  return level(Math.floor((nowMs - startMs - time.lostMs(mail.holder, startMs)) / Math.max(withinMs, 1)))
}

function level(times: number): Level | 0 {
  return times >= 3 ? 3 : times === 2 ? 2 : times === 1 ? 1 : 0
}
