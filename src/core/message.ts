/** Message and Envelope: what a sender says, and what the daemon knows. A value of the first never becomes the second. */
import type { Name } from './names.ts'
import type { Status } from './status.ts'

export const KINDS = ['task', 'note', 'alert', 'bounce', 'approval'] as const
export type Kind = (typeof KINDS)[number]
/** The kinds a sender may write; the others are the daemon's. */
export const SENDER_KINDS: readonly Kind[] = ['task', 'note']

export type Via = 'agent' | 'person' | 'schedule' | 'unknown' | 'daemon' | `bridge:${string}`

export type Attachment = Readonly<{ name: string; bytes: number; sha256: string }>

/** A value of front matter after the strict parser: plain data, no dates, no objects with prototypes. */
export type Value = string | number | boolean | null | readonly Value[] | { readonly [key: string]: Value }

export const KEYS_OF_SENDER = [
  'ref',
  'to',
  'cc',
  'subject',
  'kind',
  'priority',
  'due',
  'not_before',
  'expires',
  'in_reply_to',
  'settles',
  'attach',
  'request',
  'attest',
] as const
export const KEYS_OF_HOLDER = ['status', 'result', 'progress', 'blocked_on'] as const
export const KEYS_OF_DAEMON = ['id', 'from', 'via', 'origin', 'thread', 'answered', 'created', 'updated', 'attachments'] as const
export const KNOWN_KEYS: readonly string[] = [...KEYS_OF_SENDER, ...KEYS_OF_HOLDER, ...KEYS_OF_DAEMON]

export const MOST_SUBJECT = 200
// biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what this finds
const CONTROL = /[\u0000-\u001f\u007f-\u009f\u2028\u2029]/

/** One line of at most so many characters. */
export function isSubject(text: string): boolean {
  return !CONTROL.test(text) && (text.length <= MOST_SUBJECT || Array.from(text).length <= MOST_SUBJECT)
}

export const SETTLES = ['done', 'failed', 'blocked', 'no', 'open', 'cancelled'] as const
export type Settles = (typeof SETTLES)[number]

/** What the sender wrote, checked for shape alone: names are not yet resolved, times not yet judged. */
export type Draft = Readonly<{
  ref: string | undefined
  /** Written by the sender and only compared with the truth. */
  claimedFrom: string | undefined
  claimedStatus: Status | undefined
  to: readonly string[]
  cc: readonly string[]
  subject: string | undefined
  kind: Kind
  priority: string | undefined
  due: string | undefined
  notBefore: string | undefined
  expires: string | undefined
  inReplyTo: string | undefined
  settles: Settles | undefined
  attach: readonly string[]
}>

/** What the daemon knows of a drop from the file system alone. */
export type Envelope = Readonly<{
  from: Name | 'pennypost' | 'unknown'
  via: Via
  /** Where it was dropped, relative to the root: `spool`, `spool/legal`, `workspaces/cfo/outbox`. */
  folder: string
  /** The file's name there, escaped for showing. */
  name: string
  /** The recipient that the folder names (spool/<name>/), if it does. */
  box: string | undefined
  sha256: string
  /** When the file came to lie there as it is (its ctime, which nobody can set), milliseconds. Left out where there is no file. */
  arrivedMs?: number
  /** Hops of the message whose run sent this; left out where no run did. */
  causeHops?: number
  /** Of what came from outside the organisation, where the run that sent this had read such; left out where it had not. */
  causeOrigin?: Via
}>

/** A chain of messages, each answering or caused by the one before, is cut here (contract, page 3). */
export const MOST_HOPS = 16
