/** Tasks that wait for other messages go back to new/ when the last of those is settled. */
import { isMessageId, type MessageId } from '../core/ids.ts'
import type { Apply } from '../core/post.ts'
import { oneLine } from '../core/text.ts'
import type { Mail } from '../mailbox/index.ts'
import { MOST_WAITED_FOR, type SettleGiven } from './types.ts'

export type Blocked = Readonly<{
  /** A message changed: it may wait now, or others may have waited for it. */
  changed: (id: MessageId) => void
  /** Looks again at some of those that wait: what is not known yet may be sent later, and what failed is tried again. */
  sweep: (all: boolean) => void
}>

/** Tasks looked at anew in one sweep. */
const A_SWEEP = 50

/** What one task waits for; an entry without an id is text, an id that no message has, or a ref nobody used yet. */
type Wait = { on: readonly string[]; ids: (MessageId | undefined)[] }

export function createBlocked(given: SettleGiven, apply: Apply): Blocked {
  const { ledger } = given
  const waits = new Map<MessageId, Wait>()
  const waitingFor = new Map<MessageId, Set<MessageId>>()
  let round: Iterator<MessageId> | undefined

  function forget(id: MessageId): void {
    for (const other of waits.get(id)?.ids ?? []) {
      const tasks = other && waitingFor.get(other)
      tasks?.delete(id)
      if (other && tasks?.size === 0) waitingFor.delete(other)
    }
    waits.delete(id)
  }

  function resolve(mail: Mail): void {
    const isKnown = waits.get(mail.id)?.on === mail.blockedOn
    forget(mail.id)
    const ids = mail.blockedOn.slice(0, MOST_WAITED_FOR).map((entry) => given.meant(mail.holder, entry))
    // Not followed to the end: it never resolves by itself.
    if (mail.blockedOn.length > MOST_WAITED_FOR) ids.push(undefined)
    if (!isKnown) tellUnknown(mail, ids)
    waits.set(mail.id, { on: mail.blockedOn, ids })
    for (const other of ids) {
      if (other === undefined) continue
      const tasks = waitingFor.get(other)
      if (tasks) tasks.add(mail.id)
      else waitingFor.set(other, new Set([mail.id]))
    }
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

  function look(id: MessageId, isNew: boolean): void {
    const mail = ledger.get(id)
    if (mail?.status !== 'blocked' || mail.blockedOn.length === 0) return forget(id)
    const known = waits.get(id)
    if (!isNew && known?.on === mail.blockedOn && !known.ids.includes(undefined)) return openIfFree(id)
    if (isNew && known?.on === mail.blockedOn) return
    resolve(mail)
    openIfFree(id)
  }

  return {
    changed: (id) => {
      look(id, true)
      for (const task of [...(waitingFor.get(id) ?? [])]) openIfFree(task)
    },
    sweep: (all) => {
      if (all) for (const mail of ledger.all()) if (mail.status === 'blocked' && !waits.has(mail.id)) look(mail.id, true)
      for (let left = Math.min(A_SWEEP, waits.size); left > 0; left--) {
        round ??= waits.keys()
        const next = round.next()
        if (next.done) {
          round = undefined
          return
        }
        look(next.value, false)
      }
    },
  }
}
