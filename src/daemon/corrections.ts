/** What a sender sets right in a task it sent: its `settles: open` may carry another priority or date (docs/decisions/0010). */
import type { Config } from '../core/config.ts'
import type { FaultCode } from '../core/fault.ts'
import { idTimeMs, type MessageId } from '../core/ids.ts'
import { findPriority } from '../core/priority.ts'
import type { AdmitIntent, Sealed } from '../journal/index.ts'
import type { Mail } from '../mailbox/index.ts'
import { parseMessage, readDraft } from '../message/index.ts'

export type Correction = Readonly<{ priority?: { name: string; rank: number }; due?: string }>

/** What the message says in so many words, and the task does not say yet; a priority that it has by default says nothing of the task. */
export function correctionOf(intent: AdmitIntent, task: Mail, config: Config): Correction | undefined {
  const parsed = parseMessage(Buffer.from(intent.text), config.org.limits)
  const written = parsed.ok ? readDraft(parsed.message).draft.priority : undefined
  const found = written === undefined ? undefined : findPriority(config.priorities, written)
  const priority = found && 'rule' in found && found.rule.name !== task.priority ? { name: found.rule.name, rank: found.rule.rank } : undefined
  const due = intent.due === task.due ? undefined : intent.due
  return priority || due !== undefined ? { ...(priority ? { priority } : {}), ...(due === undefined ? {} : { due }) } : undefined
}

/** The name of its file said another priority: whoever sets one has said what is right. */
export function clearMisleadingName(sealed: Sealed, clear: (code: FaultCode, about: string) => void, id: MessageId): void {
  const intent = sealed.find(id, idTimeMs(id))
  if (intent?.act === 'admit' && intent.source) clear('priority-in-name', `${intent.source.folder}/${intent.name}`)
}
