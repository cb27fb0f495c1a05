/** Settled mail: what its holder did to it is put right by the journal, which knows how it was settled, however long ago. */
import type { MessageId } from '../core/ids.ts'
import type { Name } from '../core/names.ts'
import { type Folder, isSettled, type Status } from '../core/status.ts'
import { shellWord, showSafely } from '../core/text.ts'
import { formatSize } from '../core/units.ts'
import { type FileMark, type Mail, markOf, statOrNothing } from '../mailbox/index.ts'
import { parseMessage, readHolder, rewrite } from '../message/index.ts'
import type { Stat } from '../system/types.ts'
import { fixByDiff, setAside, setUnsafeAside } from './aside.ts'
import { move, type Place, placeAt, putNew, type Snapshot, snapshot } from './file.ts'
import { lastGoodText } from './good.ts'
import { restoreProtected, tellTampered } from './protect.ts'
import { putGoodBack, swap } from './swap.ts'
import { INCOMPLETE_MS, LINKED_MS, type SettleGiven } from './types.ts'

/** Settled messages whose files are known by heart; others are looked up in the journal once they are touched. */
const REMEMBERED = 10_000
/** Of those, compared in one sweep: what was done to one of the last so many is found by the next sweep, if nobody reported it. */
const COMPARED = 100
const BUSY_AGAIN_MS = 40

export type Settled = Readonly<{
  /** Nothing was changed since it was agreed on. */
  isAsAgreed: (id: MessageId, stat: Stat) => boolean
  /** A message was settled, as its file now stands in done/. */
  remember: (mail: Mail) => void
  /** A settled message's file was changed or moved by its holder, who may not reopen it. `mail` is as the journal has it. */
  putRight: (mail: Mail, place: Place) => Promise<void>
  forget: (path: string) => void
  /** Meets those whose files were changed and not reported. */
  sweep: (meet: (holder: Name, folder: Folder, name: string) => void) => void
}>

type Known = Readonly<{ holder: Name; file: string; mark: FileMark }>
type SettledMail = Mail & { status: Status }

/** `shown`: the text as it stands there now; `again`: the same file is to be met once more, after so many milliseconds. */
export function createSettled(
  given: SettleGiven,
  readmit: (mail: Mail) => void,
  shown: (mail: Mail, text: string) => void,
  again: (mail: Mail, place: Place, ms: number) => void,
): Settled {
  const known = new Map<MessageId, Known>()
  let round = known.values()
  /** Seen in the middle of a save, perhaps: looked at once more before anything is done about them. */
  const waited = new Map<string, FileMark>()

  function remember(mail: Mail): void {
    const place = placeAt(given, mail, 'done', mail.file)
    if (!place) return
    known.delete(mail.id)
    known.set(mail.id, { holder: mail.holder, file: mail.file, mark: markOf(place.stat) })
    const [oldest] = known.keys()
    if (known.size > REMEMBERED && oldest !== undefined) known.delete(oldest)
  }

  async function putRight(mail: Mail, place: Place): Promise<void> {
    if (mail.status === null) {
      // A note in done/ is its holder's to do with as it likes.
      if (place.folder === 'done') remember(mail)
      else readmit({ ...mail, folder: place.folder, file: place.file })
      return
    }
    // Never settled, by the journal: what its holder did to it is a change like any other.
    if (!isSettled(mail.status)) return readmit(mail)
    if (place.folder === 'done' && place.file === mail.file && mail.mark === markOf(place.stat)) return remember(mail)
    const settled: SettledMail = { ...mail, status: mail.status, folder: 'done' }
    const read = snapshot(given, mail, place)
    if (read === 'busy') return again(mail, place, BUSY_AGAIN_MS)
    if (read === 'gone' || (read === 'linked' && mayBeSaving(settled, place, LINKED_MS))) return
    if (read === 'too-large') return leaveLarge(settled, place)
    if (typeof read === 'string') return putBackSafe(settled, place, read)
    const isElsewhere = place.folder !== 'done' || place.file !== mail.file
    try {
      // The one in done/ stays what the sender sees; this one is nobody's.
      if (isElsewhere && placeAt(given, mail, 'done', mail.file)) return tellCopy(settled, place)
      const text = await putTextRight(settled, place, read)
      if (text === undefined) return
      if (isElsewhere) putInPlace(settled, place)
      remember(settled)
      shown(settled, text)
    } finally {
      read.letGo()
    }
  }

  /** Returns the text that stands there now; undefined: it is looked at again. */
  async function putTextRight(mail: SettledMail, place: Place, read: Snapshot): Promise<string | undefined> {
    const parsed = parseMessage(read.bytes, { frontMatterBytes: read.bytes.length })
    if (!parsed.ok || !parsed.message.hasFrontMatter) return mayBeSaving(mail, place, INCOMPLETE_MS) ? undefined : putBackParsed(mail, place, read)
    const holder = readHolder(parsed.message)
    const mended = restoreProtected(mail, read.bytes, parsed.message, holder, () => lastGoodText(given, mail))
    const { text } = parsed.message
    const right = holder.status === mail.status ? (mended?.text ?? text) : rewrite(mended?.text ?? text, { status: mail.status })
    if (right !== text && typeof (await swap(given, mail, place, read, right)) === 'string') {
      again(mail, place, BUSY_AGAIN_MS)
      return undefined
    }
    if (mended) tellTampered(given, mail, mended)
    if (holder.status !== mail.status && place.folder === 'done') tellReopened(mail, 'it was put back')
    return right
  }

  function putInPlace(mail: SettledMail, place: Place): void {
    if (move(given, mail, place.path, 'done', mail.file)) return place.folder === 'done' ? undefined : tellReopened(mail, 'it was put back')
    if (placeAt(given, mail, place.folder, place.file)) tellCopy(mail, place)
  }

  function tellCopy(mail: SettledMail, place: Place): void {
    tellReopened(mail, `it lies in done/, and this copy is kept in ${setAside(given, mail, place.path, 'copy')}`)
  }

  function tellReopened(mail: SettledMail, what: string): void {
    given.raise({
      code: 'status-conflict',
      about: mail.id,
      agent: mail.holder,
      sentence: `${mail.holder} tried to reopen message ${mail.id} (${mail.subject}), which is ${mail.status}; only its sender may. So ${what}.`,
      fix: `penny set ${mail.id} status=open   # as its sender or the postmaster`,
    })
  }

  /** Its front matter does not parse any more: its last state, and the holder's text beside it. */
  async function putBackParsed(mail: SettledMail, place: Place, read: Snapshot): Promise<string | undefined> {
    const last = lastGoodText(given, mail)
    const kept = last === undefined ? undefined : await putGoodBack(given, mail, place, read, last)
    if (last !== undefined && kept === undefined) {
      again(mail, place, BUSY_AGAIN_MS)
      return undefined
    }
    const what = kept === undefined ? 'its original is past the retention time, so it stays as it is' : `its last state was put back; the text is in ${kept}`
    given.raise({
      code: 'bad-front-matter',
      about: mail.id,
      agent: mail.holder,
      sentence: `The front matter of message ${mail.id} (${mail.subject}), which is ${mail.status}, does not parse any more at ${mail.holder}: ${what}.`,
      fix: kept === undefined ? `penny log ${mail.id}` : fixByDiff(kept, mail),
    })
    return last ?? read.bytes.toString('utf8')
  }

  /** It would be cut off where it were written anew, so it stays as its holder made it. */
  function leaveLarge(mail: SettledMail, place: Place): void {
    if (place.folder !== 'done' || place.file !== mail.file) putInPlace(mail, place)
    remember(mail)
    const about = `workspaces/${mail.holder}/done/${showSafely(mail.file)}`
    given.raise({
      code: 'too-large',
      about: mail.id,
      agent: mail.holder,
      sentence: `${about}, which is settled, has grown to ${formatSize(place.stat.size)}; it is left as it is.`,
      fix: `ls -l ${shellWord(about)}`,
    })
  }

  async function putBackSafe(mail: SettledMail, place: Place, how: 'linked' | 'foreign'): Promise<void> {
    setUnsafeAside(given, mail, place, how)
    const text = lastGoodText(given, mail)
    if (text === undefined) return
    if (!placeAt(given, mail, 'done', mail.file)) await putNew(given, mail, 'done', text)
    remember(mail)
  }

  /** True the first time a file is seen so, and as long as it is being changed. */
  function mayBeSaving(mail: Mail, place: Place, waitMs: number): boolean {
    const key = `${mail.holder}/${place.folder}/${place.file}`
    const mark = markOf(place.stat)
    if (waited.get(key) === mark && waited.delete(key)) return false
    waited.set(key, mark)
    again(mail, place, waitMs)
    return true
  }

  function sweep(meet: (holder: Name, folder: Folder, name: string) => void): void {
    for (let left = Math.min(COMPARED, known.size); left > 0; left--) {
      let next = round.next()
      if (next.done) {
        round = known.values()
        next = round.next()
      }
      if (!next.done && wasChanged(next.value)) meet(next.value.holder, 'done', next.value.file)
    }
  }

  function wasChanged({ holder, file, mark }: Known): boolean {
    try {
      const stat = statOrNothing(given.disk, `${given.layout.folder(holder, 'done')}/${file}`)
      return stat !== undefined && markOf(stat) !== mark
    } catch {
      // A folder that cannot be read: the patrol mends and tells it.
      return false
    }
  }

  return { isAsAgreed: (id, stat) => known.get(id)?.mark === markOf(stat), remember, putRight, forget: (key) => void waited.delete(key), sweep }
}
