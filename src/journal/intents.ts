/** What an intent says: all that is needed to carry it out again, without the drop and without the configuration of then. */
import type { Complaint, FaultCode } from '../core/fault.ts'
import type { MessageId } from '../core/ids.ts'
import type { Attachment, Kind, Settles, Value, Via } from '../core/message.ts'
import type { Name } from '../core/names.ts'

/**
 * Where a drop lay and which inode it was, so that recovery removes that one and no other. The device is told for people alone: its
 * number is "not necessarily consistent across reboots or system crashes" (POSIX, sys/stat.h).
 */
export type Source = Readonly<{
  /** Relative to the root. */
  folder: string
  name: string
  /** The name's bytes in base64 where they are not UTF-8. */
  raw?: string
  dev: number
  ino: number
  size: number
  mtimeMs: number
}>

export type SealedCopy = Readonly<{
  id: MessageId
  to: Name
  kind: Kind
  file: string
  /** Front matter of this copy alone. */
  stamp: Readonly<Record<string, Value | undefined>>
}>

export type AdmitIntent = Readonly<{
  act: 'admit'
  drop: MessageId
  at: string
  /** When it was made, where its ids do not tell: the clock was stepped. */
  created?: string
  boot: string
  source?: Source
  /** Made by the daemon; what it must not be made twice for. */
  key?: string
  from: Name | 'pennypost' | 'unknown'
  via: Via
  origin?: string
  name: string
  sha256: string
  /** The sender's text as it was. */
  text: string
  /** Front matter that every copy gets. */
  stamp: Readonly<Record<string, Value | undefined>>
  /** Keys of the sender's that no copy keeps: JSON, in which this is sealed, has no undefined. */
  removed?: readonly string[]
  subject: string
  priority: string
  rank: number
  thread: MessageId
  hops: number
  ref?: string
  reminder?: boolean
  inReplyTo?: MessageId
  settles?: Settles
  due?: string
  expires?: string
  /** Attachments; each copy has its own, in staging in `<copy>.files/`. */
  attachments: readonly Attachment[]
  /** Files to be removed with the drop. */
  files: readonly Source[]
  copies: readonly SealedCopy[]
}>

export type HoldIntent = Readonly<{
  act: 'hold'
  drop: MessageId
  at: string
  boot: string
  source: Source
  from: string
  code: FaultCode
  /** Name in spool/held/. */
  held: string
  /** Where it was dropped, for people. */
  folder: string
  name: string
  complaints: readonly Complaint[]
  /** As the message would have had: its bounce has them. Missing in intents of earlier versions. */
  hops?: number
}>

export type RepeatIntent = Readonly<{ act: 'repeat'; drop: MessageId; at: string; boot: string; source: Source; from: string; ref: string; of: MessageId }>

export type Intent = AdmitIntent | HoldIntent | RepeatIntent
