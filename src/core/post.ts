/** What rooms of one floor ask of each other, handed to them by the daemon that wires them. */
import type { Fault, FaultCode } from './fault.ts'
import type { MessageId } from './ids.ts'
import type { Kind, Settles } from './message.ts'
import type { Name } from './names.ts'
import type { Actor, Status } from './status.ts'

/** Mail the daemon itself makes: bounces, notes of deadlines, what a run printed. */
export type Letter = Readonly<{
  /** Two letters with one key are one letter, also over a crash. */
  key: string
  from: Name | 'pennypost'
  to: Name
  kind: Kind
  subject: string
  body: string
  priority?: string
  inReplyTo?: MessageId
  /** Where it answers nothing, but is caused by something; default 0. */
  hops?: number
  settles?: Settles
}>

/** Resolves when the letter is sealed: from then on it arrives. */
export type Submit = (letter: Letter) => Promise<MessageId>

export type Raise = (fault: Fault) => void
/** Closes the condition that `raise` opened with this code and about. */
export type Clear = (code: FaultCode, about: string) => void
/** Closes every condition with this code but those about one of `keep`: for conditions that are computed as a whole. */
export type ClearAll = (code: FaultCode, keep: ReadonlySet<string>) => void

/** A change of status asked for by somebody other than the holder's own file. */
export type Change = Readonly<{
  id: MessageId
  to: Status
  actor: Actor
  /** Who, for the journal. */
  by: string
  result?: string
  progress?: string
  why?: string
  /** Only as a claim: refused where somebody has it in hand already. */
  claim?: true
}>
/** What became of it; `refused` carries the sentence to show. */
export type Changed = { outcome: 'changed'; was: Status } | { outcome: 'unchanged' } | { outcome: 'refused'; why: string } | { outcome: 'gone' }
export type Apply = (change: Change) => Promise<Changed>

/** What the settle room tells the others after a message changed. */
export type MailChanged = Readonly<{ id: MessageId; holder: Name; was: Status | null; now: Status | null; by: string }>
