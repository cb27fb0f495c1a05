import type { Complaint, FaultCode } from '../core/fault.ts'
import type { MessageId } from '../core/ids.ts'
import type { Kind, Settles, Value, Via } from '../core/message.ts'
import type { Name } from '../core/names.ts'
import type { PriorityRule } from '../core/priority.ts'
import type { Status } from '../core/status.ts'

/** The message that is answered. */
export type Parent = Readonly<{
  id: MessageId
  thread: MessageId
  hops: number
  holder: Name
  from: string
  origin: Via
  kind: Kind
  subject: string
  /** null: a note. */
  status: Status | null
  settled: boolean
}>

/** Messages of a thread admitted in the last hour: in all, of this sender, and of how many senders, this one among them. */
export type Pace = Readonly<{ all: number; own: number; senders: number }>

/** What judging needs to know of other messages. `later`: not known yet, the ledger is still being read. */
export type Asked = Readonly<{
  /** `among`: several messages that the asker got bear this ref. */
  parent: (idOrRef: string, asker: string) => Parent | undefined | 'later' | Readonly<{ among: readonly MessageId[] }>
  refSeen: (from: string, ref: string) => { sha256: string; id: MessageId } | undefined | 'later'
  threadPace: (thread: MessageId, from: string) => Pace
  load: (holder: Name) => number
  wroteBefore: (holder: Name, to: string) => boolean
  /** Whether a mailbox takes another message. */
  room: (holder: Name) => boolean
  nowMs: number
}>

export type AdmitPlan = Readonly<{
  to: readonly Readonly<{ holder: Name; kind: Kind }>[]
  /** Names of files to find, copy and hash. */
  attach: readonly string[]
  subject: string
  priority: PriorityRule
  /** Keys every copy gets, in order; undefined removes one. */
  stamp: Readonly<Record<string, Value | undefined>>
  /** undefined: the first copy's id. */
  thread: MessageId | undefined
  hops: number
  origin: Via
  ref: string | undefined
  inReplyTo: Parent | undefined
  settles: Settles | undefined
  due: string | undefined
  expires: string | undefined
  /** A message to oneself that was to wait: it may wake its own sender. */
  reminder: boolean
  /** A word in the file's name that reads like a priority and is not the message's. */
  misleadingName: string | undefined
}>

export type Verdict =
  | { verdict: 'admit'; plan: AdmitPlan }
  | { verdict: 'hold'; code: FaultCode; complaints: readonly Complaint[]; hops: number }
  | { verdict: 'repeat'; ref: string; of: MessageId }
  /** `attach`: the files it will send are waited for with it. */
  | { verdict: 'wait'; againMs: number; attach: readonly string[]; full?: Name }
