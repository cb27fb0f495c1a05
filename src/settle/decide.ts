/** What a holder's file means, measured against the last state that daemon and holder agreed on. Pure. */
import { nearest } from '../core/names.ts'
import type { Change } from '../core/post.ts'
import { type Folder, folderOf, isSettled, mayChange, STATUSES, type Status, statusByFolder } from '../core/status.ts'
import type { Mail } from '../mailbox/index.ts'
import type { HolderPart } from '../message/index.ts'

export type Observed = Readonly<{
  folder: Folder
  holder: HolderPart
  /** All of it was done before this daemon began: one after the other, for all that can be known. */
  whileDown: boolean
  /** The daemon was about to make it `cancelled`. */
  withdrawing: boolean
}>

export type Decision = Readonly<{
  /** null: a note. */
  status: Status | null
  folder: Folder
  by: string
  /** Told to people. */
  conflict: string | undefined
  /** The conflict is a word that is no status; `meant`: the one it is most like. */
  misspelt: Readonly<{ meant: Status | undefined }> | undefined
  /** Told to who asked for a change. */
  refused: string | undefined
}>

export function decide(mail: Mail, seen: Observed, asked: Change | undefined): Decision {
  if (mail.status === null) return decideNote(seen)
  const own = decideHolder(mail, mail.status, seen)
  if (!asked) return own
  const now = own.status ?? mail.status
  if (asked.claim && now === 'in_progress') return { ...own, refused: 'it is claimed already' }
  // What stands there instead of a status counts no more.
  const rest = own.misspelt ? { ...own, conflict: undefined, misspelt: undefined } : own
  if (mayChange(asked.actor, now, asked.to)) return { ...rest, status: asked.to, folder: folderOf(asked.to), by: asked.by }
  return { ...own, refused: `a task that is ${now} cannot become ${asked.to}` }
}

/** A note has no status: where it lies is all there is. `status: done` written into one puts it away. */
function decideNote(seen: Observed): Decision {
  const { status } = seen.holder
  const folder = status !== undefined && isSettled(status) ? 'done' : seen.folder
  return { status: null, folder, by: 'holder', conflict: undefined, misspelt: undefined, refused: undefined }
}

function decideHolder(mail: Mail, was: Status, seen: Observed): Decision {
  const written = seen.holder.status
  const base = basis(mail, seen.holder.updated)
  const fileChanged = written !== undefined && written !== base
  const folderChanged = seen.folder !== mail.folder
  let wanted = was
  let conflict: string | undefined
  if (fileChanged) {
    wanted = written
    if (folderChanged && folderOf(written) !== seen.folder && !(seen.whileDown && isClaimedFirst(was, written, seen.folder)))
      conflict = `it was moved to ${seen.folder}/ while its status was set to ${written}; the status counts`
  } else if (folderChanged) wanted = statusByFolder(seen.folder, was)
  if (fileChanged && seen.withdrawing && isUnrecorded(mail, seen.holder.updated) && written === 'cancelled')
    return { status: written, folder: folderOf(written), by: 'daemon', conflict: undefined, misspelt: undefined, refused: undefined }
  if (!mayChange('holder', was, wanted)) {
    conflict = `its holder may not make a task that is ${was} ${wanted}; this was undone`
    wanted = was
  }
  const { badStatus } = seen.holder
  const misspelt = badStatus === undefined ? undefined : { meant: nearest(badStatus, STATUSES) as Status | undefined }
  if (misspelt) {
    const { meant } = misspelt
    const hint = meant === undefined ? '' : ` (did you mean ${meant}?)`
    conflict = `"${badStatus}" is no status${hint}; known: ${STATUSES.join(', ')}. It stays ${wanted}`
  }
  return { status: wanted, folder: folderOf(wanted), by: wanted === was ? 'daemon' : 'holder', conflict, misspelt, refused: undefined }
}

/** Claimed by a move, and settled or blocked in the file then: two steps, of which both are allowed. */
function isClaimedFirst(was: Status, written: Status, folder: Folder): boolean {
  return folder === 'cur' && was === 'open' && written !== 'open' && mayChange('holder', 'in_progress', written)
}

/** A later version than was agreed on: a daemon wrote it and was killed before it could write that down. */
function isUnrecorded(mail: Mail, updated: string | undefined): boolean {
  return updated !== undefined && updated > mail.updated && !mail.earlier.some((version) => version.updated === updated)
}

/** The status of the version that this text was made from: an editor may have read it before the daemon wrote a newer one. */
export function basis(mail: Pick<Mail, 'status' | 'updated' | 'earlier'>, updated: string | undefined): Status | null {
  if (updated === mail.updated) return mail.status
  return mail.earlier.find((version) => version.updated === updated)?.status ?? mail.status
}
