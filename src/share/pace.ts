/**
 * How many a minute a provider bears that does not say so. Between two refusals its bucket went from empty to empty: what it accepted meanwhile,
 * over the time, is its rate. That is kept to, a little below; then a cubic curve tries more, the later the more is known.
 */

const MINUTE_MS = 60_000
const SLOWEST = 1 / MINUTE_MS
/** A little less than measured. */
const BELOW = 0.97
const RISE = 0.25
/** Where the measurement cannot be trusted. */
const CUT = 0.85
/** Accepted requests between two trials: few while little is known. */
const [FEWEST, MOST] = [4, 150]
/** After so many the measurement begins anew, so that it follows a limit that changes. */
const RENEW = 300

type Measured = { atMs: number; accepted: number }

export type Pace = Readonly<{
  waitMs: (nowMs: number) => number
  perMinute: () => number | undefined
  /** Returns whether it had waited for the pace. */
  sent: (nowMs: number) => boolean
  accepted: (hadWaited: boolean) => void
  refused: (freezeMs: number, nowMs: number) => void
  /** One at a time is let in, so far apart: its bucket holds next to nothing. */
  begin: (gapMs: number, nowMs: number) => void
}>

export function createPace(): Pace {
  let first: Measured | undefined
  /** Since the last refusal, and since one before it. */
  let last: Measured = { atMs: 0, accepted: 0 }
  let anchor: Measured | undefined
  let learned: { perMs: number; waited: number; between: number; atMs: number; freezeMs: number } | undefined
  /** Its bucket loses what comes in during a freeze, so that the measurement is too low; but the pace was about right until it was refused. */
  let holdsLittle = false
  let nextMs = Number.NEGATIVE_INFINITY
  let trialMs = 0

  const perMs = (): number | undefined => {
    if (!learned) return undefined
    const { waited, between, freezeMs } = learned
    const progress = Math.min(waited / between, (trialMs - learned.atMs) / ((freezeMs * between) / FEWEST))
    return learned.perMs * (BELOW + RISE * Math.max(0, progress) ** 3)
  }

  return {
    waitMs: (nowMs) => Math.max(0, nextMs - nowMs),
    perMinute: () => {
      const rate = perMs()
      return rate === undefined ? undefined : rate * MINUTE_MS
    },
    sent: (nowMs) => {
      first ??= { atMs: nowMs, accepted: 0 }
      trialMs = nowMs
      const rate = perMs()
      if (rate === undefined) return false
      const gap = 1 / rate
      const hadWaited = nowMs - nextMs < gap
      nextMs = Math.max(nextMs, nowMs) + gap
      return hadWaited
    },
    accepted: (hadWaited) => {
      if (first) first.accepted++
      last.accepted++
      if (anchor) anchor.accepted++
      if (learned && hadWaited) learned.waited++
    },
    refused: (freezeMs, nowMs) => {
      const measured = anchor ?? first ?? last
      const whole = Math.max(measured.accepted, 0.5) / Math.max(1, nowMs - measured.atMs)
      const wasRight = holdsLittle && learned !== undefined && last.accepted >= learned.between
      const rate = Math.max(whole, wasRight ? (perMs() ?? 0) * CUT : 0)
      const between = anchor ? Math.min(MOST, Math.max(FEWEST, anchor.accepted)) : FEWEST
      learned = { perMs: Math.max(SLOWEST, rate), waited: 0, between, atMs: nowMs, freezeMs: Math.max(1, freezeMs) }
      if (anchor && anchor.accepted > RENEW) anchor = last
      anchor ??= { atMs: nowMs, accepted: 0 }
      last = { atMs: nowMs, accepted: 0 }
      nextMs = nowMs + freezeMs
    },
    begin: (gapMs, nowMs) => {
      holdsLittle = true
      anchor ??= { atMs: nowMs, accepted: 0 }
      learned ??= { perMs: 1 / gapMs, waited: 0, between: FEWEST, atMs: nowMs, freezeMs: 1 }
    },
  }
}
