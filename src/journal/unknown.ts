/** Ids that nobody has, kept so that nobody looks for them twice: anybody can make up any number of them. */
import type { MessageId } from '../core/ids.ts'

export type Unknown = Readonly<{ has: (id: MessageId) => boolean; add: (id: MessageId) => void; forget: (ids: Iterable<MessageId>) => void }>

const MOST_UNKNOWN = 10_000

export function makeUnknown(): Unknown {
  const unknown = new Set<MessageId>()
  return {
    has: (id) => unknown.has(id),
    add: (id) => {
      unknown.add(id)
      const [oldest] = unknown
      if (unknown.size > MOST_UNKNOWN && oldest !== undefined) unknown.delete(oldest)
    },
    forget: (ids) => {
      for (const id of ids) unknown.delete(id)
    },
  }
}
