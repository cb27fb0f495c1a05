import { wentOn } from '../system/slices.ts'
import type { Clock } from '../system/types.ts'

/** Time one turn of the event loop may spend on placing what one fsync made ready, hundreds at once. Milliseconds. */
const TURN_MS = 8

/**
 * Lets them through, one of each sender after the other, so that nobody waits behind a crowd of somebody else's; those for whom a turn
 * has no time wait for the next.
 */
export function makeGate(clock: Clock): (from: string) => Promise<void> {
  const waiting = new Map<string, (() => void)[]>()
  let planned = false

  function plan(): void {
    if (planned || waiting.size === 0) return
    planned = true
    clock.soon(() => void turn())
  }
  async function turn(): Promise<void> {
    const endMs = clock.monotonic() + TURN_MS
    do {
      passOne()
      await wentOn()
    } while (waiting.size > 0 && clock.monotonic() < endMs)
    planned = false
    plan()
  }
  function passOne(): void {
    for (const [from, line] of waiting) {
      waiting.delete(from)
      line.shift()?.()
      if (line.length > 0) waiting.set(from, line)
      return
    }
  }
  return (from) =>
    new Promise((resolve) => {
      const line = waiting.get(from)
      if (line) line.push(resolve)
      else waiting.set(from, [resolve])
      plan()
    })
}
