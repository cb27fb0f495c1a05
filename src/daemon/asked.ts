/** Answers what the rooms ask about other messages: from the ledger, and for settled ones from the journal. */
import type { Asked } from '../admit/index.ts'
import type { Config } from '../core/config.ts'
import { isMessageId, type MessageId } from '../core/ids.ts'
import type { Name } from '../core/names.ts'
import { isSettled, statusByFolder } from '../core/status.ts'
import { copyText, type Deliver } from '../deliver/index.ts'
import type { Journal, Sealed } from '../journal/index.ts'
import { type Finder, type Ledger, type Mail, mailFrom, openUnlessLeased, statOrNothing } from '../mailbox/index.ts'
import { parseHead, readHolder } from '../message/index.ts'
import type { Clock, Disk, Path } from '../system/types.ts'
import { happened } from './rebuild.ts'
import type { State } from './state.ts'

export type Answers = Readonly<{
  asked: () => Asked
  /** A message of any age as the ledger would hold it; its status is what its file says. */
  recall: (id: MessageId) => Mail | undefined
  /** The same by the journal alone: its holder's file has no say. */
  past: (id: MessageId) => Promise<Mail | undefined>
  original: (id: MessageId) => string | undefined
  /** The id an entry of `blocked_on` or `in_reply_to` means to this holder; undefined for text, an id nobody has, a ref of several. */
  meant: (holder: string, idOrRef: string) => MessageId | undefined
  wroteIt: (agent: Name, id: MessageId) => boolean
}>

export type AnswersGiven = Readonly<{
  clock: Clock
  disk: Disk
  finder: Finder
  ledger: Ledger
  journal: Journal
  sealed: Sealed
  state: State
  config: () => Config
  inHand: () => Deliver['inHand']
  ready: () => boolean
}>

/** The two lines around the front matter, a byte order mark and the first characters after them. */
const MARKS_BYTES = 32
const JUST_CREATED_MS = 1_000
/** Of the messages that a ref may mean. */
const MOST_NAMED = 10

export function createAnswers(given: AnswersGiven): Answers {
  const { ledger, state, journal, finder, disk, clock } = given

  function recall(id: MessageId): Mail | undefined {
    const known = ledger.get(id)
    if (known) return known
    const admission = journal.admissionOf(id)
    const copy = admission?.copies.find((one) => one.id === id)
    if (!admission || !copy) return undefined
    const mail = mailFrom(admission, copy)
    const found = find(mail)
    if (found) Object.assign(mail, { folder: found.folder, file: found.file })
    const head = found && headOf(found.path)
    // Where its file cannot be read, its folder tells.
    if (found && mail.status !== null) mail.status = head?.status ?? statusByFolder(found.folder, mail.status)
    if (head?.updated !== undefined) mail.updated = head.updated
    return mail
  }

  async function past(id: MessageId): Promise<Mail | undefined> {
    let mail = ledger.get(id)
    if (mail) return mail
    await journal.pastOf(id, (entry) => {
      const copy = entry.event === 'admitted' && entry.copies.find((one) => one.id === id)
      if (copy) mail = mailFrom(entry, copy)
      else if (mail) happened(mail, entry)
    })
    // Reopened meanwhile, perhaps.
    return ledger.get(id) ?? mail
  }

  /** Where its file lies now: what is known of a moment ago counts only where it still holds. */
  function find(mail: Mail): ReturnType<typeof finder.find> {
    const found = finder.find(mail.holder, mail.id, mail.file)
    const isNew = clock.now() - mail.createdMs < JUST_CREATED_MS
    if (found ? statOrNothing(disk, found.path) : !isNew) return found
    finder.forget(mail.holder)
    return finder.find(mail.holder, mail.id, mail.file)
  }

  function headOf(path: Path): ReturnType<typeof readHolder> | undefined {
    const { limits } = given.config().org
    const fd = openUnlessLeased(disk, path)
    if (typeof fd === 'string') return undefined
    try {
      const { kind, size } = disk.fstat(fd)
      if (kind !== 'file') return undefined
      const parsed = parseHead(disk.read(fd, Math.min(size, limits.frontMatterBytes + MARKS_BYTES)), limits)
      return parsed.ok ? readHolder(parsed.message) : undefined
    } finally {
      disk.close(fd)
    }
  }

  function meant(holder: string, idOrRef: string): MessageId | undefined {
    if (isMessageId(idOrRef)) return ledger.get(idOrRef) || journal.admissionOf(idOrRef) ? idOrRef : undefined
    const own = state.handles.sent(holder, idOrRef)
    if (own) return own.ids[0]
    const received = state.handles.received(holder, idOrRef)
    if (received.length <= 1) return received[0]
    // Several senders chose the same ref: it means the one that is not settled, or nothing.
    const unsettled = received.filter((id) => ledger.get(id))
    return unsettled.length === 1 ? unsettled[0] : undefined
  }

  function parent(idOrRef: string, asker: string): ReturnType<Asked['parent']> {
    if (!given.ready()) return 'later'
    const id = meant(asker, idOrRef)
    const received = id === undefined ? state.handles.received(asker, idOrRef) : []
    if (received.length > 1) return { among: received.slice(0, MOST_NAMED) }
    const mail = id && recall(id)
    if (!mail) return undefined
    const concerned = mail.holder === asker || mail.from === asker || asker === given.config().org.postmaster || asker === 'pennypost'
    // What one was no part of, one can neither answer nor learn to exist.
    if (!concerned && !journal.admissionOf(mail.id)?.copies.some(({ to }) => to === asker)) return undefined
    const settled = mail.status !== null && isSettled(mail.status)
    return {
      id: mail.id,
      thread: mail.thread,
      hops: mail.hops,
      holder: mail.holder,
      from: mail.from,
      origin: state.taints.originOf(mail),
      kind: mail.kind,
      subject: mail.subject,
      status: mail.status,
      settled,
    }
  }

  return {
    recall,
    past,
    meant,
    original: (id) => {
      const intent = given.sealed.find(id)
      const copy = intent?.act === 'admit' ? intent.copies.find((one) => one.id === id) : undefined
      return intent?.act === 'admit' && copy ? copyText(intent, copy) : undefined
    },
    wroteIt: (agent, id) => recall(id)?.from === agent,
    asked: () => ({
      nowMs: given.clock.now(),
      parent,
      refSeen: (from, ref) => {
        if (!given.ready() || given.inHand().hasRef(from, ref)) return 'later'
        const seen = state.handles.sent(from, ref)
        const first = seen?.ids[0]
        return seen && first ? { sha256: seen.sha256, id: first } : undefined
      },
      threadPace: (thread, from) => {
        const senders = [...state.sendersOf(thread), ...given.inHand().inThread(thread)]
        return { all: senders.length, own: senders.filter((one) => one === from).length, senders: new Set([...senders, from]).size }
      },
      load: (holder) => ledger.tasks(holder) + given.inHand().copiesFor(holder),
      wroteBefore: (holder, to) => state.wrote(holder, to),
      room: (holder) => ledger.count(holder) + given.inHand().copiesFor(holder) < given.config().org.limits.backlog,
    }),
  }
}
