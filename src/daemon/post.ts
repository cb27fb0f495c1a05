/** What follows from mail: bounces to who erred, the effect of replies, letters the daemon writes. */
import type { Config } from '../core/config.ts'
import type { MessageId } from '../core/ids.ts'
import type { Settles } from '../core/message.ts'
import type { Name } from '../core/names.ts'
import type { Apply, Change, Changed, Clear, Letter, Raise, Submit } from '../core/post.ts'
import { isSettled } from '../core/status.ts'
import { type Deliver, type Delivered, heldFix, heldSentence, letterDelivery, whyText } from '../deliver/index.ts'
import type { AdmitIntent, HoldIntent, Sealed } from '../journal/index.ts'
import { type Layout, type Mail, statOrNothing, whyBeside } from '../mailbox/index.ts'
import { firstLine } from '../message/index.ts'
import type { Clock, Disk, Log, Owner } from '../system/types.ts'
import { type Correction, clearMisleadingName, correctionOf } from './corrections.ts'
import type { State } from './state.ts'

export type PostGiven = Readonly<{
  clock: Clock
  disk: Disk
  log: Log
  layout: Layout
  state: State
  config: () => Config
  deliver: () => Deliver
  apply: () => Apply
  markAnswered: (task: MessageId, reply: MessageId) => Promise<unknown>
  /** Changes priority and date of a task that is not settled. */
  correct: (id: MessageId, values: Correction, by: Name) => Promise<Changed>
  sealed: Sealed
  recall: (id: MessageId) => Mail | undefined
  raise: Raise
  clear: Clear
  /** Resolves when every message is known. */
  ready: Promise<void>
  heldOwner: () => Owner | undefined
  /** A held file has an alert now. */
  told: (held: string) => void
}>

export type Post = Readonly<{ submit: Submit; held: (intent: HoldIntent) => void; followUp: (delivered: Delivered) => Promise<void> }>

/** Bounces to one agent: more than this many in a minute tell it nothing new. */
const BOUNCES_A_MINUTE = 20
/** For a task whose holder keeps it open when a reply settles it. Milliseconds. */
const FIRST_AGAIN_MS = 100
const LAST_AGAIN_MS = 5_000
const INSIST_MS = 120_000

export function createPost(given: PostGiven): Post {
  const { state, raise } = given
  const underWay = new Map<string, Promise<MessageId>>()
  const bounced = new Map<string, number[]>()

  async function submitOnce(letter: Letter): Promise<MessageId> {
    await given.ready
    const known = state.handles.letter(letter.key)
    if (known) return known
    const parent = letter.inReplyTo === undefined ? undefined : given.recall(letter.inReplyTo)
    const thread = parent && { id: parent.id, thread: parent.thread, hops: parent.hops, origin: state.taints.originOf(parent) }
    const { mails } = await given.deliver().deliver(letterDelivery(letter, given.config(), thread), undefined)
    return (mails[0] as Mail).id
  }

  const submit: Submit = (letter) => {
    const running = underWay.get(letter.key)
    if (running) return running
    const work = submitOnce(letter).finally(() => underWay.delete(letter.key))
    underWay.set(letter.key, work)
    return work
  }

  function held(intent: HoldIntent): void {
    const why = whyBeside(`${given.layout.held}/${intent.held}`)
    const staged = `${given.layout.staging}/why.${intent.drop}`
    if (statOrNothing(given.disk, staged)) given.disk.unlink(staged)
    given.disk.create(staged, whyText(intent), 0o640, given.heldOwner())
    given.disk.rename(staged, why)
    const agent = given.config().agents.has(intent.from as Name) ? { agent: intent.from } : {}
    raise({ code: intent.code, about: `${intent.folder}/${intent.name}`, ...agent, sentence: heldSentence(intent), fix: heldFix(intent) })
    given.told(intent.held)
    if (agent.agent !== undefined && mayBounce(agent.agent)) bounceSoon(intent, agent.agent as Name)
  }

  function bounceSoon(intent: HoldIntent, to: Name): void {
    bounce(intent, to).catch((cause: unknown) => given.log('error', 'a bounce could not be sent', { id: intent.drop, to, why: String(cause) }))
  }

  function mayBounce(agent: string): boolean {
    const now = given.clock.monotonic()
    const recent = (bounced.get(agent) ?? []).filter((at) => now - at < 60_000)
    const may = recent.length < BOUNCES_A_MINUTE
    bounced.set(agent, may ? [...recent, now] : recent)
    return may
  }

  function bounce(intent: HoldIntent, to: Name): Promise<MessageId> {
    const body = `Your message ${intent.folder}/${intent.name} was not sent.\n\n${intent.complaints.map(({ code, what, near, spot }) => `- ${spot ? `line ${spot.line}, column ${spot.column}: ` : ''}${what}${near === undefined ? '' : ` (did you mean ${near}?)`} [${code}]`).join('\n')}\n\nCorrect it and drop it again.\n`
    return submit({ key: `bounce:${intent.drop}`, from: 'pennypost', to, kind: 'bounce', subject: `Not sent: ${intent.name}`, body, hops: intent.hops ?? 0 })
  }

  /** A reply may settle, reopen or withdraw the task it answers; one that says nothing of it is noted there. */
  async function followUp({ mails, intent }: Delivered): Promise<void> {
    const { inReplyTo, settles } = intent
    const [reply] = mails
    if (inReplyTo === undefined || !reply || intent.key !== undefined) return
    await given.ready
    if (settles === undefined) await noteAnswer(inReplyTo, reply)
    else if (settles !== 'no') await settle(inReplyTo, settles, reply, intent)
  }

  async function settle(task: MessageId, to: Exclude<Settles, 'no'>, reply: Mail, intent: AdmitIntent): Promise<void> {
    const mail = given.recall(task)
    if (!mail) return
    const correction = to === 'open' ? correctionOf(intent, mail, given.config()) : undefined
    // With something to correct, `open` says of a task that is under way that it may stay so.
    const isDone = mail.status === to || (correction && mail.status !== null && !isSettled(mail.status))
    if (!isDone && !(await settleTask(mail, to, reply, intent.text))) return
    if (correction) await correct(mail, correction, reply)
  }

  /** False: it was refused, which is told. */
  async function settleTask(mail: Mail, to: Exclude<Settles, 'no'>, reply: Mail, text: string): Promise<boolean> {
    const bySender = to === 'open' || to === 'cancelled'
    const actor = bySender ? (reply.from === mail.from ? 'sender' : 'postmaster') : 'holder'
    // The subject of a reply mostly repeats what was asked; what came of it stands in its first line.
    const said = bySender ? {} : { result: firstLine(text) ?? reply.subject }
    const result = await insist({ id: mail.id, to, actor, by: reply.from, ...said })
    if (result.outcome !== 'refused' && result.outcome !== 'busy') return true
    const command = bySender ? `penny set ${mail.id} status=${to}` : `penny settle ${mail.id} ${to} --agent ${mail.holder}`
    const fix = result.outcome === 'busy' ? command : undefined
    notFollowed(mail, `A reply of ${reply.from} says settles: ${to}, but ${result.why}`, fix)
    return false
  }

  async function correct(mail: Mail, correction: Correction, { from }: Mail): Promise<void> {
    const result = await given.correct(mail.id, correction, from as Name)
    if (result.outcome === 'refused' || result.outcome === 'busy') notFollowed(mail, `A reply of ${from} corrects its priority or date, but ${result.why}`)
    else if (result.outcome === 'gone') notFollowed(mail, `A reply of ${from} corrects its priority or date, but it was settled at that moment`)
    else if (correction.priority) clearMisleadingName(given.sealed, given.clear, mail.id)
  }

  function notFollowed({ id, holder }: Pick<Mail, 'id' | 'holder'>, what: string, fix = `penny log ${id}`): void {
    const sentence = `${what}; the reply was delivered, the task stays as it is.`
    raise({ code: 'status-conflict', about: id, agent: holder, sentence, fix })
  }

  /** A holder that keeps the task's file open: for a while only, because the intent of the reply stays open as long. */
  async function insist(change: Change): Promise<Changed> {
    for (let waitedMs = 0, againMs = FIRST_AGAIN_MS; ; waitedMs += againMs, againMs = Math.min(2 * againMs, LAST_AGAIN_MS)) {
      const changed = await given.apply()(change)
      if (changed.outcome !== 'busy' || waitedMs > INSIST_MS) return changed
      await new Promise<void>((resolve) => void given.clock.after(againMs, resolve))
    }
  }

  async function noteAnswer(task: MessageId, reply: Mail): Promise<void> {
    const mail = state.ledger.get(task)
    if (!mail || mail.status === null || isSettled(mail.status) || reply.from !== mail.holder) return
    // By this one: then a crash or a full disk came between that and the letter.
    if (mail.answered !== undefined && mail.answered !== reply.id) return
    await given.markAnswered(task, reply.id)
    const body = `You answered "${mail.subject}" (${task}), but did not close it. Close it with \`status: done\` in its front matter, or \`settles: done\` in the answer.\n`
    await submit({
      key: `answered:${task}:${reply.id}`,
      from: 'pennypost',
      to: mail.holder,
      kind: 'note',
      subject: `answered, not closed: ${mail.subject}`.slice(0, 200),
      body,
      inReplyTo: task,
    })
  }

  return { submit, held, followUp }
}
