/** What is on its way into mailboxes: drops are judged while others are being sealed, and must know of them. */
import type { MessageId } from '../core/ids.ts'
import type { Name } from '../core/names.ts'
import type { Delivery } from './types.ts'

export type InHand = Readonly<{
  /** Counts a delivery until the returned function is called. */
  enter: (delivery: Delivery) => () => void
  /** Copies on their way to this holder. */
  copiesFor: (holder: Name) => number
  /** Senders of messages on their way that belong to this thread, one for each. */
  inThread: (thread: MessageId) => readonly string[]
  /** Whether a message of this sender with this ref is on its way: whether another one repeats it will soon be known. */
  hasRef: (from: string, ref: string) => boolean
}>

export function createInHand(): InHand {
  const holders = new Map<Name, number>()
  const refs = new Map<string, number>()
  const threads = new Map<MessageId, string[]>()
  const add = <K>(counts: Map<K, number>, key: K, by: 1 | -1): void => {
    const count = (counts.get(key) ?? 0) + by
    if (count === 0) counts.delete(key)
    else counts.set(key, count)
  }
  const addSender = (thread: MessageId, from: string, by: 1 | -1): void => {
    const senders = threads.get(thread) ?? []
    if (by === 1) senders.push(from)
    else senders.splice(senders.indexOf(from), 1)
    if (senders.length === 0) threads.delete(thread)
    else threads.set(thread, senders)
  }
  return {
    enter: ({ envelope, ref, to, thread }) => {
      const count = (by: 1 | -1): void => {
        for (const { holder } of to) add(holders, holder, by)
        if (thread !== undefined) addSender(thread, envelope.from, by)
        if (ref !== undefined) add(refs, `${envelope.from} ${ref}`, by)
      }
      count(1)
      return () => count(-1)
    },
    copiesFor: (holder) => holders.get(holder) ?? 0,
    inThread: (thread) => threads.get(thread) ?? [],
    hasRef: (from, ref) => refs.has(`${from} ${ref}`),
  }
}
