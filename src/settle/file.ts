/** One message's file in folders that its holder writes at the same time: find it, read it, put it there, move it. */
import { FOLDERS, type Folder } from '../core/status.ts'
import { isGone, type Mail, openUnlessLeased, statOrNothing } from '../mailbox/index.ts'
import type { Fd, Path, Stat } from '../system/types.ts'
import { setAside } from './aside.ts'
import type { SettleGiven } from './types.ts'

/** A holder's notes may grow a message to so many times the limit of org.yaml before it is not followed any more. */
const LARGEST_IN_MESSAGES = 4

/** Of a delivered message (contract, page 5): its holder and who may read its mail. */
const READABLE = 0o440

export type Place = Readonly<{ folder: Folder; file: string; path: Path; stat: Stat }>

/** Where the message is: where it was agreed to be, or where its holder moved it, perhaps under another name. */
export function locate(given: SettleGiven, mail: Mail): Place | undefined {
  const others = FOLDERS.filter((folder) => folder !== mail.folder)
  for (const folder of [mail.folder, ...others]) {
    const place = placeAt(given, mail, folder, mail.file)
    if (place) return place
  }
  const found = given.finder.find(mail.holder, mail.id, mail.file)
  if (!found) return undefined
  const stat = statOrNothing(given.disk, found.path)
  if (stat?.kind === 'file') return { folder: found.folder, file: found.file, path: found.path, stat }
  given.finder.forget(mail.holder)
  return undefined
}

export function placeAt(given: SettleGiven, mail: Mail, folder: Folder, file: string): Place | undefined {
  const path = given.pins.at(given.layout.folder(mail.holder, folder), file)
  const stat = statOrNothing(given.disk, path)
  return stat?.kind === 'file' ? { folder, file, path, stat } : undefined
}

export type Snapshot = Readonly<{
  bytes: Buffer
  stat: Stat
  /** True while nobody asked to write to it. */
  untouched: () => boolean
  letGo: () => void
}>

export type Unread =
  /** Somebody writes it. */
  | 'busy'
  /** It is not there any more. */
  | 'gone'
  /** It would not be read whole, so it must not be written anew. */
  | 'too-large'
  /** It has a second name (ln): perhaps it is another's file, which the daemon may read and the holder may not. */
  | 'linked'
  /** Neither the holder's nor the daemon's. */
  | 'foreign'

/** The whole content while nobody writes it. */
export function snapshot(given: SettleGiven, mail: Pick<Mail, 'holder'>, place: Place): Snapshot | Unread {
  const { disk } = given
  openToReaders(given, mail, place)
  const fd = openUnlessLeased(disk, place.path)
  if (typeof fd === 'string') return fd
  const unsafe = unsafety(given, mail, place, disk.fstat(fd))
  if (unsafe !== undefined || !disk.lease.take(fd)) {
    disk.close(fd)
    return unsafe ?? 'busy'
  }
  // Asked only now: its last writer may have gone between the first look and the lease.
  const stat = disk.fstat(fd)
  const letGo = (): void => {
    disk.lease.drop(fd)
    disk.close(fd)
  }
  if (stat.size > largestBytes(given)) {
    letGo()
    return 'too-large'
  }
  const bytes = disk.read(fd, stat.size)
  return { bytes, stat, untouched: () => disk.lease.unbroken(fd), letGo }
}

/** Gives back the rights that its holder took: who may read its mail, or the daemon where all have one uid, must be able to. */
function openToReaders(given: SettleGiven, { holder }: Pick<Mail, 'holder'>, { path, stat: seen }: Place): void {
  const { disk, layout } = given
  const owner = given.mailOwner(holder)
  const isClosed = ({ mode, gid }: Stat): boolean => (mode & READABLE) !== READABLE || (owner !== undefined && gid !== owner.gid)
  if (!isClosed(seen)) return
  let fd: Fd
  try {
    fd = disk.pin(path)
  } catch (cause) {
    if (isGone(cause)) return
    throw cause
  }
  try {
    const stat = disk.fstat(fd)
    // What else lies there is not its holder's to be read, and is judged once it is open.
    if (stat.kind !== 'file' || stat.links !== 1 || stat.uid !== (owner ?? disk.stat(layout.staging)).uid || !isClosed(stat)) return
    if (owner) disk.setOwner(fd, owner)
    disk.setMode(fd, (stat.mode & 0o777) | READABLE)
  } finally {
    disk.close(fd)
  }
}

export const largestBytes = (given: SettleGiven): number => LARGEST_IN_MESSAGES * given.config().org.limits.messageBytes

/** Why what was opened may not be read for this holder. */
export function unsafety(
  given: SettleGiven,
  { holder }: Pick<Mail, 'holder'>,
  { folder }: Place,
  { kind, links, uid }: Stat,
): 'gone' | 'linked' | 'foreign' | undefined {
  const { disk, layout } = given
  if (kind !== 'file') return 'gone'
  // The daemon's own uid is that of its own folder; of a holder that no policy names any more, only its folder tells.
  const isHolders = uid === (given.mailOwner(holder)?.uid ?? statOrNothing(disk, layout.folder(holder, folder))?.uid)
  if (!isHolders && uid !== disk.stat(layout.staging).uid) return 'foreign'
  return links === 1 ? undefined : 'linked'
}

/** A new file for a message, in its folder; never over another one. */
export async function putNew(given: SettleGiven, mail: Mail, folder: Folder, text: string): Promise<void> {
  const { disk } = given
  const staged = `${given.layout.staging}/rewrite.${given.ids.secret()}`
  disk.create(staged, text, 0o640, given.mailOwner(mail.holder))
  try {
    await disk.syncPath(staged)
    disk.renameNew(staged, given.pins.at(given.layout.folder(mail.holder, folder), mail.file))
  } catch (cause) {
    disk.unlink(staged)
    throw cause
  }
}

/** Moves a file that should lie elsewhere, or bear another name. False: it is not there any more, or something lies there. */
export function move(given: SettleGiven, mail: Mail, from: Path, folder: Folder, file: string): boolean {
  try {
    given.disk.renameNew(from, given.pins.at(given.layout.folder(mail.holder, folder), file))
    return true
  } catch (cause) {
    if (isGone(cause) || (cause as NodeJS.ErrnoException).code === 'EEXIST') return false
    throw cause
  }
}

/** Something that is no plain file lies under the message's name (a link, a folder): it goes to attachments/<id>/, unopened. */
export function setImpostorAside(given: SettleGiven, mail: Mail): void {
  const path = given.pins.at(given.layout.folder(mail.holder, mail.folder), mail.file)
  const stat = statOrNothing(given.disk, path)
  if (stat !== undefined && stat.kind !== 'file') setAside(given, mail, path, 'was-in-its-place')
}
