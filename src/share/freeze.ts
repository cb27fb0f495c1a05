/** After a 429 nothing is sent until the provider's `retry-after` is over: earlier tries fail, and count. */

/** Where the provider does not say for how long: doubled with each refusal in a row. */
const [SHORTEST_MS, LONGEST_MS] = [1_000, 30_000]

export type Freeze = Readonly<{
  waitMs: (nowMs: number) => number
  /** Returns for how long. */
  refused: (retryAfterMs: number | undefined, sentMs: number, nowMs: number) => number
  accepted: () => void
}>

export function createFreeze(): Freeze {
  let untilMs = Number.NEGATIVE_INFINITY
  let refusals = 0
  return {
    waitMs: (nowMs) => Math.max(0, untilMs - nowMs),
    refused: (retryAfterMs, sentMs, nowMs) => {
      // What was sent before the freeze is not another refusal in a row.
      if (sentMs >= untilMs) refusals++
      const own = Math.min(LONGEST_MS, SHORTEST_MS * 2 ** (refusals - 1))
      // To be told to come back at once, again and again, is no answer.
      const ms = retryAfterMs || own
      untilMs = Math.max(untilMs, nowMs + ms)
      return ms
    },
    accepted: () => {
      refusals = 0
    },
  }
}
