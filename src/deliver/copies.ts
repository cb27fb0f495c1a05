/** The copies of one message: what each says, and the ledger's view of it. */

import { createdMsOf, type MessageId } from '../core/ids.ts'
import type { Value } from '../core/message.ts'
import { ownText } from '../core/text.ts'
import { formatTime } from '../core/time.ts'
import type { AdmitIntent, SealedCopy } from '../journal/index.ts'
import { formatFileName, type Mail, NONE } from '../mailbox/index.ts'
import { rewrite } from '../message/index.ts'
import type { Delivery } from './types.ts'

/** Front matter in the order people read it. */
export function makeCopies(
  delivery: Delivery,
  ids: readonly MessageId[],
  attachments: AdmitIntent['attachments'],
  created: string | undefined,
): { copies: SealedCopy[]; stamp: AdmitIntent['stamp'] } {
  const createdAt = formatTime(createdMsOf(ids[0] as MessageId, created))
  const stamp: Record<string, Value | undefined> = {
    ...delivery.stamp,
    ...(attachments.length > 0 ? { attachments: attachments.map((one) => ({ ...one })) } : {}),
    thread: delivery.thread ?? ids[0],
    created: createdAt,
    updated: createdAt,
  }
  const copies = delivery.to.map(({ holder, kind }, index): SealedCopy => {
    const id = ids[index] as MessageId
    return {
      id,
      to: holder,
      kind,
      file: formatFileName(delivery.rank, delivery.priority, id, delivery.subject),
      stamp: { id, kind, ...(kind === 'task' ? { status: 'open' } : {}) },
    }
  })
  return { copies, stamp }
}

/** The text of one copy: a pure function of the intent, so that a copy can be made again at any time. */
export function copyText(intent: Pick<AdmitIntent, 'text' | 'stamp' | 'removed'>, copy: SealedCopy): string {
  // JSON has no undefined: keys to be removed are listed by name.
  const removed = Object.fromEntries((intent.removed ?? []).map((key) => [key, undefined]))
  return rewrite(intent.text, { ...copy.stamp, ...removed, ...intent.stamp, ...(copy.kind === 'task' ? {} : { status: undefined }) })
}

export function mailOf(intent: AdmitIntent, copy: SealedCopy): Mail {
  const createdMs = createdMsOf(copy.id, intent.created)
  return {
    id: copy.id,
    holder: copy.to,
    kind: copy.kind,
    from: intent.from,
    via: intent.via,
    origin: intent.origin,
    subject: ownText(intent.subject),
    thread: intent.thread,
    hops: intent.hops,
    inReplyTo: intent.inReplyTo && (ownText(intent.inReplyTo) as MessageId),
    ref: intent.ref && ownText(intent.ref),
    drop: intent.drop,
    reminder: intent.reminder ?? false,
    createdMs,
    file: copy.file,
    folder: 'new',
    status: copy.kind === 'task' ? 'open' : null,
    priority: intent.priority,
    rank: intent.rank,
    due: intent.due,
    expires: intent.expires,
    sinceMs: createdMs,
    updated: typeof intent.stamp['updated'] === 'string' ? intent.stamp['updated'] : intent.at,
    earlier: NONE,
    blockedOn: NONE,
    answered: undefined,
    attempts: 0,
    retryAtMs: undefined,
    mark: undefined,
    contentHash: undefined,
    protectedHash: undefined,
  }
}
