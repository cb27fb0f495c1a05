/**
 * One limit per minute as the provider keeps it: a bucket that holds a minute's worth and fills continuously. Ours is charged when a request
 * is sent, theirs when it arrives; what an answer's headers say bounds from both sides what ours may be.
 */

const MINUTE_MS = 60_000
/** How long a request may be on its way. While the provider's bucket is full, nothing flows into it, so ours must not fill either. */
const ARRIVAL_MS = 1_000
/** What nobody grants; a header that says so is noise. */
const ABSURD = 1e12
const ROUNDING = 1e-6

export type Moment = Readonly<{ sentMs: number /** All that had been charged until then. */; charged: number }>

export type Bucket = Readonly<{
  limit: () => number | undefined
  learned: () => number | undefined
  /** Infinite while no limit is known. */
  level: (nowMs: number) => number
  waitMs: (amount: number, nowMs: number) => number
  charge: (amount: number, nowMs: number) => void
  refund: (amount: number) => void
  charged: () => number
  /** What a header says of a request that was sent at that moment, `unseen` of all before it not counted yet. */
  hear: (said: Readonly<{ limit?: number | undefined; remaining?: number | undefined }>, sent: Moment, unseen: number, nowMs: number) => void
}>

const isLimit = (said: number | undefined): said is number => said !== undefined && said >= 1 && said <= ABSURD

/** `grain`: what the provider rounds to. */
export function createBucket(set: number | undefined, grain: number): Bucket {
  const own = isLimit(set) ? set : undefined
  let learned: number | undefined
  let level = own ?? Number.POSITIVE_INFINITY
  let atMs = Number.NEGATIVE_INFINITY
  let charged = 0

  const limit = (): number | undefined => (own === undefined || learned === undefined ? (own ?? learned) : Math.min(own, learned))
  /** Never owes more than a minute's worth: a guess may be absurd. */
  const put = (value: number): void => {
    const most = limit() ?? Number.POSITIVE_INFINITY
    level = Math.min(most, Math.max(-most, value))
  }
  const fill = (nowMs: number): void => {
    const most = limit()
    if (nowMs <= atMs) return
    if (most !== undefined && atMs !== Number.NEGATIVE_INFINITY) level = Math.min(most, level + ((nowMs - atMs) * most) / MINUTE_MS)
    atMs = nowMs
  }
  const bound = (remaining: number, sent: Moment, unseen: number, nowMs: number, most: number): void => {
    const upper = remaining + ((nowMs - sent.sentMs) * most) / MINUTE_MS
    // Where the operator allows less than the provider, the provider's level says nothing about how much is left of that.
    const lower = own !== undefined && most < (learned ?? most) ? Number.NEGATIVE_INFINITY : remaining - grain - (charged - sent.charged) - unseen
    put(Math.min(upper, Math.max(level, lower)))
  }

  return {
    limit,
    learned: () => learned,
    level: (nowMs) => {
      fill(nowMs)
      return level
    },
    waitMs: (amount, nowMs) => {
      fill(nowMs)
      const most = limit()
      if (most === undefined) return 0
      // What is greater than the whole bucket goes when it is full: the provider has the last word.
      const missing = Math.min(amount, most) - level
      return missing <= ROUNDING ? 0 : Math.max(0, atMs - nowMs) + (missing * MINUTE_MS) / most
    },
    charge: (amount, nowMs) => {
      fill(nowMs)
      const most = limit()
      if (most !== undefined) atMs = Math.max(atMs, nowMs + ARRIVAL_MS - ((most - level) * MINUTE_MS) / most)
      put(level - amount)
      charged += amount
    },
    refund: (amount) => {
      put(level + amount)
    },
    charged: () => charged,
    hear: (said, sent, unseen, nowMs) => {
      fill(nowMs)
      const isFirst = limit() === undefined
      if (isLimit(said.limit)) learned = said.limit
      const most = limit()
      if (most === undefined) return
      put(level)
      if (said.remaining === undefined || Number.isNaN(said.remaining)) return
      const remaining = Math.min(Math.max(0, said.remaining), learned ?? most)
      // Until now nothing was known: what is certainly left.
      if (isFirst) put(remaining - (charged - sent.charged) - unseen)
      bound(remaining, sent, unseen, nowMs, most)
    },
  }
}
