/** Which mail wakes its holder (contract, page 3: "Waking an agent", "Loop guards"). */

import type { Runner } from '../core/config.ts'
import { isMessageId, type MessageId } from '../core/ids.ts'
import { MOST_HOPS } from '../core/message.ts'
import type { Name } from '../core/names.ts'
import { isOpenTask, type Mail } from '../mailbox/index.ts'
import type { WakeGiven } from './given.ts'
import { LONGEST_DELAY_MS } from './verdict.ts'

export type Wakes = 'yes' | 'no' | Readonly<{ notBeforeMs: number }>

/** A reply and the settling that it brings are two steps of the mail: how long the second may take. Milliseconds. */
const SETTLING_MS = 1_000
/** Words looked up for one reply, those of the last tasks first: each may be looked for in a large file, and a holder can make up any number. Who has more is woken once too often. */
const MOST_LOOKED_UP = 200
/** Replies that one run is told of. Their paths are one word of its environment, of which Linux takes 128 KiB (execve(2), MAX_ARG_STRLEN); the rest stays unread. */
const MOST_REPLIES = 200

type Given = Pick<WakeGiven, 'ledger' | 'wroteIt' | 'meant'>

export function wakes(mail: Mail, runner: Runner, given: Given, nowMs: number): Wakes {
  if (mail.folder !== 'new' || (mail.from === mail.holder && !mail.reminder)) return 'no'
  if (mail.retryAtMs !== undefined && mail.retryAtMs > nowMs && mail.retryAtMs <= nowMs + LONGEST_DELAY_MS) return { notBeforeMs: mail.retryAtMs }
  if (mail.status !== null) return mail.status === 'open' ? 'yes' : 'no'
  // Whose messages fail at the end of a chain would be woken by each bounce to send the next.
  if (mail.kind === 'bounce' && mail.hops > MOST_HOPS) return 'no'
  if (mail.reminder || !isReply(mail, given.wroteIt)) return mail.reminder || runner.notes ? 'yes' : 'no'
  return replyWakes(mail, given, nowMs)
}

function isReply(mail: Mail, wroteIt: Given['wroteIt']): boolean {
  return mail.kind === 'note' && mail.from !== 'pennypost' && mail.inReplyTo !== undefined && wroteIt(mail.holder, mail.inReplyTo)
}

/** A reply that unblocks a task starts one run, the task's, which gets it along (`repliesFor`). */
function replyWakes(reply: Mail, given: Given, nowMs: number): Wakes {
  const question = reply.inReplyTo
  if (question === undefined || !isWaitedFor(given, reply.holder, question)) return 'yes'
  const asked = given.ledger.get(question)
  if (!asked || !isOpenTask(asked)) return 'no'
  // It may be a question back: then the one who waits has to be woken, or both wait for ever.
  const settledBy = reply.createdMs + SETTLING_MS
  return nowMs < settledBy ? { notBeforeMs: settledBy } : 'yes'
}

function isWaitedFor(given: Given, holder: Name, question: MessageId): boolean {
  let left = MOST_LOOKED_UP
  for (const mail of [...given.ledger.of(holder).values()].reverse()) {
    if (mail.blockedOn.length === 0 || !isOpenTask(mail)) continue
    if (mail.blockedOn.includes(question)) return true
    const words = mail.blockedOn.filter((word) => !isMessageId(word)).slice(0, left)
    left -= words.length
    if (words.some((word) => given.meant(holder, word) === question)) return true
  }
  return false
}

/** Unread replies to what this task waited for: its run reads them. */
export function repliesFor(task: Mail, given: Given): Mail[] {
  if (task.blockedOn.length === 0) return []
  const waitedFor = new Set(task.blockedOn.map((word) => (isMessageId(word) ? word : given.meant(task.holder, word))))
  const found: Mail[] = []
  for (const mail of given.ledger.of(task.holder).values()) {
    const isUnread = mail.folder === 'new' && mail.status === null && mail.kind === 'note'
    if (isUnread && mail.inReplyTo !== undefined && waitedFor.has(mail.inReplyTo)) found.push(mail)
    if (found.length >= MOST_REPLIES) break
  }
  return found
}
