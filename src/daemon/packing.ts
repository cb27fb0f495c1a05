/**
 * Messages with attachments are copied few at a time, and one sender's never take all the places. What waits for a place stays in its drop
 * folder, in a line of its sender's, and keeps nothing but its name here; the first few are called again when a place is free.
 */
import type { DropFolder } from '../intake/index.ts'

/** Copies under way at once: each reads and hashes up to `attachments` files of `attachmentBytes`. */
const MOST_AT_ONCE = 8
const MOST_OF_ONE = 2
/** Called again at once: the first may have been taken away meanwhile. */
const CALLED = 2
/** Of each sender: the others stand in line behind these. */
const MOST_WAITING = 8

type Drop = Readonly<{ folder: DropFolder; name: string }>

export type Packing = Readonly<{
  /** A place, to be given back; undefined: there is none, and the drop is called again when there may be. */
  begin: (sender: string, folder: DropFolder, name: string) => (() => void) | undefined
}>

export function makePacking(call: (folder: DropFolder, name: string) => void): Packing {
  const underWay = new Map<string, number>()
  /** By sender, in the order in which they are served. */
  const waiting = new Map<string, Map<string, Drop>>()
  let count = 0

  const mayBegin = (sender: string): boolean => count < MOST_AT_ONCE && (underWay.get(sender) ?? 0) < MOST_OF_ONE

  function wait(sender: string, key: string, drop: Drop): void {
    const own = waiting.get(sender) ?? new Map<string, Drop>()
    if (own.size < MOST_WAITING || own.has(key)) waiting.set(sender, own.set(key, drop))
  }

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
      for (const [, { folder, name }] of called) call(folder, name)
      return
    }
  }

  return {
    begin: (sender, folder, name) => {
      const key = `${folder.path}/${name}`
      if (!mayBegin(sender)) {
        wait(sender, key, { folder, name })
        return undefined
      }
      leave(sender, key)
      count++
      underWay.set(sender, (underWay.get(sender) ?? 0) + 1)
      return () => end(sender)
    },
  }
}
