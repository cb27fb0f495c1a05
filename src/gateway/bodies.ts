/**
 * Room in memory for the bodies of requests, which may be held for minutes. An agent has a bound of its own, so that it cannot take what
 * the others need; a small part is each one's whatever the others hold. Who finds none waits before its body is read.
 */
import type { Name } from '../core/names.ts'
import type { Clock } from '../system/types.ts'

export type Bodies = Readonly<{
  /** Resolves when there is room for so many bytes; undefined: there was none in time. `onGone` calls when its client has gone while it waits. */
  take: (agent: Name, bytes: number, onGone?: (call: () => void) => void) => Promise<Place | undefined>
}>

export type Place = Readonly<{
  /** Of a piece that came: within what was taken, or there is room for it, too (a body whose length was not told). */
  mayKeep: (bytes: number) => boolean
  leave: () => void
}>

const MB = 1024 ** 2
const MOST_BYTES = 256 * MB
/** Two of the largest. */
const MOST_OF_AGENT = 64 * MB
/** A context of a million tokens is about four. */
const OWN_BYTES = 8 * MB
/** Longer than a burst, and well within what a client bears. Milliseconds. */
const WAIT_MS = 60_000

export function createBodies(clock: Clock): Bodies {
  const of = new Map<Name, number>()
  const waiting = new Set<{ agent: Name; bytes: number; come: () => void }>()
  let total = 0

  function fits(agent: Name, bytes: number): boolean {
    const mine = (of.get(agent) ?? 0) + bytes
    return mine <= OWN_BYTES || (mine <= MOST_OF_AGENT && total + bytes <= MOST_BYTES)
  }

  function add(agent: Name, bytes: number): void {
    total += bytes
    const mine = (of.get(agent) ?? 0) + bytes
    if (mine === 0) of.delete(agent)
    else of.set(agent, mine)
  }

  function place(agent: Name, bytes: number): Place {
    let taken = bytes
    let kept = 0
    add(agent, taken)
    return {
      mayKeep: (more) => {
        const over = Math.max(0, kept + more - taken)
        if (over > 0 && !fits(agent, over)) return false
        kept += more
        taken += over
        add(agent, over)
        return true
      },
      leave: () => {
        add(agent, -taken)
        taken = 0
        const behind = new Set<Name>()
        for (const one of waiting) {
          if (!behind.has(one.agent) && fits(one.agent, one.bytes)) one.come()
          else behind.add(one.agent)
        }
      },
    }
  }

  return {
    take: (agent, bytes, onGone) => {
      const isBehind = [...waiting].some((one) => one.agent === agent)
      if (!isBehind && fits(agent, bytes)) return Promise.resolve(place(agent, bytes))
      return new Promise((resolve) => {
        const end = (found: Place | undefined): void => {
          cancel()
          waiting.delete(one)
          resolve(found)
        }
        const one = { agent, bytes, come: () => end(place(agent, bytes)) }
        const cancel = clock.after(WAIT_MS, () => end(undefined))
        waiting.add(one)
        // Or whoever asks and goes, again and again, would fill the memory with those who wait.
        onGone?.(() => end(undefined))
      })
    },
  }
}
