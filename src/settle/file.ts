/** One message's file in folders that its holder writes at the same time: find it, read it, put another version in its place. */
import { FOLDERS, type Folder } from '../core/status.ts'
import { isGone, isSameVersion, type Mail, statOrNothing } from '../mailbox/index.ts'
import type { Fd, Path, Stat } from '../system/types.ts'
import { keepAside, setAside } from './aside.ts'
import type { SettleGiven } from './types.ts'
import { whole } from './whole.ts'

/** Between looks whether somebody still writes. Milliseconds. */
const RESCUE_AGAIN_MS = 40
/** A holder's notes may grow a message to so many times the limit of org.yaml before it is not followed any more. */
const LARGEST_IN_MESSAGES = 4

export type Place = Readonly<{ folder: Folder; file: string; path: Path; stat: Stat }>

/** Where the message is: where it was agreed to be, or where its holder moved it, perhaps under another name. */
export function locate(given: SettleGiven, mail: Mail): Place | undefined {
  const others = FOLDERS.filter((folder) => folder !== mail.folder)
  for (const folder of [mail.folder, ...others]) {
    const place = placeAt(given, mail, folder, mail.file)
    if (place) return place
  }
  const found = given.finder.find(mail.holder, mail.id)
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
  let fd: Fd
  try {
    fd = disk.openRead(place.path)
  } catch (cause) {
    if (isGone(cause) || (cause as NodeJS.ErrnoException).code === 'ELOOP') return 'gone'
    throw cause
  }
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

const largestBytes = (given: SettleGiven): number => LARGEST_IN_MESSAGES * given.config().org.limits.messageBytes

/** Why what was opened may not be read for this holder. */
function unsafety(
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

export type Swapped =
  /** The new version, as it was written, is in place; what it replaced is what had been read. */
  | { made: Stat }
  /** The holder was there first: its version stays, the new one is thrown away. */
  | 'raced'
  /** The file is not there any more. */
  | 'gone'

/** Puts `text` in the place of the version that was read, in one step. It is on the medium before it can be seen. */
export async function swap(given: SettleGiven, mail: Mail, place: Place, read: Snapshot, text: string): Promise<Swapped> {
  const { disk } = given
  const staged = `${given.layout.staging}/rewrite.${given.ids.secret()}`
  disk.create(staged, text, place.stat.mode & 0o777, given.mailOwner(mail.holder))
  let made: Stat
  try {
    await disk.syncPath(staged)
    made = disk.stat(staged)
    disk.exchange(staged, place.path)
  } catch (cause) {
    disk.unlink(staged)
    if (isGone(cause)) return 'gone'
    throw cause
  }
  if (isSameVersion(disk.stat(staged), read.stat) && read.untouched()) {
    disk.unlink(staged)
    // Who read the old version just before may still put a text made from that in the place of ours.
    given.versions.note(mail, read.bytes, Buffer.from(text))
    return { made }
  }
  // Another version was put there, or somebody waits to write to this one: it goes back at once. Who read ours in this moment may put a
  // text made from it in the place of theirs. Nobody reads both before, and who reads later reads theirs; so what theirs says when it is
  // back is all that such a text lacks.
  const theirs = openDisplaced(given, mail, place, staged)
  try {
    if (!putBack(given, staged, place.path)) rescue(given, mail, staged, read.bytes)
    else {
      if (isSameVersion(disk.stat(staged), made)) disk.unlink(staged)
      else rescue(given, mail, staged, Buffer.from(text))
      if (theirs !== undefined) given.versions.note(mail, Buffer.from(text), whole(given, mail, disk.read(theirs, disk.fstat(theirs).size)))
    }
  } finally {
    if (theirs !== undefined) disk.close(theirs)
  }
  return 'raced'
}

/** False: our version was moved on in this moment, so the holder's has no place any more. */
function putBack({ disk }: SettleGiven, staged: Path, path: Path): boolean {
  try {
    disk.exchange(staged, path)
    return true
  } catch (cause) {
    if (isGone(cause)) return false
    throw cause
  }
}

/** Opened while nobody else can take it away; read once it is back in its place. */
function openDisplaced(given: SettleGiven, mail: Mail, place: Place, staged: Path): Fd | undefined {
  const { disk } = given
  let fd: Fd | undefined
  try {
    fd = disk.openRead(staged)
    const stat = disk.fstat(fd)
    if (unsafety(given, mail, place, stat) === undefined && stat.size <= largestBytes(given)) return fd
  } catch (cause) {
    // A link, or a file that may not be read. It goes back all the same, and is looked at where it lies.
    given.log('warn', 'what took the place of a message cannot be read', { id: mail.id, why: String(cause) })
  }
  if (fd !== undefined) disk.close(fd)
  return undefined
}

/** Keeps what a holder wrote to a version that was in place for less than a moment, once nobody writes to it any more. */
function rescue(given: SettleGiven, mail: Mail, path: string, known: Buffer): void {
  const { disk } = given
  try {
    const read = snapshot(given, mail, { folder: mail.folder, file: mail.file, path, stat: disk.stat(path) })
    if (read === 'gone') return
    if (read === 'busy') return void given.clock.after(RESCUE_AGAIN_MS, () => rescue(given, mail, path, known))
    if (typeof read !== 'string') read.letGo()
    if (typeof read !== 'string' && read.bytes.equals(known)) return disk.unlink(path)
    const kept = typeof read === 'string' ? setAside(given, mail, path, 'late') : keepAside(given, mail, mail.id, read.bytes, 'late')
    given.raise({
      code: 'status-conflict',
      about: mail.id,
      agent: mail.holder,
      sentence: `Message ${mail.id} (${mail.subject}) was changed twice in one moment; one of the two texts is kept in ${kept}.`,
      fix: `diff ${kept} workspaces/${mail.holder}/${mail.folder}/${mail.file}`,
    })
    if (typeof read !== 'string') disk.unlink(path)
  } catch (cause) {
    given.log('error', 'a text of a holder could not be kept', { id: mail.id, file: path, why: String(cause) })
  }
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
