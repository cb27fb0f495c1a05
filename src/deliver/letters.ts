/** Mail the daemon makes itself. */
import { createHash } from 'node:crypto'
import type { Config } from '../core/config.ts'
import type { MessageId } from '../core/ids.ts'
import type { Via } from '../core/message.ts'
import type { Letter } from '../core/post.ts'
import { findPriority } from '../core/priority.ts'
import { leastTrusted } from '../core/trust.ts'
import type { Delivery } from './types.ts'

export type LetterThread = Readonly<{ id: MessageId; thread: MessageId; hops: number; origin: Via }>

export function letterDelivery(letter: Letter, config: Config, parent: LetterThread | undefined): Delivery {
  const found = findPriority(config.priorities, letter.priority)
  const rule = 'rule' in found ? found.rule : config.priorities.fallback
  const via: Via = letter.from === 'pennypost' ? 'daemon' : config.people.has(letter.from) ? 'person' : 'agent'
  const origin = leastTrusted(via, parent?.origin)
  return {
    envelope: { from: letter.from, via, folder: '', name: letter.subject, box: undefined, sha256: createHash('sha256').update(letter.body).digest('hex') },
    // With a front matter of its own, so that a body that begins with --- is still a body, byte for byte.
    text: `---\n---\n${letter.body}`,
    to: [{ holder: letter.to, kind: letter.kind }],
    attachments: [],
    subject: letter.subject,
    priority: rule.name,
    rank: rule.rank,
    stamp: {
      from: letter.from,
      via,
      origin,
      to: letter.to,
      subject: letter.subject,
      priority: rule.name,
      ...(letter.inReplyTo ? { in_reply_to: letter.inReplyTo } : {}),
    },
    thread: parent?.thread,
    hops: parent ? parent.hops + 1 : (letter.hops ?? 0),
    origin,
    inReplyTo: letter.inReplyTo,
    settles: letter.settles,
    key: letter.key,
  }
}
