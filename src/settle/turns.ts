import type { MessageId } from '../core/ids.ts'

export type Turns = Readonly<{
  inTurn: <T>(id: MessageId, work: () => Promise<T>) => Promise<T>
  /** Resolves when nothing is under way. */
  idle: () => Promise<void>
}>

/** One change of a message at a time; different messages do not wait for each other. */
export function makeTurns(): Turns {
  const queues = new Map<MessageId, Promise<unknown>>()
  return {
    inTurn: (id, work) => {
      const before = queues.get(id) ?? Promise.resolve()
      const mine = before.then(work, work)
      const tail = mine.then(
        () => undefined,
        () => undefined,
      )
      queues.set(id, tail)
      void tail.then(() => {
        if (queues.get(id) === tail) queues.delete(id)
      })
      return mine
    },
    idle: async () => {
      while (queues.size > 0) await Promise.all(queues.values())
    },
  }
}
