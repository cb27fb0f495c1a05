/** One queue for everything a holder's own moves make the room look at: who moves thousands of files waits, nobody else does. */
import type { Name } from '../core/names.ts'
import { wentOn } from '../system/slices.ts'
import type { Cancel, Clock } from '../system/types.ts'

export type Looks<Key> = Readonly<{
  /** Looks at it soon, once, however often it is asked meanwhile. */
  soon: (holder: Name, key: Key) => void
  /** Looks at it once more after so many milliseconds: once, at the soonest of the times that were asked, however often it was. */
  later: (holder: Name, key: Key, ms: number) => void
  /** How many of this holder's wait. */
  waiting: (holder: Name) => number
  /** Resolves when nothing waits and nothing is under way. */
  idle: () => Promise<void>
}>

/** Time one turn of the event loop may spend. Milliseconds. */
const TURN_MS = 8
/** Each may hold two descriptors open. */
const MOST_UNDER_WAY = 32

/** `look` must not reject. */
export function makeLooks<Key>(clock: Clock, look: (key: Key) => Promise<void>): Looks<Key> {
  const waiting = new Map<Name, Set<Key>>()
  const alarms = new Map<Key, { atMs: number; cancel: Cancel }>()
  let underWay = 0
  let planned = false
  let whenIdle: (() => void)[] = []

  /** The oldest of the holder whose turn it is. */
  function next(): Key | undefined {
    for (const [holder, keys] of waiting) {
      waiting.delete(holder)
      for (const key of keys) {
        keys.delete(key)
        if (keys.size > 0) waiting.set(holder, keys)
        return key
      }
    }
    return undefined
  }

  function plan(): void {
    if (planned) return
    if (waiting.size === 0 || underWay >= MOST_UNDER_WAY) return
    planned = true
    clock.soon(() => void turn())
  }

  async function turn(): Promise<void> {
    const startedMs = clock.monotonic()
    while (underWay < MOST_UNDER_WAY && clock.monotonic() - startedMs < TURN_MS) {
      const key = next()
      if (key === undefined) break
      underWay++
      void look(key).then(ended)
      await wentOn()
    }
    planned = false
    plan()
  }

  function ended(): void {
    underWay--
    plan()
    if (underWay > 0 || waiting.size > 0) return
    const told = whenIdle
    whenIdle = []
    for (const tell of told) tell()
  }

  function soon(holder: Name, key: Key): void {
    const keys = waiting.get(holder)
    if (keys) keys.add(key)
    else waiting.set(holder, new Set([key]))
    plan()
  }

  return {
    soon,
    later: (holder, key, ms) => {
      const atMs = clock.monotonic() + ms
      const known = alarms.get(key)
      if (known && known.atMs <= atMs) return
      known?.cancel()
      const cancel = clock.after(ms, () => {
        alarms.delete(key)
        soon(holder, key)
      })
      alarms.set(key, { atMs, cancel })
    },
    waiting: (holder) => waiting.get(holder)?.size ?? 0,
    idle: () => (underWay === 0 && waiting.size === 0 ? Promise.resolve() : new Promise((resolve) => void whenIdle.push(resolve))),
  }
}
