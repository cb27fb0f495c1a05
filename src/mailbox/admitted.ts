/** A message as it begins: in new/, and nobody has touched it yet. */
import type { Admission, CopyFact } from '../core/event.ts'
import { createdMsOf } from '../core/ids.ts'
import { formatTime } from '../core/time.ts'
import { type Mail, NONE } from './ledger.ts'

/** A copy as its admission tells it: the same when it is delivered and when the journal is read. */
export function mailFrom(admission: Admission, copy: CopyFact): Mail {
  const createdMs = createdMsOf(copy.id, admission.created)
  return {
    id: copy.id,
    holder: copy.to,
    kind: copy.kind,
    from: admission.from as Mail['from'],
    via: admission.via,
    origin: admission.origin,
    subject: copy.subject,
    thread: admission.thread,
    hops: admission.hops,
    inReplyTo: admission.in_reply_to,
    drop: admission.drop,
    reminder: admission.reminder ?? false,
    createdMs,
    file: copy.file,
    folder: 'new',
    status: copy.kind === 'task' ? 'open' : null,
    priority: copy.priority,
    rank: copy.rank,
    due: admission.due,
    expires: admission.expires,
    sinceMs: createdMs,
    updated: formatTime(createdMsOf(admission.copies[0]?.id ?? copy.id, admission.created)),
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
