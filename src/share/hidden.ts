/** Limits that no header tells: refusals teach how many may be in flight, or how many a minute. */
import { createPace } from './pace.ts'
import { createWindow } from './window.ts'

/** What is known of a try when its answer comes. */
export type Trial = Readonly<{ sentMs: number; alongside: number; hadWaited: boolean }>

export type Hidden = Readonly<{
  /** undefined: until one of those in flight ends. */
  waitMs: (inFlight: number, nowMs: number) => number | undefined
  sent: (inFlight: number, nowMs: number) => Trial
  accepted: (trial: Trial, nowMs: number) => void
  refused: (trial: Trial, freezeMs: number, nowMs: number) => void
  window: (nowMs: number) => Readonly<{ size: number; isLearned: boolean }>
  perMinute: () => number | undefined
}>

export function createHidden(): Hidden {
  const window = createWindow()
  const pace = createPace()
  let refusedMs = Number.NEGATIVE_INFINITY

  return {
    waitMs: (inFlight, nowMs) => (inFlight >= window.size(nowMs) ? undefined : pace.waitMs(nowMs)),
    sent: (inFlight, nowMs) => ({ sentMs: nowMs, alongside: inFlight, hadWaited: pace.sent(nowMs) }),
    accepted: ({ alongside, hadWaited }, nowMs) => {
      window.accepted(alongside, nowMs)
      pace.accepted(hadWaited)
    },
    refused: ({ sentMs, alongside, hadWaited }, freezeMs, nowMs) => {
      const isSameRound = sentMs <= refusedMs
      const isTrial = alongside >= (window.learned() ?? Number.POSITIVE_INFINITY)
      // Nobody refuses the only one for being too many; nor as many as were borne before, unless one more was just tried.
      const isForPace = alongside === 0 || window.hasBorne(alongside, nowMs) || (hadWaited && !isTrial)
      if (!isSameRound && isForPace) pace.refused(freezeMs, nowMs)
      // Of those refused together the first tells how many were borne.
      if (!isForPace && (!isSameRound || alongside < window.size(nowMs))) window.refused(alongside, freezeMs, nowMs)
      if (!isSameRound) refusedMs = nowMs
    },
    window: (nowMs) => ({ size: window.size(nowMs), isLearned: window.learned() !== undefined }),
    perMinute: pace.perMinute,
  }
}
