/** One row of the table of hostile drops: what is planted, where, and what an outsider must be able to see of it. */
import type { Hand } from './hand.ts'

/** system: the attacker has a uid of its own. user: it has the daemon's. */
export type Mode = 'system' | 'user'
export type Place = 'spool' | 'outbox'

/** What lies outside the attacker's reach, made anew for each row; each secret holds a canary of its own. */
export type Outside = Readonly<{
  /** A whole message to the recipient, so that a daemon that follows a link to it has something to deliver. */
  secret: string
  /** Plain text. */
  text: string
  /** To be changed by nobody. */
  victim: string
  /** Holds `inside.md`, a message, and `inside.txt`. */
  folder: string
  /** As `secret`, for hard links: those change the times of what they name. */
  linked: string
}>

export type Plan = Readonly<{
  mode: Mode
  place: Place
  /** Where the row is known by: a word that is nowhere else. It begins every name that is planted. */
  token: string
  /** The folder that is watched for drops. */
  drop: string
  /** The attacker's workspace: new/ cur/ done/ outbox/ home/. */
  workspace: string
  /** A folder of the attacker's outside all mail, on the same file system. */
  own: string
  outside: Outside
  /** The attacker's processes. */
  hand: Hand
  /** Whoever may do anything: only where the attacker's uid is not allowed to, and something else could have. */
  root: Hand
  /** A path in `drop`; without an ending that of a message. */
  name: (ending?: string) => string
  /** A message to the recipient: lines of front matter beside `to:`, and its body. */
  message: (lines?: string, body?: string) => string
  /** Who gets good mail. */
  recipient: string
  /** Delivers a message to the attacker and returns its path in new/, and what alerts call it. */
  receive: () => Promise<Readonly<{ path: string; file: string; id: string }>>
}>

export type Outcome = Readonly<{
  /** An alert names it within so many milliseconds; undefined: none is needed. */
  alertMs?: number
  /** Whether something that names the row may, must or must never come to the recipient. */
  delivered: 'never' | 'may' | 'must'
  /** Why that is right, where it is not simply refused at once. */
  because?: string
}>

export type Case = Readonly<{
  what: string
  /** A list that it returns is by what else than its token an alert may name it. */
  plant: (plan: Plan) => Promise<unknown>
  outcome: Outcome | ((where: Readonly<{ mode: Mode; place: Place }>) => Outcome)
  /** Default: both. */
  places?: readonly Place[]
  /** It works for a while: good mail is sent meanwhile. */
  race?: boolean
  /** It changes a folder that others need: it has a batch of its own kind, in which rows that change the same follow each other. */
  changes?: string
  /** Nobody but root can plant it, in whichever mode. */
  byRoot?: true
  leftOut?: Readonly<Partial<Record<Mode, string>>>
}>

export const WITHIN_MS = 2_000

/** Page 5: an alert that names it within 2 s. */
export const REFUSED: Outcome = { alertMs: WITHIN_MS, delivered: 'never' }

export function refusedBy(alertMs: number, because: string): Outcome {
  return { alertMs, delivered: 'never', because }
}

export function delivered(because: string): Outcome {
  return { delivered: 'must', because }
}

/** Only what holds for every row: nothing read, nothing changed, nobody delayed. */
export function harmless(because: string): Outcome {
  return { delivered: 'may', because }
}

/** For what is no message and no part of one: page 2. */
export const STRAY = refusedBy(12_000, 'a stray is told after 10 s')
export const MISSING = refusedBy(12_000, 'a message waits 10 s for its attachments')
export const UNFINISHED = refusedBy(7_000, 'it may still be written: told after 5 s')
