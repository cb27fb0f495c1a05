import type { Config } from '../core/config.ts'
import type { Event } from '../core/event.ts'
import type { Complaint, FaultCode } from '../core/fault.ts'
import type { MessageId } from '../core/ids.ts'
import type { Envelope, Kind, Settles, Value, Via } from '../core/message.ts'
import type { Name } from '../core/names.ts'
import type { Clear, Raise } from '../core/post.ts'
import type { AdmitIntent, HoldIntent, Intent, Sealed, Source } from '../journal/index.ts'
import type { Folders, Layout, Ledger, Mail } from '../mailbox/index.ts'
import type { Clock, Disk, Ids, Log, Owner } from '../system/types.ts'

/** A file as it lies in a drop folder, to be removed when its message is safe. */
export type Dropped = Readonly<{
  source: Source
  /** True while nobody asked to write to it since it was read. */
  untouched: () => boolean
  letGo: () => void
}>

/** What is delivered: a judged plan with everything that is not a matter of judgement already looked up. */
export type Delivery = Readonly<{
  envelope: Envelope
  text: string
  to: readonly Readonly<{ holder: Name; kind: Kind }>[]
  attachments: readonly FoundAttachment[]
  subject: string
  priority: string
  rank: number
  stamp: Readonly<Record<string, Value | undefined>>
  thread: MessageId | undefined
  hops: number
  origin: Via
  ref?: string | undefined
  inReplyTo?: MessageId | undefined
  settles?: Settles | undefined
  due?: string | undefined
  expires?: string | undefined
  reminder?: boolean
  /** For mail the daemon makes. */
  key?: string | undefined
}>

/** A file a message names: open, complete, held. */
export type FoundAttachment = Readonly<{
  name: string
  fd: number
  /** Removed with the drop; undefined for files of the sender's home. */
  source: Source | undefined
  letGo: () => void
}>

/** `hops`: as the message would have had. */
export type Refusal = Readonly<{ envelope: Envelope; code: FaultCode; complaints: readonly Complaint[]; hops: number }>

export type Delivered = Readonly<{ drop: MessageId; mails: readonly Mail[]; intent: AdmitIntent }>

export type DeliverGiven = Readonly<{
  clock: Clock
  disk: Disk
  ids: Ids
  log: Log
  bootId: string
  layout: Layout
  pins: Folders
  sealed: Sealed
  ledger: Ledger
  record: (event: Event) => void
  /** Resolves when everything recorded so far is on the medium. */
  syncJournal: () => Promise<void>
  config: () => Config
  raise: Raise
  clear: Clear
  /** Owner of a message in this holder's mailbox, and of files given to it read-only; undefined in user mode. */
  mailOwner: (holder: Name) => Owner | undefined
  givenOwner: (holder: Name) => Owner | undefined
  /** Of what lies in spool/held/; undefined in user mode. */
  heldOwner: () => Owner | undefined
  /** Of these intents: ids of drops and copies that the journal knows already, and of copies it says are settled. */
  recorded: (intents: readonly Intent[]) => Readonly<{ known: ReadonlySet<MessageId>; settled: ReadonlySet<MessageId> }>
  /** Makes a holder's folders again when one is missing or was swapped. */
  repair: (holder: Name) => void
  /** A copy is in its mailbox. `text` is what was placed; undefined in recovery, where it may have been changed since. */
  placed: (mail: Mail, text: string | undefined) => void
  /** A file was moved to spool/held/ (again, after a crash): somebody must be told. Idempotent. */
  held: (intent: HoldIntent) => void
  /** What a message brings about besides lying there; the intent stays open until it has. Called again for the same intent after a crash, or when it rejects: must be idempotent. */
  done: (delivered: Delivered) => Promise<void>
}>
