/** What is done about a file that grew too large, no longer parses, or is not there any more. */
import type { MessageId } from '../core/ids.ts'
import type { Name } from '../core/names.ts'
import { shellWord, showSafely } from '../core/text.ts'
import { formatSize } from '../core/units.ts'
import { type Mail, markOf } from '../mailbox/index.ts'
import { fixByDiff, setUnsafeAside } from './aside.ts'
import { type Place, placeAt, putNew, type Snapshot, setImpostorAside } from './file.ts'
import { lastGoodText } from './good.ts'
import { putGoodBack } from './swap.ts'
import { INCOMPLETE_MS, LINKED_MS, type SettleGiven } from './types.ts'
import { freshUpdated, keepLacking } from './whole.ts'

/** What a step on one message came to. `again`: look anew; else why a change that was asked for was not made. */
export type Done = Readonly<{ refused: string | undefined }>

export type Rescue = Readonly<{
  tooLarge: (mail: Mail, place: Place) => Done
  /** A file that may not be read lies in its place: `wait`, a second name may go again; `aside`: it is out of the way. */
  unsafe: (mail: Mail, place: Place, how: 'linked' | 'foreign') => 'wait' | 'aside'
  unreadable: (mail: Mail, place: Place, read: Snapshot, what: string, asked: boolean) => Promise<'again' | Done>
  /** `wait`: it may come back by itself; `back`: it was put back; `gone`: it is settled, or cannot be made again. */
  vanished: (mail: Mail) => Promise<'wait' | 'back' | 'gone'>
  /** The message is there, and parses: earlier troubles are over. */
  found: (id: MessageId) => void
  parsed: (id: MessageId) => void
}>

/** An editor may take a file away and put it back; page 3 allows five seconds until a vanished message is back. */
const VANISHED_MS = 2_500
const LINKED_AGAIN_MS = 100
const LETTER_MS = 10 * 60_000
/** More than so many of one mailbox at once have one cause, and are told as one. */
const MOST_ALONE = 3
const AT_ONCE_MS = 60_000

export function createRescue(given: SettleGiven, again: (id: MessageId, ms: number) => void, shown: (mail: Mail, text: string) => void): Rescue {
  const { clock, ledger } = given
  const vanishedAtMs = new Map<MessageId, number>()
  /** Cannot be put back, and that was told: every sweep misses it again. */
  const lost = new Set<MessageId>()
  /** Mailboxes of which many vanished at once, and until when more are counted with those. */
  const atOnceUntilMs = new Map<Name, number>()
  const linkedSinceMs = new Map<MessageId, number>()
  const unparsedSince = new Map<MessageId, { mark: string; atMs: number }>()

  /** A file that grew beyond every measure is left as it is: none of it may be cut off by writing it anew. */
  function tooLarge(mail: Mail, place: Place): Done {
    const about = `workspaces/${mail.holder}/${place.folder}/${showSafely(place.file)}`
    given.raise({
      code: 'too-large',
      about: mail.id,
      agent: mail.holder,
      sentence: `${about} has grown to ${formatSize(place.stat.size)}; its status is not followed until it is smaller.`,
      fix: `ls -l ${shellWord(`workspaces/${mail.holder}/${place.folder}/${place.file}`)}`,
    })
    if (place.folder === mail.folder && place.file === mail.file) mail.mark = markOf(place.stat)
    return { refused: `it has grown to ${formatSize(place.stat.size)}` }
  }

  function unsafe(mail: Mail, place: Place, how: 'linked' | 'foreign'): 'wait' | 'aside' {
    const since = linkedSinceMs.get(mail.id) ?? clock.monotonic()
    if (how === 'linked' && clock.monotonic() - since < LINKED_MS) {
      linkedSinceMs.set(mail.id, since)
      again(mail.id, LINKED_AGAIN_MS)
      return 'wait'
    }
    linkedSinceMs.delete(mail.id)
    setUnsafeAside(given, mail, place, how)
    // It was there long enough to be no editor's work: nothing more is waited for.
    vanishedAtMs.set(mail.id, clock.monotonic() - VANISHED_MS)
    return 'aside'
  }

  /** Front matter that no longer parses keeps its last status; the holder's text is kept and it is told. */
  async function unreadable(mail: Mail, place: Place, read: Snapshot, what: string, asked: boolean): Promise<'again' | Done> {
    const { bytes } = read
    const mark = markOf(read.stat)
    const since = unparsedSince.get(mail.id)
    if (since?.mark !== mark) unparsedSince.set(mail.id, { mark, atMs: clock.monotonic() })
    const waitedMs = since?.mark === mark ? clock.monotonic() - since.atMs : 0
    const mayBeSaving = bytes.length === 0 || /--- and never closed|empty/.test(what)
    if (mayBeSaving && waitedMs < INCOMPLETE_MS && !asked) {
      again(mail.id, INCOMPLETE_MS - waitedMs + 10)
      return { refused: undefined }
    }
    const last = lastGoodText(given, { ...mail, updated: freshUpdated(given, mail) }, given.said.of(mail.id))
    if (last === undefined) return { refused: 'its front matter does not parse' }
    const kept = await putGoodBack(given, mail, place, read, last)
    if (kept === undefined) return 'again'
    unparsedSince.delete(mail.id)
    keepLacking(given, mail, bytes)
    const sentence = `The front matter of message ${mail.id} (${mail.subject}) at ${mail.holder} does not parse any more: ${what}. Its last state was put back; the text is in ${kept}.`
    given.raise({
      code: 'bad-front-matter',
      about: mail.id,
      agent: mail.holder,
      sentence,
      fix: fixByDiff(kept, mail),
    })
    await given.submit({
      // One for all that is tried within ten minutes: who breaks it in a loop must not fill a mailbox with letters.
      key: `unparsed:${mail.id}:${Math.floor(clock.now() / LETTER_MS)}`,
      from: 'pennypost',
      to: mail.holder,
      kind: 'bounce',
      subject: `Your edit of "${mail.subject}" does not parse`,
      body: `${sentence}\n\nQuote values that hold a colon, as in  result: "Done: see x".\n`,
      inReplyTo: mail.id,
    })
    return 'again'
  }

  async function vanished(mail: Mail): Promise<'wait' | 'back' | 'gone'> {
    const since = vanishedAtMs.get(mail.id) ?? clock.monotonic()
    vanishedAtMs.set(mail.id, since)
    const waitedMs = clock.monotonic() - since
    if (!ledger.get(mail.id)) return 'gone'
    if (waitedMs < VANISHED_MS) {
      again(mail.id, VANISHED_MS - waitedMs + 10)
      return 'wait'
    }
    const text = lastGoodText(given, mail, given.said.of(mail.id))
    if (text === undefined) {
      countAtOnce(mail.holder)
      vanishedAtMs.delete(mail.id)
      if (lost.has(mail.id)) return 'gone'
      lost.add(mail.id)
      tellMissing(mail, {
        one: `its original is past the retention time, so it cannot be put back. Its sender ${mail.from} may send it again.`,
        fix: `penny log ${mail.id}   # what it was; then: penny alerts done missing-message.${mail.id}`,
      })
      return 'gone'
    }
    countAtOnce(mail.holder)
    vanishedAtMs.delete(mail.id)
    given.repair(mail.holder)
    setImpostorAside(given, mail)
    await putNew(given, mail, mail.folder, text)
    const placed = placeAt(given, mail, mail.folder, mail.file)
    mail.mark = placed && markOf(placed.stat)
    tellMissing(mail, {
      one: 'it was put back as it was sent, with its last status, result and progress.',
      fix: `penny show ${mail.id} && penny alerts done missing-message.${mail.id}   # what is gone is only what was written into it unseen`,
    })
    shown(mail, text)
    return 'back'
  }

  function countAtOnce(holder: Name): void {
    const now = clock.monotonic()
    if ((atOnceUntilMs.get(holder) ?? 0) > now) return
    atOnceUntilMs.delete(holder)
    let count = 0
    for (const id of vanishedAtMs.keys()) {
      if (ledger.get(id)?.holder === holder && ++count > MOST_ALONE) {
        atOnceUntilMs.set(holder, now + AT_ONCE_MS)
        return
      }
    }
  }

  function tellMissing({ id, subject, holder }: Mail, { one, fix }: Readonly<{ one: string; fix: string }>): void {
    const message = `Message ${id} (${subject}) vanished from ${holder}'s mailbox before it was settled; ${one}`
    if (!atOnceUntilMs.has(holder)) return given.raise({ code: 'missing-message', about: id, agent: holder, sentence: message, fix })
    given.raise({
      code: 'missing-message',
      about: `workspaces/${holder}`,
      agent: holder,
      sentence: `Many messages vanished from ${holder}'s mailbox at once, as when its folder is renamed or removed. Each is counted here and was put back, if it could be. The last: ${message}`,
      fix: `ls -la workspaces ${shellWord(`workspaces/${holder}`)}; penny alerts   # another one tells what became of the folder; then: penny tasks ${shellWord(`to:${holder}`)}`,
    })
  }

  return {
    tooLarge,
    unsafe,
    unreadable,
    vanished,
    found: (id) => {
      vanishedAtMs.delete(id)
      lost.delete(id)
    },
    parsed: (id) => {
      unparsedSince.delete(id)
      linkedSinceMs.delete(id)
    },
  }
}
