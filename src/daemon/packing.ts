/**
 * Messages with attachments are copied few at a time, and one sender's never take all the places. What waits for a place stays in its drop
 * folder and holds nothing open; it is called again when one is free.
 */

/** Copies under way at once: each reads and hashes up to `attachments` files of `attachmentBytes`. */
const MOST_AT_ONCE = 8
const MOST_OF_ONE = 2
/** Called again at once: the first may have been taken away meanwhile. */
const CALLED = 2

export type Packing = Readonly<{
  /** A place, to be given back; undefined: there is none, and `again` is called when there may be. `key` names what waits. */
  begin: (sender: string, key: string, again: () => void) => (() => void) | undefined
}>

export function makePacking(): Packing {
  const underWay = new Map<string, number>()
  /** By sender, in the order in which they are served. */
  const waiting = new Map<string, Map<string, () => void>>()
  let count = 0

  const mayBegin = (sender: string): boolean => count < MOST_AT_ONCE && (underWay.get(sender) ?? 0) < MOST_OF_ONE

  function leave(sender: string, key: string): void {
    const own = waiting.get(sender)
    if (own?.delete(key) && own.size === 0) waiting.delete(sender)
  }

  function end(sender: string): void {
    count--
    const left = (underWay.get(sender) ?? 1) - 1
    if (left > 0) underWay.set(sender, left)
    else underWay.delete(sender)
    for (const [next, own] of waiting) {
      if (!mayBegin(next)) continue
      // Its next turn comes after everybody else's.
      waiting.delete(next)
      const called = [...own].slice(0, CALLED)
      for (const [key] of called) own.delete(key)
      if (own.size > 0) waiting.set(next, own)
      for (const [, again] of called) again()
      return
    }
  }

  return {
    begin: (sender, key, again) => {
      if (!mayBegin(sender)) {
        const own = waiting.get(sender) ?? new Map<string, () => void>()
        waiting.set(sender, own.set(key, again))
        return undefined
      }
      leave(sender, key)
      count++
      underWay.set(sender, (underWay.get(sender) ?? 0) + 1)
      return () => end(sender)
    },
  }
}
