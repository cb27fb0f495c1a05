/** Every message that is not settled, as last agreed between daemon and holder: what a change is measured against. */
import { createHash } from 'node:crypto'
import type { MessageId } from '../core/ids.ts'
import type { Kind, Via } from '../core/message.ts'
import type { Name } from '../core/names.ts'
import { type Folder, isSettled, type Status } from '../core/status.ts'

/** An inode's content as it was when looked at; equal marks mean nothing was changed since. */
export type FileMark = string

export type Mail = {
  readonly id: MessageId
  readonly holder: Name
  readonly kind: Kind
  readonly from: Name | 'pennypost' | 'unknown'
  readonly via: Via
  readonly origin: string | undefined
  readonly subject: string
  readonly thread: MessageId
  readonly hops: number
  readonly inReplyTo: MessageId | undefined
  readonly drop: MessageId
  /** A message to oneself that waited for `not_before`. */
  readonly reminder: boolean
  /** Milliseconds. */
  readonly createdMs: number
  file: string
  folder: Folder
  /** null: a note, which has none. */
  status: Status | null
  priority: string
  rank: number
  /** RFC 3339, or undefined. */
  due: string | undefined
  expires: string | undefined
  /** When this status began, milliseconds. */
  sinceMs: number
  /** `updated:` as the daemon wrote it last. */
  updated: string
  /** Versions before, newest first: an edit that is based on one of them is merged, not believed. */
  earlier: readonly { updated: string; status: Status | null }[]
  blockedOn: readonly string[]
  /** A reply came that did not settle the task. */
  answered: MessageId | undefined
  attempts: number
  /** Not before this moment, milliseconds since 1970; undefined: at once. */
  retryAtMs: number | undefined
  /** Of the file as it was agreed on; while it fits, nothing was changed. */
  mark: FileMark | undefined
  /** Digest of the delivered text, while nothing of it was changed. */
  contentHash: string | undefined
  /** Digest of what a holder may not change. */
  protectedHash: string | undefined
}

/** Shared by the many messages that have none. */
export const NONE: readonly never[] = []

export type Ledger = Readonly<{
  get: (id: MessageId) => Mail | undefined
  add: (mail: Mail) => void
  remove: (id: MessageId) => void
  all: () => IterableIterator<Mail>
  /** Mail of one holder. */
  of: (holder: Name) => ReadonlyMap<MessageId, Mail>
  /** How many messages wait in new/ and cur/. */
  count: (holder: Name) => number
  /** How many of them are tasks. */
  tasks: (holder: Name) => number
  size: () => number
  /** Ids that end so, at most `most`. */
  endingWith: (suffix: string, most: number) => MessageId[]
}>

export function makeLedger(): Ledger {
  const all = new Map<MessageId, Mail>()
  const byHolder = new Map<Name, Map<MessageId, Mail>>()
  const tasks = new Map<Name, number>()
  const countTask = ({ kind, holder }: Mail, by: 1 | -1): void => {
    if (kind === 'task') tasks.set(holder, (tasks.get(holder) ?? 0) + by)
  }
  const of = (holder: Name): Map<MessageId, Mail> => {
    const known = byHolder.get(holder)
    if (known) return known
    const box = new Map<MessageId, Mail>()
    byHolder.set(holder, box)
    return box
  }
  return {
    get: (id) => all.get(id),
    add: (mail) => {
      const before = all.get(mail.id)
      if (before) countTask(before, -1)
      countTask(mail, 1)
      all.set(mail.id, mail)
      of(mail.holder).set(mail.id, mail)
    },
    remove: (id) => {
      const mail = all.get(id)
      if (!mail) return
      all.delete(id)
      countTask(mail, -1)
      of(mail.holder).delete(id)
    },
    all: () => all.values(),
    of,
    count: (holder) => of(holder).size,
    tasks: (holder) => tasks.get(holder) ?? 0,
    size: () => all.size,
    endingWith: (suffix, most) => {
      const found: MessageId[] = []
      for (const id of all.keys()) {
        if (id.endsWith(suffix) && found.push(id) >= most) break
      }
      return found
    },
  }
}

/** 96 bits of SHA-256: enough to tell two versions of one message apart. */
export function digestOf(text: string | Uint8Array): string {
  return createHash('sha256').update(text).digest('base64').slice(0, 16)
}

/** The order of service: urgency, then time of admission. Names of files sort the same way. */
export function byService(a: Mail, b: Mail): number {
  return a.rank - b.rank || (a.id < b.id ? -1 : a.id > b.id ? 1 : 0)
}

export function isOpenTask(mail: Mail): boolean {
  return mail.status !== null && !isSettled(mail.status)
}
