/** The journal's events: facts, kept for ever, one JSON line each. No bodies, no secrets. */
import type { MessageId } from './ids.ts'
import type { Kind, Settles, Via } from './message.ts'
import type { Name } from './names.ts'
import type { Folder, Status } from './status.ts'

/** A copy as the journal first records it: enough to know the message again without reading it. */
export type CopyFact = Readonly<{
  id: MessageId
  to: Name
  kind: Kind
  file: string
  subject: string
  priority: string
  rank: number
}>

export type Admission = Readonly<{
  event: 'admitted'
  /** The drop's own id: one per file taken, whatever becomes of it. */
  drop: MessageId
  /** Made by the daemon itself (bounces, alerts, canaries, notes of deadlines): not a drop in the accounting. */
  internal?: true
  /** What an internal message must not be made twice for. */
  key?: string
  from: string
  via: Via
  origin?: string
  ref?: string
  reminder?: boolean
  sha256: string
  thread: MessageId
  hops: number
  in_reply_to?: MessageId
  settles?: Settles
  due?: string
  expires?: string
  /** Where the ids do not tell it: the clock was stepped. */
  created?: string
  name: string
  copies: readonly CopyFact[]
}>

export type Event =
  | Admission
  | Readonly<{ event: 'held'; drop: MessageId; code: string; from: string; name: string; held: string }>
  | Readonly<{ event: 'repeat'; drop: MessageId; from: string; ref: string; of: MessageId }>
  | Readonly<{ event: 'released'; held: string }>
  | Readonly<{
      event: 'delivered'
      id: MessageId
      to: Name
      file: string
      /** The file as it was placed, so that a later daemon knows it again without reading it: inode, size, times. */
      mark?: string
      hash?: string
    }>
  | Readonly<{
      event: 'status'
      id: MessageId
      holder: Name
      was: Status | null
      status: Status | null
      folder: Folder
      by: string
      /** The `updated` value that goes with this state: how an edit of an older version is recognised. */
      updated: string
      /** The file as it was agreed on: inode, size, times. */
      mark?: string
      why?: string
    }>
  | Readonly<{ event: 'set'; id: MessageId; by: string; priority?: string; rank?: number; due?: string; file: string }>
  | Readonly<{ event: 'answered'; id: MessageId; reply: MessageId }>
  | Readonly<{ event: 'blocked'; id: MessageId; on: readonly string[] }>
  | Readonly<{ event: 'run-started'; run: string; id: MessageId; agent: Name; attempt: number }>
  | Readonly<{ event: 'run-ended'; run: string; id: MessageId; agent: Name; how: string; attempt: boolean; retry_at?: string }>
  | Readonly<{ event: 'alert'; code: string; about: string; agent?: string; state: 'raised' | 'closed' }>
  | Readonly<{ event: 'escalated'; id: MessageId; level: number; code: string }>
  | Readonly<{ event: 'daemon'; state: 'started' | 'stopped' | 'config' | 'paused' | 'resumed' | 'gave'; what: string }>

/** As it stands in a segment: the event with its time. */
export type Entry = Event & Readonly<{ at: string }>
export type AdmittedEntry = Admission & Pick<Entry, 'at'>
