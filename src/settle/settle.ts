import type { MessageId } from '../core/ids.ts'
import type { Name } from '../core/names.ts'
import type { Apply, Change, Changed } from '../core/post.ts'
import { type Folder, isSettled } from '../core/status.ts'
import { isSameVersion, type Mail, markOf, parseFileName } from '../mailbox/index.ts'
import { type HolderPart, parseMessage, readHolder } from '../message/index.ts'
import { makeConflicts } from './conflicts.ts'
import { type Correct, createCorrect } from './correct.ts'
import { type Decision, decide } from './decide.ts'
import { locate, move, type Place, placeAt, type Snapshot, snapshot } from './file.ts'
import { lastGoodText, withAnswer } from './good.ts'
import { makeLooks } from './looks.ts'
import { newText } from './newtext.ts'
import { moveNote } from './note.ts'
import { restoreProtected, tellTampered } from './protect.ts'
import { createRescue, type Done } from './rescue.ts'
import { mergeStale } from './stale.ts'
import { swap } from './swap.ts'
import { makeTurns } from './turns.ts'
import { MOST_EARLIER, MOST_WAITED_FOR, type SettleGiven } from './types.ts'
import { whole } from './whole.ts'

export type Settle = Readonly<{
  /** A name in a mailbox folder was touched, by anybody. */
  touched: (holder: Name, folder: Folder, name: string) => void
  /** Makes them agree soon, after others that were touched before. */
  look: (mail: Mail) => void
  /** Makes status, folder and name of one message agree; resolves when they do, or must wait for the holder. */
  adjust: (id: MessageId) => Promise<void>
  apply: Apply
  /** For mail without a status, which only lies somewhere. */
  moveNote: (id: MessageId, to: Folder, by: string) => Promise<Changed>
  /** Changes what the sender or postmaster may set. */
  set: Correct
  /** Resolves when nothing is being changed. */
  idle: () => Promise<void>
}>

/** What the face of the room hands to the parts that deal with other files in a mailbox. */
export type SettleHooks = Readonly<{
  /** The message's text as it now stands at its holder. */
  text: (mail: Mail, text: string) => void
  /** A file whose id is no unsettled message of this holder. */
  stranger: (holder: Name, folder: Folder, name: string) => void
}>

const BUSY_AGAIN_MS = 40
/** A holder may keep its file open for ever: whoever asks for a change is told so instead of waiting with it. */
const ASKED_MS = 2_000
const BUSY: Changed = { outcome: 'busy', why: 'its holder is writing it; try again' }
const MOST_ROUNDS = 8

export function createSettle(given: SettleGiven, hooks: SettleHooks): Settle {
  const { clock, ledger, record } = given
  const { inTurn, idle } = makeTurns()
  /** Messages that somebody asks to be changed, and whose holder has them open. */
  const waitedFor = new Set<MessageId>()
  const conflicts = makeConflicts(given)
  const begunMs = clock.now()
  /** Other places where a message was seen: copies that an editor saved late, or where its holder moved it. */
  const seenAt = new Map<MessageId, Map<string, { folder: Folder; name: string }>>()

  function again(id: MessageId, ms: number): void {
    const mail = ledger.get(id)
    if (mail) looks.later(mail.holder, id, ms)
  }
  const rescue = createRescue(given, again, hooks.text)
  const correct = createCorrect(given, hooks.text, adjustSoon)

  const looks = makeLooks<MessageId>(clock, (id) =>
    lookAt(id).catch((cause: unknown) => {
      given.log('error', 'a message could not be brought in step', { id, why: String(cause) })
      again(id, 1_000)
    }),
  )

  function adjustSoon(id: MessageId): void {
    const mail = ledger.get(id)
    if (mail) looks.soon(mail.holder, id)
    else seenAt.delete(id)
  }

  const lookAt = (id: MessageId): Promise<void> =>
    inTurn(id, async () => {
      const mail = ledger.get(id)
      const [key, at] = seenAt.get(id)?.entries().next().value ?? []
      if (!mail || !key || !at) {
        if (mail) await bring(mail, undefined)
        else seenAt.delete(id)
        return
      }
      const left = seenAt.get(id)
      left?.delete(key)
      if (left?.size === 0) seenAt.delete(id)
      if (!(await isMerged(mail, at.folder, at.name))) {
        alsoAt(id, at)
        return again(id, BUSY_AGAIN_MS)
      }
      if (seenAt.has(id)) adjustSoon(id)
      await bring(mail, undefined)
    })

  function alsoAt(id: MessageId, at: { folder: Folder; name: string }): void {
    const places = seenAt.get(id) ?? new Map<string, { folder: Folder; name: string }>()
    seenAt.set(id, places.set(`${at.folder}/${at.name}`, at))
  }

  /** False: somebody writes one of the two copies just now. */
  async function isMerged(mail: Mail, folder: Folder, name: string): Promise<boolean> {
    if (folder === mail.folder && name === mail.file) return true
    const elsewhere = placeAt(given, mail, mail.folder, mail.file) && placeAt(given, mail, folder, name)
    return !elsewhere || (await mergeStale(given, mail, elsewhere))
  }

  const adjust = (id: MessageId): Promise<void> =>
    inTurn(id, async () => {
      const mail = ledger.get(id)
      if (mail) await bring(mail, undefined)
    })

  const apply: Apply = async (change) => {
    // Many that wait for one file would wait one after the other.
    if (waitedFor.has(change.id)) return BUSY
    return inTurn(change.id, async () => {
      const mail = await given.past(change.id)
      try {
        return mail ? await bring(mail, change) : { outcome: 'gone' }
      } finally {
        // Whatever came of it: from now on nothing that says so is the daemon's.
        if (change.to === 'cancelled') given.withdrawn.end(change.id)
      }
    })
  }

  /** The one path on which a message's status, folder and text change. */
  async function bring(mail: Mail, asked: Change | undefined): Promise<Changed> {
    const was = mail.status
    const untilMs = clock.monotonic() + (asked?.waitMs ?? ASKED_MS)
    for (let round = 0; round < MOST_ROUNDS; round++) {
      const place = locate(given, mail)
      if (!place) {
        const state = await rescue.vanished(mail)
        if (state === 'gone') return { outcome: 'gone' }
        if (!asked) return { outcome: 'unchanged' }
        // An editor may be saving it: whoever asks waits as well.
        if (state === 'wait' && !(await mayWait(mail.id, untilMs))) return BUSY
        round -= 1
        continue
      }
      rescue.found(mail.id)
      if (!asked && isAgreed(mail, place)) return { outcome: 'unchanged' }
      const read = snapshot(given, mail, place)
      if (read === 'gone') continue
      if (read === 'too-large') return { outcome: 'refused', why: rescue.tooLarge(mail, place).refused ?? '' }
      if (typeof read === 'string') {
        if (read === 'busy' && !asked) again(mail.id, BUSY_AGAIN_MS)
        if (read !== 'busy' && rescue.unsafe(mail, place, read) === 'aside') continue
        if (!asked) return { outcome: 'unchanged' }
        if (!(await mayWait(mail.id, untilMs))) return BUSY
        round -= 1
        continue
      }
      try {
        const result = await step(mail, place, read, asked)
        if (result === 'again') continue
        if (result.refused !== undefined) return { outcome: 'refused', why: result.refused }
        return was === mail.status || was === null ? { outcome: 'unchanged' } : { outcome: 'changed', was }
      } finally {
        read.letGo()
      }
    }
    again(mail.id, 250)
    return asked ? BUSY : { outcome: 'unchanged' }
  }

  const isAgreed = (mail: Mail, place: Place): boolean => place.folder === mail.folder && place.file === mail.file && mail.mark === markOf(place.stat)

  /** Waits a moment, for who asked; false: it is over the time. What the holder does meanwhile is looked at in any case. */
  async function mayWait(id: MessageId, untilMs: number): Promise<boolean> {
    if (clock.monotonic() + BUSY_AGAIN_MS > untilMs) {
      again(id, BUSY_AGAIN_MS)
      return false
    }
    waitedFor.add(id)
    await new Promise<void>((resolve) => void clock.after(BUSY_AGAIN_MS, resolve))
    waitedFor.delete(id)
    return true
  }

  async function step(mail: Mail, place: Place, read: Snapshot, asked: Change | undefined): Promise<'again' | Done> {
    const bytes = withAnswer(mail, whole(given, mail, read.bytes))
    const parsed = parseMessage(bytes, { frontMatterBytes: 4 * given.config().org.limits.frontMatterBytes })
    if (!parsed.ok || !parsed.message.hasFrontMatter)
      return rescue.unreadable(
        mail,
        place,
        read,
        parsed.ok ? 'it has no front matter' : (parsed.complaints[0]?.what ?? 'it does not parse'),
        asked !== undefined,
      )
    rescue.parsed(mail.id)
    const holder = readHolder(parsed.message)
    const mended = restoreProtected(mail, bytes, parsed.message, holder, () => lastGoodText(given, mail))
    const withdrawing = holder.status === 'cancelled' && given.withdrawn.isBegun(mail.id)
    const decision = decide(mail, { folder: place.folder, holder, whileDown: place.stat.ctimeMs < begunMs, withdrawing }, asked)
    const text = newText(given, mail, mended?.text ?? parsed.message.text, mended === undefined && bytes === read.bytes, holder, decision, asked)
    let version = read.stat
    if (text.new !== parsed.message.text) {
      if (decision.status === 'cancelled') given.withdrawn.begin(mail.id)
      const swapped = await swap(given, mail, place, read, text.new)
      if (typeof swapped === 'string') return 'again'
      version = swapped.made
      // If its holder moves it before we do, the next round must not take our own words for the holder's.
      if (asked && decision.refused === undefined) mail.earlier = [{ updated: text.updated, status: decision.status }, ...mail.earlier].slice(0, MOST_EARLIER)
    }
    if (mended !== undefined) tellTampered(given, mail, mended)
    if (decision.folder !== place.folder || place.file !== mail.file) {
      if (!move(given, mail, place.path, decision.folder, mail.file)) return 'again'
    }
    // What the holder writes from now on differs from the version that was agreed; what it wrote just now does so already.
    const placed = placeAt(given, mail, decision.folder, mail.file)
    mail.mark = placed && isSameVersion(placed.stat, version) && (version !== read.stat || read.untouched()) ? markOf(placed.stat) : undefined
    agree(mail, decision, text.updated, holder, text.new)
    if (withdrawing) given.withdrawn.end(mail.id)
    const { result = holder.result, progress = holder.progress } = (decision.refused === undefined && asked) || {}
    if (ledger.get(mail.id)) given.said.keep(mail.id, { ...holder, result, progress })
    else given.said.forget(mail.id)
    if (mail.mark === undefined && ledger.get(mail.id)) again(mail.id, 1)
    return { refused: decision.refused }
  }

  /** Writes the agreement down: in the ledger, in the journal, in the sender's mirror. */
  function agree(mail: Mail, decision: Decision, updated: string, holder: HolderPart, text: string): void {
    const { status: was, folder: from } = mail
    const renewed = updated !== mail.updated
    if (renewed) mail.earlier = [{ updated: mail.updated, status: mail.status }, ...mail.earlier].slice(0, MOST_EARLIER)
    const moved = was !== decision.status || from !== decision.folder
    Object.assign(mail, { status: decision.status, folder: decision.folder, updated })
    const blockedOn = holder.blockedOn.slice(0, MOST_WAITED_FOR + 1)
    if (blockedOn.join('\n') !== mail.blockedOn.join('\n')) {
      mail.blockedOn = blockedOn
      record({ event: 'blocked', id: mail.id, on: blockedOn })
    }
    if (moved) mail.sinceMs = clock.now()
    if (moved || renewed)
      record({
        event: 'status',
        id: mail.id,
        holder: mail.holder,
        was,
        status: decision.status,
        folder: mail.folder,
        by: decision.by,
        updated,
        ...(mail.mark === undefined ? {} : { mark: mail.mark }),
      })
    conflicts.tell(mail, decision, moved)
    const gone = mail.status === null ? mail.folder === 'done' : isSettled(mail.status)
    if (gone) ledger.remove(mail.id)
    else if (!ledger.get(mail.id)) ledger.add(mail)
    hooks.text(mail, text)
    given.changed({ id: mail.id, holder: mail.holder, was, now: mail.status, by: decision.by })
  }

  function touched(holder: Name, folder: Folder, name: string): void {
    const parsed = parseFileName(name)
    const mail = parsed && ledger.get(parsed.id)
    if (!mail || mail.holder !== holder) return hooks.stranger(holder, folder, name)
    if (name !== mail.file) given.finder.forget(holder)
    if (folder !== mail.folder || name !== mail.file) alsoAt(mail.id, { folder, name })
    adjustSoon(mail.id)
  }

  return {
    touched,
    look: (mail) => adjustSoon(mail.id),
    adjust,
    apply,
    moveNote: (id, to, by) => inTurn(id, async () => moveNote(given, id, to, by)),
    set: (id, values, by) => inTurn(id, () => correct(id, values, by)),
    idle: async () => {
      await looks.idle()
      await idle()
    },
  }
}
