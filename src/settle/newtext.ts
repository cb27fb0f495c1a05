import type { Value } from '../core/message.ts'
import type { Change } from '../core/post.ts'
import type { Mail } from '../mailbox/index.ts'
import { type HolderPart, rewrite } from '../message/index.ts'
import type { Decision } from './decide.ts'
import type { SettleGiven } from './types.ts'
import { freshUpdated } from './whole.ts'

/** The message as it reads once what was decided is written into it. `asRead`: `text` is what lies there, so that nothing need be written where nothing changes. */
export function newText(
  given: SettleGiven,
  mail: Mail,
  text: string,
  asRead: boolean,
  holder: HolderPart,
  decision: Decision,
  asked: Change | undefined,
): Readonly<{ new: string; updated: string }> {
  const edits: Record<string, Value | undefined> = {}
  const accepted = asked !== undefined && decision.refused === undefined
  if (accepted && asked.result !== undefined) edits['result'] = asked.result
  if (accepted && asked.progress !== undefined) edits['progress'] = asked.progress
  if (decision.status === null && (holder.status !== undefined || holder.badStatus !== undefined)) edits['status'] = undefined
  if (decision.status !== null && holder.status !== decision.status) edits['status'] = decision.status
  const statusMoved = decision.status !== mail.status || decision.folder !== mail.folder
  if (asRead && Object.keys(edits).length === 0 && !statusMoved && holder.updated === mail.updated) return { new: text, updated: mail.updated }
  const updated = freshUpdated(given, mail)
  return { new: rewrite(text, { ...edits, updated }), updated }
}
