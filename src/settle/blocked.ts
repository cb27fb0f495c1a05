/** Tasks that wait for other messages go back to new/ when the last of those is settled. */
import { isMessageId, type MessageId } from '../core/ids.ts'
import type { Name } from '../core/names.ts'
import type { Apply } from '../core/post.ts'
import { oneLine } from '../core/text.ts'
import type { Mail } from '../mailbox/index.ts'
import { MOST_WAITED_FOR, type SettleGiven } from './types.ts'

export type Blocked = Readonly<{
  /** A message changed: it may wait now, or others may have waited for it. */
  changed: (id: MessageId) => void
  /** Looks again at some of those that wait: what is not known yet may be sent later, and what failed is tried again. */
  sweep: (all: boolean) => void
  /** What a task waits for, as far as it is known by now. */
  waitsFor: (id: MessageId) => readonly MessageId[]
  /** Whether all that waited at the start were asked about: before, what seems to wait for nothing may only not have been looked at. */
  isKnown: () => boolean
}>

export type BlockedGiven = Pick<SettleGiven, 'clock' | 'ledger' | 'log' | 'meant' | 'raise' | 'submit'>

/** Words asked about in one sweep, and of one task at a time: each may be looked for in large files, and a holder can make up any number of them. */
const A_SWEEP = 500
const A_TASK = 10
/** The same as time, milliseconds: at least one word is asked about. */
const SWEEP_MS = 50
const TASK_MS = 15

/** What one task waits for; an entry without an id is text, an id that no message has, a ref nobody used yet, or one not asked about so far. */
type Wait = { readonly holder: Name; readonly on: readonly string[]; readonly ids: (MessageId | undefined)[]; next: number; isSeen: boolean }

export function createBlocked(given: BlockedGiven, apply: Apply): Blocked {
  const { clock, ledger } = given
  const waits = new Map<MessageId, Wait>()
  const waitingFor = new Map<MessageId, Set<MessageId>>()
  /** In the order in which they are looked at, holder by holder: nobody waits longer because another has thousands. */
  const turns = new Map<Name, Set<MessageId>>()
  /** Of those that waited at the start; undefined: who that is is not known yet. No later one joins them: a holder could keep one such there for ever. */
  let unasked: Set<MessageId> | undefined

  function forget(id: MessageId): void {
    const wait = waits.get(id)
    if (!wait) return
    for (const other of wait.ids) {
      const tasks = other && waitingFor.get(other)
      tasks?.delete(id)
      if (other && tasks?.size === 0) waitingFor.delete(other)
    }
    waits.delete(id)
    unasked?.delete(id)
    const turn = turns.get(wait.holder)
    turn?.delete(id)
    if (turn?.size === 0) turns.delete(wait.holder)
  }

  /** Nothing of it is asked about yet. */
  function enrol({ id, holder, blockedOn: on }: Mail): Wait {
    forget(id)
    // Where there are more than are followed, the rest stays unknown: it never resolves by itself.
    const wait: Wait = { holder, on, ids: on.map(() => undefined), next: 0, isSeen: false }
    waits.set(id, wait)
    turns.set(holder, (turns.get(holder) ?? new Set()).add(id))
    return wait
  }

  /** Asks about the next words that are not known, from where the last look ended; returns how many. */
  function ask(mail: Mail, wait: Wait): number {
    const untilMs = clock.monotonic() + TASK_MS
    const followed = Math.min(wait.on.length, MOST_WAITED_FOR)
    let asked = 0
    for (let left = followed; left > 0 && asked < A_TASK && (asked === 0 || clock.monotonic() < untilMs); left--) {
      const at = wait.next
      const word = wait.on[at]
      if (word !== undefined && wait.ids[at] === undefined) {
        const isOpen = isMessageId(word) && ledger.get(word) !== undefined
        // An id that nobody had is a mistake, and told: the journal is searched for it once.
        const isAsked = !isOpen && !(isMessageId(word) && wait.isSeen)
        if (isAsked) asked++
        const other = isOpen ? word : isAsked ? given.meant(mail.holder, word) : undefined
        wait.ids[at] = other
        if (other !== undefined) waitingFor.set(other, (waitingFor.get(other) ?? new Set()).add(mail.id))
      }
      wait.next = (at + 1) % followed
      if (wait.next > 0 || wait.isSeen) continue
      wait.isSeen = true
      unasked?.delete(mail.id)
      tellUnknown(mail, wait.ids)
    }
    return asked
  }

  /** An id is copied, so one that no message has is a mistake: it would be waited for, for ever and unseen. */
  function tellUnknown(mail: Mail, ids: readonly (MessageId | undefined)[]): void {
    const unknown = mail.blockedOn.slice(0, MOST_WAITED_FOR).filter((entry, index) => isMessageId(entry) && ids[index] === undefined)
    const [first] = unknown
    if (first === undefined) return
    const what = `blocked_on of "${mail.subject}" (${mail.id}) names ${unknown.join(', ')}, and there is no such message: the task will not unblock by itself.`
    given.raise({
      code: 'bad-value',
      about: mail.id,
      agent: mail.holder,
      sentence: what,
      fix: `penny settle ${mail.id} blocked --on THE-RIGHT-ID --agent ${mail.holder}`,
    })
    given
      .submit({
        key: `blocked:${mail.id}:${first}`,
        from: 'pennypost',
        to: mail.holder,
        kind: 'note',
        subject: oneLine(`waits for nothing: ${mail.subject}`),
        body: `${what}\n\nCorrect \`blocked_on\` in its front matter, or set \`status: open\`.\n`,
        inReplyTo: mail.id,
      })
      .catch((cause: unknown) => given.log('error', 'a holder could not be told of an unknown id', { id: mail.id, why: String(cause) }))
  }

  /** Only ids and refs are waited for; text (a reason for people) never resolves by itself. */
  function openIfFree(id: MessageId): void {
    const isFree = waits.get(id)?.ids.every((other) => other !== undefined && (ledger.get(other)?.status ?? null) === null)
    if (!isFree || ledger.get(id)?.status !== 'blocked') return
    apply({ id, to: 'open', actor: 'daemon', by: 'daemon', why: 'what it waited for is settled', waitMs: 0 }).catch((cause: unknown) =>
      given.log('error', 'a task could not be unblocked; the next sweep tries again', { id, why: String(cause) }),
    )
  }

  /** Returns how many words were asked about. */
  function look(id: MessageId): number {
    const mail = ledger.get(id)
    const known = waits.get(id)
    if (mail?.status !== 'blocked' || mail.blockedOn.length === 0) {
      forget(id)
      return 0
    }
    const asked = ask(mail, known?.on === mail.blockedOn ? known : enrol(mail))
    openIfFree(id)
    return asked
  }

  /** Whose turn it is; it is last from now on, and so is its holder. */
  function nextInTurn(): MessageId | undefined {
    const [first] = turns
    if (!first) return undefined
    const [holder, tasks] = first
    turns.delete(holder)
    turns.set(holder, tasks)
    const [id] = tasks
    if (id !== undefined && tasks.delete(id)) tasks.add(id)
    return id
  }

  return {
    changed: (id) => {
      const mail = ledger.get(id)
      const isKnown = mail?.status === 'blocked' && waits.get(id)?.on === mail.blockedOn
      if (!isKnown) look(id)
      for (const task of [...(waitingFor.get(id) ?? [])]) openIfFree(task)
    },
    sweep: (all) => {
      if (all) for (const mail of ledger.all()) if (mail.status === 'blocked' && mail.blockedOn.length > 0 && !waits.has(mail.id)) enrol(mail)
      if (all) unasked ??= new Set([...waits].flatMap(([id, { isSeen }]) => (isSeen ? [] : [id])))
      const untilMs = clock.monotonic() + SWEEP_MS
      let asked = 0
      for (let left = Math.min(A_SWEEP, waits.size); left > 0 && asked < A_SWEEP && clock.monotonic() < untilMs; left--) {
        const id = nextInTurn()
        if (id !== undefined) asked += look(id)
      }
    },
    waitsFor: (id) => (waits.get(id)?.ids ?? []).filter((other) => other !== undefined),
    isKnown: () => unasked?.size === 0,
  }
}
