/** A token bucket that refills without steps: as much in a minute as its limit says. */
export type Bucket = Readonly<{
  limit: () => number
  level: (nowMs: number) => number
  /** Also below nothing: what is produced is counted after it was let in. */
  take: (amount: number, nowMs: number) => void
  /** Until so much is there; infinite where it never fits. */
  waitMs: (amount: number, nowMs: number) => number
  fullInMs: (nowMs: number) => number
  set: (limit: number, burst: number, nowMs: number) => void
}>

export function createBucket(perMinute: number, burst: number, startMs: number): Bucket {
  let limit = perMinute
  let capacity = Math.max(1, limit * burst)
  let held = capacity
  let atMs = startMs

  function refill(nowMs: number): void {
    // Whoever looked at the clock earlier may come later.
    const later = Math.max(nowMs, atMs)
    held = Math.min(capacity, held + ((later - atMs) * limit) / 60_000)
    atMs = later
  }

  return {
    limit: () => limit,
    level: (nowMs) => {
      refill(nowMs)
      return held
    },
    take: (amount, nowMs) => {
      refill(nowMs)
      held -= amount
    },
    waitMs: (amount, nowMs) => {
      refill(nowMs)
      if (amount > capacity) return Number.POSITIVE_INFINITY
      return held >= amount ? 0 : ((amount - held) * 60_000) / limit
    },
    fullInMs: (nowMs) => {
      refill(nowMs)
      return ((capacity - held) * 60_000) / limit
    },
    set: (newLimit, newBurst, nowMs) => {
      refill(nowMs)
      limit = newLimit
      capacity = Math.max(1, limit * newBurst)
      held = Math.min(held, capacity)
    },
  }
}
