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
  /** How many more may be in flight of what is urgent: as many again, while it is only a guess how many are borne. */
  spare: () => number
  learned: () => number | undefined
  /** With it so many were in flight; so many of them were certainly borne. */
  accepted: (inFlight: number, borne: number, nowMs: number) => void
  refused: (borne: number, freezeMs: number, nowMs: number) => void
  /** It was not that. */
  forget: () => void
  /** Whether clearly more than these have lately been borne: answers on their way make some seem in flight that are not. */
  hasBorne: (count: number, nowMs: number) => boolean
}>

export function createWindow(): Window {
  let opening = INITIAL
  let learned: { size: number; accepted: number; between: number; atMs: number; freezeMs: number } | undefined
  let most = { borne: 0, atMs: Number.NEGATIVE_INFINITY }

  const size = (nowMs: number): number => {
    if (!learned) return opening
    const { between, freezeMs } = learned
    const progress = Math.min(learned.accepted / between, (nowMs - learned.atMs) / ((freezeMs * between) / PER_FREEZE))
    return Math.floor(Math.min(MOST, learned.size + progress ** 3 * Math.max(1, learned.size / 8)))
  }
  const isFresh = (nowMs: number): boolean => nowMs - most.atMs <= PROOF_MS

  return {
    size,
    spare: () => (learned ? 0 : opening),
    learned: () => learned?.size,
    accepted: (inFlight, borne, nowMs) => {
      if (!isFresh(nowMs) || borne >= most.borne) most = { borne, atMs: nowMs }
      if (!learned) {
        // Only what is used grows.
        if (inFlight >= opening / 2) opening = Math.min(MOST, opening + 1)
      } else if (inFlight >= learned.size) learned.accepted++
    },
    refused: (borne, freezeMs, nowMs) => {
      const between = learned && borne >= learned.size ? Math.min(MANY, learned.between * 2) : FEWEST
      learned = { size: Math.max(1, borne), accepted: 0, between, atMs: nowMs, freezeMs: Math.max(1, freezeMs) }
    },
    forget: () => {
      learned = undefined
    },
    hasBorne: (count, nowMs) => isFresh(nowMs) && most.borne > count * MARGIN + 1,
  }
}
