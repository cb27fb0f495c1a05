/**
 * Whether an overloaded upstream (529) may be tried. After one 529 nothing is sent for a jittered moment, then a single probe. Refusals for
 * overload come at once: a probe that hears nothing for thrice as long as they take has been let in.
 */
import type { BreakerReport } from './types.ts'

const FIRST_MS = 100
/** An outage is found to be over after a quarter of the time that it took, or soon after the longest pause. */
const GROWTH = 1.25
const MOST_MS = 5_000
const SETTLE = 3
const [QUICKEST_MS, SLOWEST_MS] = [150, 5_000]
/** From the second 529 in a row on, a fallback is the better place. */
const TRIPPED = 2

export type Breaker = Readonly<{
  waitMs: (nowMs: number) => number
  isTripped: () => boolean
  sent: (nowMs: number) => void
  accepted: (sentMs: number, nowMs: number) => void
  overloaded: (sentMs: number, retryAfterMs: number, nowMs: number) => void
  report: (nowMs: number) => BreakerReport
}>

export function createBreaker(random: () => number): Breaker {
  let failures = 0
  /** Until when the upstream has told to wait. */
  let toldMs = Number.NEGATIVE_INFINITY
  /** Until when nothing is sent; `probeMs`: when the probe was. */
  let untilMs = Number.NEGATIVE_INFINITY
  let probeMs: number | undefined
  let refusalMs = 0
  /** When the first that was refused had been sent. */
  let sinceMs = 0

  const settleMs = (): number => Math.min(SLOWEST_MS, Math.max(QUICKEST_MS, refusalMs * SETTLE))
  const waitMs = (nowMs: number): number => Math.max(0, toldMs - nowMs, (probeMs === undefined ? untilMs : probeMs + settleMs()) - nowMs)
  const pauseMs = (): number => Math.min(MOST_MS, FIRST_MS * GROWTH ** (failures - 1)) * (0.5 + random())

  return {
    waitMs,
    isTripped: () => failures >= TRIPPED,
    sent: (nowMs) => {
      if (failures === 0) return
      // The probe before this one has settled: it was let in.
      if (probeMs !== undefined) failures = 0
      probeMs = failures === 0 ? undefined : nowMs
    },
    accepted: (sentMs, nowMs) => {
      if (failures === 0 || sentMs < sinceMs) return
      if (sentMs === probeMs) {
        failures = 0
        probeMs = undefined
      } else if (failures > 1) {
        // Sent no earlier and let in all the same: not everything is refused, so the next probe need not wait long.
        failures = 1
        untilMs = Math.min(untilMs, nowMs + pauseMs())
      }
    },
    overloaded: (sentMs, retryAfterMs, nowMs) => {
      refusalMs = Math.max(nowMs - sentMs, refusalMs / 2)
      toldMs = Math.max(toldMs, nowMs + retryAfterMs)
      // What was sent before the pause began says nothing new.
      if (failures > 0 && sentMs < untilMs) return
      if (failures === 0) sinceMs = sentMs
      failures++
      untilMs = nowMs + pauseMs()
      probeMs = undefined
    },
    report: (nowMs) => ({
      state: failures === 0 ? 'closed' : probeMs === undefined ? 'waiting' : 'probing',
      failures,
      inMs: failures === 0 ? 0 : waitMs(nowMs),
    }),
  }
}
