/** Ids that only grow: also within a millisecond, across restarts, and over steps of the clock. */
import { randomFillSync } from 'node:crypto'
import { formatId, idCounter, idTimeMs, type MessageId } from '../core/ids.ts'
import type { Clock, Ids } from './types.ts'

/** A difference between wall and monotonic clock larger than this is a step, not drift. Milliseconds. */
export const CLOCK_STEP_MS = 5_000

export function makeIds(clock: Clock): Ids {
  let anchorWall = clock.now()
  let anchorMonotonic = clock.monotonic()
  let lastMs = 0
  let counter = 0
  const pool = Buffer.alloc(4096)
  let used = pool.length

  /** Random bytes, fetched from the kernel for many ids at once. */
  function random(bytes: number): Buffer {
    if (used + bytes > pool.length) {
      randomFillSync(pool)
      used = 0
    }
    used += bytes
    return pool.subarray(used - bytes, used)
  }

  function timeMs(): number {
    const wall = clock.now()
    const expected = anchorWall + (clock.monotonic() - anchorMonotonic)
    if (wall - expected > CLOCK_STEP_MS) return Math.floor(expected)
    ;[anchorWall, anchorMonotonic] = [wall, clock.monotonic()]
    return wall
  }
  return {
    next: (): MessageId => {
      const now = timeMs()
      if (now > lastMs) [lastMs, counter] = [now, 0]
      else if (++counter > 0xfff) [lastMs, counter] = [lastMs + 1, 0]
      return formatId(lastMs, counter, random(8))
    },
    after: (id) => {
      const ms = idTimeMs(id)
      if (ms > lastMs || (ms === lastMs && idCounter(id) > counter)) [lastMs, counter] = [ms, idCounter(id)]
    },
    secret: () => random(12).toString('hex'),
  }
}
