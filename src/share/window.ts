/**
 * How many may be in flight at a time. Slow start doubles it each round; the first refusal that nothing else explains says exactly how many the
 * provider bears: those that were in flight. From there it is tried again by a cubic curve, flat at first (as in CUBIC, RFC 9438), so that
 * the freezes which failed trials cost stay a small part of the time.
 */

const INITIAL = 4
const MOST = 10_000
/** Accepted requests between two trials: few at first, twice as many after each that failed. */
const [FEWEST, MANY] = [12, 100]
/** And a freeze's time for so many: in the end it costs a twenty-fifth of the time. */
const PER_FREEZE = 4
/** For how long it counts that so many were borne. */
const PROOF_MS = 120_000
const MARGIN = 1.25

export type Window = Readonly<{
  size: (nowMs: number) => number
  learned: () => number | undefined
  /** That many others were in flight when it was sent. */
  accepted: (alongside: number, nowMs: number) => void
  refused: (alongside: number, freezeMs: number, nowMs: number) => void
  /** Whether clearly more than these have lately been borne: answers on their way make some seem in flight that are not. */
  hasBorne: (alongside: number, nowMs: number) => boolean
}>

export function createWindow(): Window {
  let opening = INITIAL
  let learned: { size: number; accepted: number; between: number; atMs: number; freezeMs: number } | undefined
  let borne = { alongside: 0, atMs: Number.NEGATIVE_INFINITY }

  const size = (nowMs: number): number => {
    if (!learned) return opening
    const { between, freezeMs } = learned
    const progress = Math.min(learned.accepted / between, (nowMs - learned.atMs) / ((freezeMs * between) / PER_FREEZE))
    return Math.floor(Math.min(MOST, learned.size + progress ** 3 * Math.max(1, learned.size / 8)))
  }
  const isFresh = (nowMs: number): boolean => nowMs - borne.atMs <= PROOF_MS

  return {
    size,
    learned: () => learned?.size,
    accepted: (alongside, nowMs) => {
      if (!isFresh(nowMs) || alongside >= borne.alongside) borne = { alongside, atMs: nowMs }
      if (!learned) {
        // Only what is used grows.
        if (alongside + 1 >= opening / 2) opening = Math.min(MOST, opening + 1)
      } else if (alongside + 1 >= learned.size) learned.accepted++
    },
    refused: (alongside, freezeMs, nowMs) => {
      const between = learned && alongside >= learned.size ? Math.min(MANY, learned.between * 2) : FEWEST
      learned = { size: Math.max(1, alongside), accepted: 0, between, atMs: nowMs, freezeMs: Math.max(1, freezeMs) }
    },
    hasBorne: (alongside, nowMs) => isFresh(nowMs) && borne.alongside > alongside * MARGIN + 1,
  }
}
