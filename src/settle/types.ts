import type { Config } from '../core/config.ts'
import type { Admission, Event } from '../core/event.ts'
import type { MessageId } from '../core/ids.ts'
import type { Name } from '../core/names.ts'
import type { Clear, MailChanged, Raise, Submit } from '../core/post.ts'
import type { Finder, Folders, Layout, Ledger, Mail } from '../mailbox/index.ts'
import type { Clock, Disk, Ids, Log, Owner, Watch } from '../system/types.ts'
import type { Said } from './said.ts'
import type { Versions } from './versions.ts'
import type { Withdrawn } from './withdrawn.ts'

export type SettleGiven = Readonly<{
  clock: Clock
  disk: Disk
  ids: Ids
  log: Log
  watch: Watch
  layout: Layout
  pins: Folders
  /** Where files lie that were moved under another name. */
  finder: Finder
  versions: Versions
  said: Said
  withdrawn: Withdrawn
  ledger: Ledger
  config: () => Config
  record: (event: Event) => void
  raise: Raise
  clear: Clear
  submit: Submit
  mailOwner: (holder: Name) => Owner | undefined
  givenOwner: (holder: Name) => Owner | undefined
  /** The delivered text of a copy, made again from its seal; undefined after the retention time. */
  original: (id: MessageId) => string | undefined
  /** A settled message known to the journal: as the ledger would hold it, with the status its file says. */
  recall: (id: MessageId) => Mail | undefined
  /** The same with the status last agreed, whatever its file says; takes a moment. */
  past: (id: MessageId) => Promise<Mail | undefined>
  /** Records the admission of a message whose own record is lost: as the ledger would hold it. */
  readmit: (admission: Admission) => Mail | undefined
  /** The id a holder's `blocked_on` entry means. */
  meant: (holder: Name, idOrRef: string) => MessageId | undefined
  changed: (change: MailChanged) => void
  /** A mailbox folder is missing or locked. */
  repair: (holder: Name) => void
}>

/** Versions before the last one that an editor may still hold. */
export const MOST_EARLIER = 4
/** Entries of `blocked_on` that are followed; a task with more is not opened by the daemon, one more is kept to know it. */
export const MOST_WAITED_FOR = 100
/** Some editors save by a link and take the old name away. */
export const LINKED_MS = 1_000
/** Empty, or front matter not closed: perhaps a save that is still going on (contract, page 2). */
export const INCOMPLETE_MS = 5_000
