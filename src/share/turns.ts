/**
 * Which rank has its turn. The highest, always, but: urgent gets at most its part while others wait, and of those that have waited long in lower
 * ranks the oldest gets one turn in eight.
 */
import { createFair, type Fair } from './fair.ts'
import type { Waiting } from './place.ts'
import type { PoolReport } from './types.ts'

export const URGENT = 1
/** Less than the shortest time for which the gateway holds a request (100 s). */
const LONG_MS = 30_000
const OLD_PART = 1 / 8
const ROUNDING = 1e-9

export type Turns = Readonly<{
  join: (waiting: Waiting, tag?: number) => void
  leave: (waiting: Waiting) => number
  next: (nowMs: number) => Waiting | undefined
  urgent: () => Waiting | undefined
  /** For how long the next one leaves what is stored to those who had less of it; `level`, `share`: parts of a minute's limit. */
  holdMs: (waiting: Waiting, share: number, level: number, nowMs: number) => number
  /** Returns the tag that its agent had. */
  take: (waiting: Waiting, share: number, nowMs: number) => number
  correct: (waiting: Waiting, more: number) => void
  size: () => number
  queue: () => PoolReport['queue']
  oldestSinceMs: () => number | undefined
}>

export function createTurns(urgentCap: number): Turns {
  const cap = urgentCap > 0 && urgentCap <= 1 ? urgentCap : 0.5
  const ranks = new Map<number, Fair>()
  let order: readonly (readonly [number, Fair])[] = []
  /** What urgent has had beyond its part. */
  let owed = 0
  let old = 0

  const fairOf = (rank: number): Fair => {
    const known = ranks.get(rank)
    if (known) return known
    const fair = createFair()
    ranks.set(rank, fair)
    order = [...ranks].sort(([a], [b]) => a - b)
    return fair
  }
  const top = (): readonly [number, Fair] | undefined => {
    const busy = order.filter(([, fair]) => fair.size() > 0)
    const [first, second] = busy
    return first?.[0] === URGENT && second && owed > ROUNDING ? second : first
  }
  const longest = (below: number, nowMs: number): Waiting | undefined => {
    const late = order.flatMap(([rank, fair]) => (rank > below ? (fair.oldest() ?? []) : [])).filter(({ place }) => nowMs - place.sinceMs > LONG_MS)
    return late.reduce<Waiting | undefined>((best, one) => (best && best.place.number < one.place.number ? best : one), undefined)
  }

  return {
    join: (waiting, tag) => fairOf(waiting.rank).join(waiting, tag),
    leave: (waiting) => fairOf(waiting.rank).leave(waiting),
    next: (nowMs) => {
      const [rank, fair] = top() ?? []
      if (rank === undefined) return undefined
      return (old >= 1 ? longest(rank, nowMs) : undefined) ?? fair?.first()
    },
    urgent: () => ranks.get(URGENT)?.first(),
    holdMs: (waiting, share, level, nowMs) => {
      const fair = fairOf(waiting.rank)
      const isExempt = waiting.rank === URGENT || nowMs - waiting.place.sinceMs > LONG_MS
      // Nor does it keep lower ranks waiting for the sake of its own.
      return isExempt || order.some(([, other]) => other !== fair && other.size() > 0) ? 0 : fair.holdMs(waiting, share, level, nowMs)
    },
    take: (waiting, share, nowMs) => {
      const [rank] = top() ?? []
      const late = rank === undefined ? undefined : longest(rank, nowMs)
      old = late === undefined ? 0 : late === waiting ? old - 1 : old + OLD_PART
      const tag = fairOf(waiting.rank).take(waiting, share, nowMs)
      const others = order.some(([rank, fair]) => rank !== URGENT && fair.size() > 0)
      if (waiting.rank !== URGENT) owed = Math.max(0, owed - cap * share)
      else if (others) owed += (1 - cap) * share
      return tag
    },
    correct: (waiting, more) => fairOf(waiting.rank).correct(waiting, more),
    size: () => order.reduce((sum, [, fair]) => sum + fair.size(), 0),
    queue: () => order.flatMap(([rank, fair]) => [...fair.agents()].flatMap(({ agent, live }) => (live.size > 0 ? { rank, agent, waiting: live.size } : []))),
    oldestSinceMs: () => order.flatMap(([, fair]) => fair.oldest()?.place.sinceMs ?? []).reduce<number | undefined>((a, b) => Math.min(a ?? b, b), undefined),
  }
}
