/**
 * How many a minute a provider bears that does not say so. Between two refusals its bucket went from empty to empty: what it accepted meanwhile,
 * over the time, is its rate. That is kept to, a little below; then a cubic curve tries more, the later the more is known.
 */

import { createGap, type Gap } from './gap.ts'

const MINUTE_MS = 60_000
const SLOWEST = 1 / MINUTE_MS
/** A little less than measured. */
const BELOW = 0.97
const RISE = 0.25
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
  accepted: (sentMs: number, hadWaited: boolean) => void
  refused: (sentMs: number, freezeMs: number, nowMs: number) => void
  /** One at a time is let in, so far apart: its bucket holds next to nothing. */
  begin: (gapMs: number, nowMs: number) => void
}>

export function createPace(): Pace {
  let first: Measured | undefined
  /** Since the last refusal, and since one before it. */
  let last: Measured = { atMs: 0, accepted: 0 }
  let anchor: Measured | undefined
  let learned: { perMs: number; waited: number; between: number; atMs: number; freezeMs: number } | undefined
  /** Of a bucket that loses what comes in during a freeze, so that the measurement would be too low. */
  let gap: Gap | undefined
  let nextMs = Number.NEGATIVE_INFINITY
  let trialMs = 0

  const perMs = (): number | undefined => {
    if (gap) return 1 / gap.ms()
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
      const apart = 1 / rate
      const hadWaited = nowMs - nextMs < apart
      // Where nothing is saved up, who is late is not made up for.
      nextMs = (gap ? nowMs : Math.max(nextMs, nowMs)) + apart
      return hadWaited
    },
    accepted: (sentMs, hadWaited) => {
      if (hadWaited) gap?.accepted(sentMs)
      if (first) first.accepted++
      last.accepted++
      if (anchor) anchor.accepted++
      if (learned && hadWaited) learned.waited++
    },
    refused: (sentMs, freezeMs, nowMs) => {
      gap?.refused(sentMs, nowMs)
      const measured = anchor ?? first ?? last
      const whole = Math.max(measured.accepted, 0.5) / Math.max(1, nowMs - measured.atMs)
      const between = anchor ? Math.min(MOST, Math.max(FEWEST, anchor.accepted)) : FEWEST
      learned = { perMs: Math.max(SLOWEST, whole), waited: 0, between, atMs: nowMs, freezeMs: Math.max(1, freezeMs) }
      if (anchor && anchor.accepted > RENEW) anchor = last
      anchor ??= { atMs: nowMs, accepted: 0 }
      last = { atMs: nowMs, accepted: 0 }
      nextMs = nowMs + freezeMs
    },
    begin: (gapMs, nowMs) => {
      gap ??= createGap(gapMs, nowMs)
      nextMs = Math.max(nextMs, nowMs + gapMs)
    },
  }
}
