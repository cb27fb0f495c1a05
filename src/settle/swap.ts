/** Puts another version of a message in the place of the one that was read; what a holder wrote in that moment is kept. */
import type { MessageId } from '../core/ids.ts'
import { shellWord } from '../core/text.ts'
import { digestOf, isGone, isSameVersion, listOrNothing, type Mail, SWAPPED, statOrNothing } from '../mailbox/index.ts'
import type { Fd, Path, Stat } from '../system/types.ts'
import { copyAside, fixByDiff, forgetOldest, keepAside, setAside } from './aside.ts'
import { largestBytes, type Place, type Snapshot, snapshot, unsafety } from './file.ts'
import type { SettleGiven } from './types.ts'
import { whole } from './whole.ts'

/** Between looks whether somebody still writes. Milliseconds. */
const RESCUE_AGAIN_MS = 40

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
  const secret = given.ids.secret()
  const known = [digestOf(read.bytes), digestOf(text)]
  let staged = `${given.layout.staging}/rewrite.${secret}`
  disk.create(staged, text, read.stat.mode & 0o777, given.mailOwner(mail.holder))
  let made: Stat
  try {
    await disk.syncPath(staged)
    made = disk.stat(staged)
    // From here on a text of the holder's may bear this name: after a crash it tells whose, and by which digests nothing is lost.
    const swapped = `${given.layout.staging}/${swappedName(mail.id, known, secret)}`
    disk.rename(staged, swapped)
    staged = swapped
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
    if (!putBack(given, staged, place.path)) rescue(given, mail, staged, known)
    else {
      if (isSameVersion(disk.stat(staged), made)) disk.unlink(staged)
      else rescue(given, mail, staged, known)
      if (theirs !== undefined) given.versions.note(mail, Buffer.from(text), whole(given, mail, disk.read(theirs, disk.fstat(theirs).size)))
    }
  } finally {
    if (theirs !== undefined) disk.close(theirs)
  }
  return 'raced'
}

/** Puts a text the daemon can answer for in the place of one that does not parse. Returns where that is kept; undefined: the holder was there first. */
export async function putGoodBack(given: SettleGiven, mail: Mail, place: Place, read: Snapshot, good: string): Promise<string | undefined> {
  const { disk, layout } = given
  const kept = copyAside(given, mail, read.bytes, 'unparsed')
  const takeBack = (): void => disk.unlink(`${layout.root}/${kept}`)
  let swapped: Swapped
  try {
    swapped = await swap(given, mail, place, read, good)
  } catch (cause) {
    // It is tried again each second: where the text lies as it was read, a copy of each try would cost those kept before.
    const now = statOrNothing(disk, place.path)
    if (now && isSameVersion(now, read.stat)) takeBack()
    else forgetOldest(given, mail, kept)
    throw cause
  }
  if (typeof swapped === 'string') {
    takeBack()
    return undefined
  }
  forgetOldest(given, mail, kept)
  return kept
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
function rescue(given: SettleGiven, mail: Mail, path: string, known: readonly string[]): void {
  const { disk } = given
  try {
    const stat = statOrNothing(disk, path)
    if (stat === undefined) return
    const read = stat.kind === 'file' ? snapshot(given, mail, { folder: mail.folder, file: mail.file, path, stat }) : 'foreign'
    if (read === 'gone') return
    if (read === 'busy') return void given.clock.after(RESCUE_AGAIN_MS, () => rescue(given, mail, path, known))
    if (typeof read !== 'string') read.letGo()
    if (typeof read !== 'string' && known.includes(digestOf(read.bytes))) return disk.unlink(path)
    const kept = typeof read === 'string' ? setAside(given, mail, path, 'late') : keepAside(given, mail, read.bytes, 'late')
    given.raise({
      code: 'status-conflict',
      about: mail.id,
      agent: mail.holder,
      sentence: `Message ${mail.id} (${mail.subject}) was changed twice in one moment; one of the two texts is kept in ${kept}.`,
      fix: fixByDiff(kept, mail),
    })
    if (typeof read !== 'string') disk.unlink(path)
  } catch (cause) {
    given.log('error', 'a text of a holder could not be kept', { id: mail.id, file: path, why: String(cause) })
  }
}

const swappedName = (id: MessageId, known: readonly string[], secret: string): string => `${SWAPPED}${[id, ...known.map(inName), secret].join('.')}`
const inName = (digest: string): string => digest.replaceAll('/', '_')
const outOfName = (part: string): string => part.replaceAll('_', '/')

/** After a crash: what the last daemon had taken out of a mailbox, and neither put back nor kept. */
export function rescueLeftovers(given: SettleGiven): void {
  const { layout } = given
  for (const { name } of listOrNothing(given.disk, layout.staging)) {
    if (!name.startsWith(SWAPPED)) continue
    const [id, ...parts] = name.slice(SWAPPED.length).split('.') as [MessageId, ...string[]]
    const mail = given.ledger.get(id) ?? given.recall(id)
    if (mail) rescue(given, mail, `${layout.staging}/${name}`, parts.slice(0, 2).map(outOfName))
    else
      given.raise({
        code: 'status-conflict',
        about: id,
        sentence: `A text of message ${id}, which the journal does not know, was left by a crash; it stays in .penny/staging/${name}.`,
        fix: `less ${shellWord(`.penny/staging/${name}`)}`,
      })
  }
}
