/** Puts a sealed copy into its mailbox, once, and takes the drop away. Both are idempotent: recovery calls them again. */

import type { MessageId } from '../core/ids.ts'
import type { AdmitIntent, SealedCopy, Source } from '../journal/index.ts'
import { isGone, listOrNothing, SWAPPED, statOrNothing } from '../mailbox/index.ts'
import { join, type Path, type Stat } from '../system/index.ts'
import { copyText } from './copies.ts'
import type { DeliverGiven, Dropped } from './types.ts'

/** The mailbox of the test message that goes through the whole path. */
export const CANARY = 'canary'

export function stagedPath(given: Pick<DeliverGiven, 'layout'>, id: MessageId): string {
  return `${given.layout.staging}/${id}`
}

export type Staged = Readonly<{ text: string; stat: Stat }>

export function stageCopy(given: DeliverGiven, intent: Pick<AdmitIntent, 'text' | 'stamp' | 'removed'>, copy: SealedCopy): Staged {
  const text = copyText(intent, copy)
  return { text, stat: given.disk.create(stagedPath(given, copy.id), text, 0o640, given.mailOwner(copy.to)) }
}

export function newFolder(given: Pick<DeliverGiven, 'layout'>, copy: Pick<SealedCopy, 'to'>): string {
  return copy.to === CANARY ? given.layout.private('canary') : given.layout.folder(copy.to, 'new')
}

/** Renames a staged copy to its name in new/. A folder that was swapped meanwhile is made again and the copy placed again. */
export function placeCopy(given: DeliverGiven, intent: AdmitIntent, copy: SealedCopy): void {
  const folder = newFolder(given, copy)
  for (let tries = 0; ; tries++) {
    try {
      if (intent.attachments.length > 0) placeAttachments(given, copy)
      given.disk.rename(stagedPath(given, copy.id), given.pins.at(folder, copy.file))
    } catch (cause) {
      if (tries >= 2 || !mendable(cause)) throw cause
      given.pins.forget(folder)
      given.pins.forget(given.layout.attachments(copy.to))
      given.repair(copy.to)
      continue
    }
    if (given.pins.stillThere(folder)) return
    // It went into a folder that somebody moved away.
    given.log('warn', 'mailbox was swapped while mail was placed', { holder: copy.to, id: copy.id })
    given.repair(copy.to)
    stageCopy(given, intent, copy)
  }
}

function mendable(cause: unknown): boolean {
  return isGone(cause) || ['EACCES', 'ELOOP', 'EPERM'].includes((cause as NodeJS.ErrnoException).code ?? '')
}

/** Idempotent: what is there already stays. */
export function placeAttachments(given: DeliverGiven, copy: SealedCopy): void {
  const staged = `${stagedPath(given, copy.id)}.files`
  if (!statOrNothing(given.disk, staged)) return
  const folder = given.layout.attachments(copy.to)
  given.pins.stillThere(folder)
  given.disk.rename(staged, given.pins.at(folder, copy.id))
}

export function nameOf(source: Source): Path {
  return source.raw === undefined ? source.name : Buffer.from(source.raw, 'base64')
}

/** The path of a source, if that very file still lies there. */
export function findSource(given: DeliverGiven, source: Source): Path | undefined {
  try {
    const path = given.pins.at(`${given.layout.root}/${source.folder}`, nameOf(source))
    const stat = statOrNothing(given.disk, path)
    return stat?.ino === source.ino ? path : undefined
  } catch (cause) {
    if (isGone(cause)) return undefined
    throw cause
  }
}

/** Attachments that lay in the drop folder go with the message that took them. */
export function removeFiles(given: DeliverGiven, intent: AdmitIntent): void {
  for (const source of intent.files) {
    const path = findSource(given, source)
    if (path === undefined) continue
    const { size, mtimeMs } = given.disk.stat(path)
    // Written to since it was copied: it stays, and is told of like any file that nobody names.
    if (size === source.size && mtimeMs === source.mtimeMs) given.disk.unlink(path)
  }
}

export function takenPath(given: Pick<DeliverGiven, 'layout'>, drop: MessageId): string {
  return `${given.layout.staging}/taken.${drop}`
}

/**
 * Removes a drop whose message is safe: first by a rename to where nobody can reach it, then, if nobody asked to write to it
 * since it was read, for good. Returns false where somebody did: the file stays as `taken.<drop>` to be compared later.
 */
export function removeDrop(given: DeliverGiven, drop: MessageId, dropped: Dropped): boolean {
  const { disk } = given
  const path = findSource(given, dropped.source)
  if (path === undefined) return true
  const taken = takenPath(given, drop)
  disk.rename(path, taken)
  if (disk.stat(taken).ino !== dropped.source.ino) {
    // Replaced in the last moment by another file, which is another drop: it goes back.
    putBack(given, taken, path)
    return true
  }
  if (!dropped.untouched()) return false
  disk.unlink(taken)
  return true
}

/** Where something was taken from; beside it, if something else lies there by now. */
export function putBack(given: DeliverGiven, from: Path, to: Path): void {
  try {
    given.disk.renameNew(from, to)
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code !== 'EEXIST') throw cause
    const name = String(to)
    given.disk.renameNew(from, join(name.slice(0, name.lastIndexOf('/')), `again-${given.ids.secret().slice(0, 8)}.md`))
  }
}

/** Names in staging that belong to no intent any more; a text of a holder's is kept until it is known whose. */
export function sweepStaging(given: DeliverGiven, needed: ReadonlySet<string>): void {
  for (const { name, kind } of listOrNothing(given.disk, given.layout.staging)) {
    if (needed.has(name.replace(/\.files$/, '')) || name.startsWith('taken.') || name.startsWith(SWAPPED)) continue
    const path = `${given.layout.staging}/${name}`
    if (kind === 'folder') {
      for (const inner of given.disk.list(path)) given.disk.unlink(join(path, inner.raw ?? inner.name))
      given.disk.removeFolder(path)
    } else given.disk.unlink(path)
  }
}
