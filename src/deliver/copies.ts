/** The copies of one message: what each says, and what the journal is told of them. */

import type { Admission } from '../core/event.ts'
import { createdMsOf, type MessageId } from '../core/ids.ts'
import type { Value } from '../core/message.ts'
import { formatTime } from '../core/time.ts'
import type { AdmitIntent, SealedCopy } from '../journal/index.ts'
import { formatFileName } from '../mailbox/index.ts'
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

/** What the journal is told of it, and what the ledger knows it by. */
export function admissionOf(intent: AdmitIntent): Admission {
  const { subject, priority, rank } = intent
  return {
    event: 'admitted',
    drop: intent.drop,
    ...(intent.source && intent.key === undefined ? {} : { internal: true }),
    ...(intent.key === undefined ? {} : { key: intent.key }),
    from: intent.from,
    via: intent.via,
    ...(intent.origin === undefined ? {} : { origin: intent.origin }),
    ...(intent.ref === undefined ? {} : { ref: intent.ref }),
    ...(intent.reminder ? { reminder: true } : {}),
    sha256: intent.sha256,
    thread: intent.thread,
    hops: intent.hops,
    ...(intent.inReplyTo === undefined ? {} : { in_reply_to: intent.inReplyTo }),
    ...(intent.settles === undefined ? {} : { settles: intent.settles }),
    ...(intent.due === undefined ? {} : { due: intent.due }),
    ...(intent.expires === undefined ? {} : { expires: intent.expires }),
    ...(intent.created === undefined ? {} : { created: intent.created }),
    name: intent.name,
    copies: intent.copies.map(({ id, to, kind, file }) => ({ id, to, kind, file, subject, priority, rank })),
  }
}
