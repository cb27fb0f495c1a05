/** Limits that no header tells: refusals teach how many may be in flight, or how many a minute. */
import { createPace } from './pace.ts'
import { createWindow } from './window.ts'

/** What is sent together may arrive in any order. */
const TOGETHER_MS = 50
/** Of those sent together only so few were let in: either no more may be in flight, or no more may come at a time ("60 a minute may be one a second"). */
const FEW = 2
/** One more, alone by so much, tells which. */
const ALONE_MS = 1_000
/** Until it has arrived for certain. */
const ON_ITS_WAY_MS = 200

/** Those sent together: how many were in flight with the last of them, and how many of them were refused. */
type Burst = { readonly startMs: number; most: number; refused: number }

/** What is known of a try when its answer comes. */
export type Trial = Readonly<{ sentMs: number; inFlight: number; burst: Burst; hadWaited: boolean }>

export type Hidden = Readonly<{
  /** undefined: until one of those in flight ends. */
  waitMs: (inFlight: number, isUrgent: boolean, nowMs: number) => number | undefined
  /** Only what is urgent may be sent. */
  isSpare: (inFlight: number, nowMs: number) => boolean
  sent: (inFlight: number, nowMs: number) => Trial
  accepted: (trial: Trial, nowMs: number) => void
  refused: (trial: Trial, freezeMs: number, nowMs: number) => void
  /** One is in flight no longer. */
  ended: (nowMs: number) => void
  window: (nowMs: number) => Readonly<{ size: number; isLearned: boolean }>
  perMinute: () => number | undefined
}>

export function createHidden(): Hidden {
  const window = createWindow()
  const pace = createPace()
  let burst: Burst = { startMs: Number.NEGATIVE_INFINITY, most: 0, refused: 0 }
  let refusedMs = Number.NEGATIVE_INFINITY
  let lastMs = Number.NEGATIVE_INFINITY
  let isDoubted = false
  let lone: Trial | undefined

  /** It is not how many at a time, but how soon after each other. */
  const space = (nowMs: number): void => {
    ;[isDoubted, lone] = [false, undefined]
    window.forget()
    pace.begin(ALONE_MS, nowMs)
  }

  return {
    waitMs: (inFlight, isUrgent, nowMs) => {
      const over = inFlight - window.size(nowMs) - (isUrgent ? window.spare() : 0)
      if (over < 0) return pace.waitMs(nowMs)
      return isDoubted && over === 0 ? Math.max(0, lastMs + ALONE_MS - nowMs) : undefined
    },
    isSpare: (inFlight, nowMs) => inFlight >= window.size(nowMs) && window.spare() > 0,
    sent: (others, nowMs) => {
      const inFlight = others + 1
      if (nowMs - burst.startMs > TOGETHER_MS) burst = { startMs: nowMs, most: 0, refused: 0 }
      burst.most = Math.max(burst.most, inFlight)
      lastMs = nowMs
      const trial = { sentMs: nowMs, inFlight, burst, hadWaited: pace.sent(nowMs) }
      if (isDoubted && others >= window.size(nowMs)) [isDoubted, lone] = [false, trial]
      return trial
    },
    accepted: (trial, nowMs) => {
      const { inFlight, burst, hadWaited } = trial
      if (trial === lone) space(nowMs)
      window.accepted(inFlight, burst.most - burst.refused, nowMs)
      pace.accepted(trial.sentMs, hadWaited)
    },
    refused: ({ sentMs, inFlight, burst, hadWaited }, freezeMs, nowMs) => {
      const isSameRound = sentMs <= refusedMs
      const borne = burst.most - ++burst.refused
      const isTrial = borne >= (window.learned() ?? Number.POSITIVE_INFINITY)
      // Nobody refuses the only one for being too many; nor as many as were borne before, unless one more was just tried.
      const isForPace = borne <= 0 || window.hasBorne(borne, nowMs) || (hadWaited && !isTrial)
      // And it was the only one, where few of many had been let in.
      if (isDoubted && borne <= 0 && inFlight === 1 && burst.most === 1) space(nowMs)
      if (!isSameRound && isForPace) pace.refused(sentMs, freezeMs, nowMs)
      // Of those refused together the last tells how many were borne.
      if (!isForPace && (!isSameRound || borne < window.size(nowMs))) {
        isDoubted = borne <= FEW && burst.refused > 1
        window.refused(borne, freezeMs, nowMs)
      }
      if (!isSameRound) refusedMs = nowMs
    },
    ended: (nowMs) => {
      // It may have made room for the one that was to tell.
      if (lone && nowMs - lone.sentMs <= ON_ITS_WAY_MS) [lone, isDoubted] = [undefined, true]
    },
    window: (nowMs) => ({ size: window.size(nowMs), isLearned: window.learned() !== undefined }),
    perMinute: pace.perMinute,
  }
}
