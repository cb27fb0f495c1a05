/** After a crash: the open intents are carried out, by the same steps as the first time. */

import type { CopyFact } from '../core/event.ts'
import type { MessageId } from '../core/ids.ts'
import { FOLDERS, type Folder } from '../core/status.ts'
import type { AdmitIntent, HoldIntent, Intent, SealedCopy } from '../journal/index.ts'
import { findById, isLeased, type Mail, mailFrom, statOrNothing } from '../mailbox/index.ts'
import type { Disk, Path } from '../system/types.ts'
import { admissionOf, copyText } from './copies.ts'
import { holdFile } from './hold.ts'
import { insist } from './insist.ts'
import { CANARY, findSource, placeAttachments, placeCopy, removeFiles, stageCopy, stagedPath, takenPath } from './place.ts'
import type { Delivered, DeliverGiven } from './types.ts'

/** Ids of drops and copies that the journal knows, and of copies it says are settled. */
export type Recorded = Readonly<{ known: Set<MessageId>; settled: ReadonlySet<MessageId> }>

export type RecoverGiven = Readonly<{
  conclude: (delivered: Delivered) => void
  finished: (intent: Intent) => void
}>

/** One that cannot be carried out now is tried again: it must not keep the others, or the daemon, from starting. */
export function recover(given: DeliverGiven, intents: readonly Intent[], does: RecoverGiven): void {
  if (intents.length === 0) return
  const past = given.recorded(intents)
  const recorded = { known: new Set(past.known), settled: past.settled }
  for (const intent of intents) {
    try {
      carryOut(given, intent, recorded, does)
    } catch (cause) {
      insist(given, intent, cause, () => carryOut(given, intent, recorded, does)).catch((failed: unknown) =>
        given.log('error', 'recovery broke off', { id: intent.drop, why: String(failed) }),
      )
    }
  }
}

function carryOut(given: DeliverGiven, intent: Intent, recorded: Recorded, { conclude, finished }: RecoverGiven): void {
  switch (intent.act) {
    case 'admit':
      if (!recorded.known.has(intent.drop)) given.record(admissionOf(intent))
      recorded.known.add(intent.drop)
      return conclude({ drop: intent.drop, mails: redeliver(given, intent, recorded), intent })
    case 'hold':
      rehold(given, intent, recorded.known)
      break
    case 'repeat':
      if (!recorded.known.has(intent.drop)) given.record({ event: 'repeat', drop: intent.drop, from: intent.from, ref: intent.ref, of: intent.of })
      recorded.known.add(intent.drop)
      removeSource(given, intent)
      break
  }
  finished(intent)
}

/** Idempotent; `recorded.known` is added to. */
export function redeliver(given: DeliverGiven, intent: AdmitIntent, recorded: Recorded): Mail[] {
  const admission = admissionOf(intent)
  const mails = intent.copies.map((copy, index) => {
    if (mustPlace(given, intent, copy, recorded.settled)) placeCopy(given, intent, copy)
    const mail = given.ledger.get(copy.id) ?? mailFrom(admission, admission.copies[index] as CopyFact)
    if (copy.to !== CANARY && !recorded.known.has(copy.id)) {
      given.ledger.add(mail)
      given.record({ event: 'delivered', id: copy.id, to: copy.to, file: copy.file })
      recorded.known.add(copy.id)
    }
    given.placed(mail, undefined)
    return mail
  })
  removeFiles(given, intent)
  removeSource(given, intent)
  return mails
}

/**
 * Present in staging: not placed. Absent: placed, unless the medium lost either name or the bytes when its power went - which the
 * boot id does not always tell (a disk can go away alone). So the copy is looked for, and what is spoiled or missing is made
 * again; one that its holder took away unsettled would be put back anyway.
 */
function mustPlace(given: DeliverGiven, intent: AdmitIntent, copy: SealedCopy, settled: ReadonlySet<MessageId>): boolean {
  const { disk } = given
  const staged = stagedPath(given, copy.id)
  if (copy.to === CANARY) return statOrNothing(disk, staged) !== undefined
  if (statOrNothing(disk, staged)) {
    if (disk.readFile(staged).equals(Buffer.from(copyText(intent, copy)))) return true
    disk.unlink(staged)
  }
  const found = findCopy(given, copy)
  if (found.some((path) => isWhole(given, path, intent, copy))) {
    if (intent.attachments.length > 0) placeAttachments(given, copy)
    return false
  }
  if (found.length === 0 && settled.has(copy.id)) return false
  // What is left of them says nothing of its holder's.
  for (const path of found) disk.unlink(path)
  stageCopy(given, intent, copy)
  return true
}

/** By its name first: listing a mailbox for each of thousands of copies would take minutes. */
function findCopy({ disk, layout, pins }: DeliverGiven, copy: SealedCopy): Path[] {
  const byName = FOLDERS.map((folder) => `${layout.folder(copy.to, folder)}/${copy.file}`).filter((path) => statOrNothing(disk, path)?.kind === 'file')
  return byName.length > 0 ? byName : findById(disk, (folder: Folder) => layout.folder(copy.to, folder), copy.id, pins.at).map(({ path }) => path)
}

/** Of what its holder did to it nothing is decided here: the settle room brings it in, or keeps it and tells. */
function isWhole(given: DeliverGiven, path: Path, intent: AdmitIntent, copy: SealedCopy): boolean {
  const sealed = Buffer.from(copyText(intent, copy))
  // No power cut makes a file longer.
  if (given.disk.stat(path).size > sealed.length) return true
  const bytes = readUnlessLeased(given.disk, path, sealed.length)
  // Somebody has had it open since the machine started: no power cut came after that.
  return bytes === undefined || bytes.equals(sealed) || !isLeftOf(bytes, sealed)
}

/**
 * After a power cut a file may be empty, cut off, or have zeros for what was not written: nothing is lost with it that the seal has
 * not. Where a file system hands out blocks of old files instead (ext4 without a journal), what its front matter became tells.
 */
function isLeftOf(bytes: Buffer, sealed: Buffer): boolean {
  return bytes.every((byte, at) => byte === sealed[at] || byte === 0)
}

function readUnlessLeased(disk: Disk, path: Path, limit: number): Buffer | undefined {
  try {
    return disk.readFile(path, limit)
  } catch (cause) {
    if (isLeased(cause)) return undefined
    throw cause
  }
}

/** The inode is the identity, unless it was used again for another file: then size and time differ, and so do the bytes. */
export function removeSource(given: DeliverGiven, intent: Exclude<Intent, HoldIntent>): void {
  if (!intent.source) return
  const path = findSource(given, intent.source)
  if (path === undefined) return
  const stat = given.disk.stat(path)
  if (stat.size === intent.source.size && stat.mtimeMs === intent.source.mtimeMs) return given.disk.unlink(path)
  // Another text is another drop, which lies where it should.
  if (intent.act === 'repeat' || !beginsWith(given.disk, path, Buffer.from(intent.text))) return
  // Added to since: what was sealed is delivered, the rest is looked at as late text.
  given.disk.rename(path, takenPath(given, intent.drop))
}

function beginsWith(disk: Disk, path: Path, sealed: Buffer): boolean {
  const fd = disk.openRead(path)
  try {
    return disk.read(fd, sealed.length).equals(sealed)
  } finally {
    disk.close(fd)
  }
}

/** Idempotent; `known` is added to. */
export function rehold(given: DeliverGiven, intent: HoldIntent, known: Set<MessageId>): void {
  // Gone, replaced, or released since: then there is nothing to tell.
  if (!holdFile(given, intent)) return
  if (!known.has(intent.drop)) given.record({ event: 'held', drop: intent.drop, code: intent.code, from: intent.from, name: intent.name, held: intent.held })
  known.add(intent.drop)
  given.held(intent)
}
