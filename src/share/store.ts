/**
 * What is stored up in a limit belongs to all who have had something lately: while it is being used up, one agent may be ahead of the others
 * only as far as what is left would let them catch up. What flows in is for whoever asks: nothing of it waits for somebody who may come.
 */
import type { Flow } from './flow.ts'

const MINUTE_MS = 60_000
/** Who has not been sent for so long does not count. */
const LATELY_MS = 10_000
/** A bucket holds a minute's worth; who did not take its part of it within a minute did not need it. */
const ROUND_MS = 60_000
/** From here on it is as good as full, and there is enough; and here nothing is stored. */
const [FULL, EMPTY] = [0.95, 0.02]
/** So many requests ahead is chance. */
const SLACK = 2
/** How fast the usual request's size follows. */
const FOLLOW = 1 / 16

export type Store = Readonly<{
  /** It was sent, and its tag has grown by `step`. */
  took: (flow: Flow, weight: number, step: number, nowMs: number) => void
  knows: (flow: Flow) => boolean
  /** Its tag was put right. */
  moved: (flow: Flow, by: number) => void
  /** Where those are, on the whole, who had something lately. */
  mean: () => number
  /** For how long the first in line leaves to the others what is stored; `level`, `share`: parts of a minute's limit. */
  holdMs: (flow: Flow, share: number, level: number, nowMs: number) => number
}>

/** `changed`: a tag is another, without a request of its agent's. */
export function createStore(changed: (flow: Flow) => void): Store {
  /** In the order in which they were sent last. */
  const lately = new Map<Flow, { weight: number; step: number; atMs: number }>()
  let weights = 0
  let tags = 0
  let usual = 0
  /** Whether anything is stored; since when it is shared, and how little of it there was. */
  let isOpen = false
  let roundMs = Number.NEGATIVE_INFINITY
  let lowest = Number.POSITIVE_INFINITY

  const leave = (flow: Flow, tag = flow.tag): void => {
    const { weight = 0 } = lately.get(flow) ?? {}
    lately.delete(flow)
    weights -= weight
    tags -= weight * tag
  }
  /** How far ahead somebody was is forgotten with the store of which it was. */
  const forget = (): void => {
    const mean = tags / weights
    for (const [flow, { step }] of lately) {
      if (flow.tag <= mean + step) continue
      flow.tag = mean + step
      changed(flow)
    }
    lately.clear()
    ;[weights, tags] = [0, 0]
  }
  const look = (slack: number, level: number, nowMs: number): void => {
    const empty = Math.max(EMPTY, slack)
    if (level >= FULL || level <= empty || nowMs - roundMs >= ROUND_MS) {
      forget()
      ;[roundMs, lowest] = [nowMs, level]
    }
    // Not to and fro with each request.
    isOpen = level > (isOpen ? empty : 2 * empty)
    lowest = Math.min(lowest, level)
  }

  return {
    took: (flow, weight, step, nowMs) => {
      if (!isOpen) return
      usual += (step - usual) * FOLLOW
      leave(flow, flow.tag - step)
      for (const [other, { atMs }] of lately) {
        if (nowMs - atMs <= LATELY_MS) break
        leave(other)
      }
      lately.set(flow, { weight, step, atMs: nowMs })
      weights += weight
      tags += weight * flow.tag
    },
    knows: (flow) => lately.has(flow),
    moved: (flow, by) => {
      tags += (lately.get(flow)?.weight ?? 0) * by
    },
    mean: () => (lately.size === 0 ? Number.POSITIVE_INFINITY : tags / weights),
    holdMs: (flow, share, level, nowMs) => {
      const slack = SLACK * Math.max(usual, share)
      look(slack, level, nowMs)
      const ahead = flow.tag * weights - tags
      if (!isOpen || ahead <= level + slack * weights) return 0
      // What flowed in since it was lowest is not what was stored.
      return Math.max(0, Math.min((lowest + slack - level) * MINUTE_MS, roundMs + ROUND_MS - nowMs))
    },
  }
}
