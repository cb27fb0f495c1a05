/**
 * A provider with limits of its own, shown or hidden: continuous buckets of a minute, a bound for requests at a time, times of overload. It counts a
 * request when it arrives, its output as it ends, and knows when it was asked although it had said to wait.
 */
import type { Levels, Meter } from '../../src/share/index.ts'

export type ProviderGiven = Readonly<{
  shown?: Partial<Record<Meter, number>>
  /** So much of a minute's worth its buckets hold; all of it, if it is not said. */
  store?: number
  /** Said in headers, too; else only by 429. */
  headers?: boolean
  hidden?: Readonly<{ atOnce?: number; perMinute?: number; burst?: number }>
  overload?: Readonly<{ fromMs: number; untilMs: number; part: number }>
  retryAfter?: boolean
  chance: () => number
}>

export type Verdict = Readonly<{ kind: 'ok' | 'refused' | 'overloaded'; retryAfterMs?: number | undefined; limits?: Levels | undefined }>

type Bucket = { limit: number; most: number; level: number; atMs: number }

export function makeProvider({ shown = {}, store = 1, headers = true, hidden = {}, overload, retryAfter = true, chance }: ProviderGiven) {
  const bucket = (limit: number, most = limit): Bucket => ({ limit, most, level: most, atMs: 0 })
  const buckets = Object.fromEntries(Object.entries(shown).map(([meter, limit]) => [meter, bucket(limit, limit * store)])) as Partial<Record<Meter, Bucket>>
  const secret = hidden.perMinute === undefined ? undefined : bucket(hidden.perMinute, hidden.burst ?? hidden.perMinute)
  const seen = {
    asked: 0,
    accepted: 0,
    refused: 0,
    overloaded: 0,
    early: 0,
    input: 0,
    output: 0,
    mostAtOnce: 0,
    overloadedAt: [] as number[],
    refusedAt: [] as number[],
  }
  let atOnce = 0
  let isLifted = false
  let waitUntilMs = 0

  const fill = (one: Bucket, nowMs: number): number => {
    one.level = Math.min(one.most, one.level + ((nowMs - one.atMs) * one.limit) / 60_000)
    one.atMs = nowMs
    return one.level
  }
  const levels = (nowMs: number): Levels | undefined => {
    if (!headers) return undefined
    return Object.fromEntries(
      Object.entries(buckets).map(([meter, one]) => {
        const left = Math.max(0, fill(one, nowMs))
        return [meter, { limit: one.limit, remaining: meter === 'requests' ? Math.floor(left) : Math.round(left / 1_000) * 1_000 }]
      }),
    )
  }
  const refuse = (waitMs: number, nowMs: number): Verdict => {
    seen.refused++
    seen.refusedAt.push(nowMs)
    const retryAfterMs = retryAfter ? Math.max(1_000, Math.ceil(waitMs / 1_000) * 1_000) : undefined
    if (retryAfterMs !== undefined) waitUntilMs = Math.max(waitUntilMs, nowMs + retryAfterMs)
    return { kind: 'refused', retryAfterMs, limits: levels(nowMs) }
  }

  return {
    seen,
    arrive: (inputTokens: number, sentMs: number, toldMs: number, nowMs: number): Verdict => {
      seen.asked++
      if (sentMs < toldMs - 1e-6) seen.early++
      if (overload && nowMs >= overload.fromMs && nowMs < overload.untilMs && chance() < overload.part) {
        seen.overloaded++
        seen.overloadedAt.push(nowMs)
        return { kind: 'overloaded', limits: levels(nowMs) }
      }
      const need: Record<Meter, number> = { requests: 1, input: inputTokens, output: 1 }
      const waits = (Object.entries(buckets) as [Meter, Bucket][]).map(([meter, one]) => {
        const missing = Math.min(need[meter], one.most) - fill(one, nowMs)
        return missing <= 1e-6 ? 0 : (missing * 60_000) / one.limit
      })
      if (secret && !isLifted) waits.push(fill(secret, nowMs) >= 1 - 1e-6 ? 0 : ((1 - secret.level) * 60_000) / secret.limit)
      if (Math.max(0, ...waits) > 0) return refuse(Math.max(...waits), nowMs)
      if (!isLifted && atOnce >= (hidden.atOnce ?? Number.POSITIVE_INFINITY)) return refuse(1_000, nowMs)
      if (secret) secret.level -= 1
      if (buckets.requests) buckets.requests.level -= 1
      if (buckets.input) buckets.input.level -= inputTokens
      atOnce++
      seen.accepted++
      seen.input += inputTokens
      seen.mostAtOnce = Math.max(seen.mostAtOnce, atOnce)
      return { kind: 'ok', limits: levels(nowMs) }
    },
    /** No hidden limit from now on. */
    lift: (): void => {
      isLifted = true
    },
    finish: (outputTokens: number, nowMs: number): void => {
      atOnce--
      seen.output += outputTokens
      if (buckets.output) {
        fill(buckets.output, nowMs)
        buckets.output.level -= outputTokens
      }
    },
  }
}
