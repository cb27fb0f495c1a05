/**
 * Whether an overloaded upstream (529) may be tried. After one 529 nothing is sent for a jittered moment, then a single probe. Refusals for
 * overload come at once: a probe that hears nothing for thrice as long as they take has been let in.
 */
import type { BreakerReport } from './types.ts'

const FIRST_MS = 200
const MOST_MS = 10_000
const SETTLE = 3
const [QUICKEST_MS, SLOWEST_MS] = [300, 5_000]
/** From the second 529 in a row on, a fallback is the better place. */
const TRIPPED = 2

export type Breaker = Readonly<{
  waitMs: (nowMs: number) => number
  isTripped: () => boolean
  sent: (nowMs: number) => void
  accepted: (sentMs: number) => void
  overloaded: (sentMs: number, retryAfterMs: number, nowMs: number) => void
  report: (nowMs: number) => BreakerReport
}>

export function createBreaker(random: () => number): Breaker {
  let failures = 0
  /** Nothing before it; `probeMs`: when the probe was sent. */
  let untilMs = Number.NEGATIVE_INFINITY
  let probeMs: number | undefined
  let refusalMs = 0

  const settleMs = (): number => Math.min(SLOWEST_MS, Math.max(QUICKEST_MS, refusalMs * SETTLE))
  const waitMs = (nowMs: number): number => Math.max(0, probeMs === undefined ? untilMs - nowMs : probeMs + settleMs() - nowMs)

  return {
    waitMs,
    isTripped: () => failures >= TRIPPED,
    sent: (nowMs) => {
      if (failures === 0) return
      // The probe before this one has settled: it was let in.
      if (probeMs !== undefined) failures = 0
      probeMs = failures === 0 ? undefined : nowMs
    },
    accepted: (sentMs) => {
      if (sentMs !== probeMs) return
      failures = 0
      probeMs = undefined
    },
    overloaded: (sentMs, retryAfterMs, nowMs) => {
      refusalMs = Math.max(nowMs - sentMs, refusalMs / 2)
      // What was sent before the pause began says nothing new.
      const isNews = failures === 0 || sentMs >= untilMs
      if (isNews) failures++
      const jittered = Math.min(MOST_MS, FIRST_MS * 2 ** (failures - 1)) * (0.5 + random())
      if (isNews || retryAfterMs > 0) untilMs = Math.max(untilMs, nowMs + Math.max(isNews ? jittered : 0, retryAfterMs))
      if (isNews) probeMs = undefined
    },
    report: (nowMs) => ({
      state: failures === 0 ? 'closed' : probeMs === undefined ? 'waiting' : 'probing',
      failures,
      inMs: failures === 0 ? 0 : waitMs(nowMs),
    }),
  }
}
