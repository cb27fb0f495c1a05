/** A message that goes through the whole path once a minute, so that a path that is wedged is known before mail is late. */
import type { Clear, Raise } from '../core/post.ts'
import type { Cancel, Clock } from '../system/types.ts'

/** Contract, page 3. */
const EVERY_MS = 60_000
const LATE_MS = 5_000
/** One that is under way keeps the next from starting, but not for ever. */
const LOST_MS = 600_000

export type CanaryGiven = Readonly<{
  clock: Clock
  raise: Raise
  clear: Clear
  /** Drops a message to the reserved recipient `canary`; resolves when it lies in .penny/canary, rejects where it cannot be dropped. */
  dropCanary: () => Promise<void>
}>

export type Canary = Readonly<{
  /** The first at once, then one a minute, until cancelled. */
  start: () => Cancel
  /** Sends one now; resolves when it arrived or was given up. */
  fly: () => Promise<void>
  /** Milliseconds the last one that arrived took; undefined: none yet. */
  lastMs: () => number | undefined
}>

export function createCanary(given: CanaryGiven): Canary {
  const { clock } = given
  let lastMs: number | undefined
  let underWay: { sinceMs: number } | undefined

  function late(why: string): void {
    const sentence = `The test message that goes through the whole path ${why}; mail may be waiting too.`
    given.raise({ code: 'canary-late', about: 'canary', sentence, fix: 'penny doctor' })
  }

  async function fly(): Promise<void> {
    const sinceMs = clock.monotonic()
    if (underWay && sinceMs - underWay.sinceMs < LOST_MS) return
    const flight = { sinceMs }
    underWay = flight
    const cancel = clock.after(LATE_MS, () => late(`did not arrive within ${LATE_MS / 1000} s`))
    try {
      await given.dropCanary()
      const tookMs = clock.monotonic() - sinceMs
      if (underWay !== flight) return
      lastMs = tookMs
      // A late one that arrives proves that the path is slow: the alert stays until one is good.
      if (tookMs <= LATE_MS) given.clear('canary-late', 'canary')
    } catch (cause) {
      late(`could not be sent (${cause instanceof Error ? cause.message : String(cause)})`)
    } finally {
      cancel()
      if (underWay === flight) underWay = undefined
    }
  }

  return {
    start: () => {
      void fly()
      return clock.every(EVERY_MS, () => void fly())
    },
    fly,
    lastMs: () => lastMs,
  }
}
