/** The limits of each organisation and pool of models: who may come in, what the headers say of it. */
import { type Bucket, createBucket } from './bucket.ts'
import { overLimit, type Refusal, tooManyAtOnce, tooSteep, toSeconds } from './errors.ts'
import type { PoolOptions } from './options.ts'

export type Level = {
  /** Nobody is let in who doesn't fit; what is let in is charged. */
  admit: (model: string, inputTokens: number, nowMs: number) => Refusal | undefined
  /** More input than was counted at first (or less). */
  consume: (tokens: number, nowMs: number) => void
  produce: (tokens: number, nowMs: number) => void
  leave: () => void
  headers: (nowMs: number) => Record<string, string>
  /** Somebody was told to wait. */
  tell: (retryAfterS: number, nowMs: number) => void
  early: (nowMs: number) => Readonly<{ toldMsAgo: number; leftMs: number }> | undefined
  set: (limits: Omit<PoolOptions, 'models'>, nowMs: number) => void
}

export type Limits = Readonly<{ of: (organisation: string, model: string) => Level; set: (model: string, limits: Omit<PoolOptions, 'models'>) => void }>

export function createLimits(pools: readonly PoolOptions[], clock: () => number): Limits {
  const given = pools.map((pool) => ({ ...pool }))
  const levels = new Map<string, Level>()
  /** A model that no pool names has one of its own. */
  const poolOf = (model: string): number => given.findIndex((pool) => pool.models.some((name) => fits(name, model)))

  return {
    of: (organisation, model) => {
      const pool = poolOf(model)
      const key = JSON.stringify([organisation, pool < 0 ? model : pool])
      const level = levels.get(key) ?? createLevel(organisation, given[pool] ?? {}, clock())
      levels.set(key, level)
      return level
    },
    set: (model, limits) => {
      const pool = poolOf(model)
      if (pool < 0) throw new Error(`no pool has ${model}`)
      Object.assign(given[pool] as object, limits)
      for (const [key, level] of levels) if ((JSON.parse(key) as [string, number])[1] === pool) level.set(limits, clock())
    },
  }
}

function fits(name: string, model: string): boolean {
  return name.endsWith('*') ? model.startsWith(name.slice(0, -1)) : model === name
}

function createLevel(organisation: string, pool: Omit<PoolOptions, 'models'>, startMs: number): Level {
  let limits = { ...pool }
  const bucket = (limit: number | undefined): Bucket | undefined => (limit === undefined ? undefined : createBucket(limit, limits.burst ?? 1, startMs))
  let requests = bucket(limits.rpm)
  let input = bucket(limits.itpm)
  let output = bucket(limits.otpm)
  let hidden = bucket(limits.hiddenRpm)
  let inFlight = 0
  let told = { atMs: 0, untilMs: 0 }

  function refusal(model: string, tokens: number, nowMs: number): Refusal | undefined {
    const over = (from: Bucket | undefined, amount: number, what: string): Refusal | undefined => {
      const waitMs = from?.waitMs(amount, nowMs) ?? 0
      return from && waitMs > 0 ? overLimit(from.limit(), what, organisation, model, waitMs) : undefined
    }
    const hiddenWaitMs = hidden?.waitMs(1, nowMs) ?? 0
    const wait = (ms: number): number | undefined => (limits.hiddenRetryAfter ? toSeconds(ms) : undefined)
    return (
      over(requests, 1, 'requests') ??
      over(input, tokens, 'input tokens') ??
      over(output, 1, 'output tokens') ??
      (hiddenWaitMs > 0 ? tooSteep(wait(hiddenWaitMs)) : undefined) ??
      (limits.concurrency !== undefined && inFlight >= limits.concurrency ? tooManyAtOnce(wait(1000)) : undefined)
    )
  }

  return {
    admit: (model, tokens, nowMs) => {
      const refused = refusal(model, tokens, nowMs)
      if (refused) return refused
      requests?.take(1, nowMs)
      hidden?.take(1, nowMs)
      input?.take(tokens, nowMs)
      inFlight++
      return undefined
    },
    consume: (tokens, nowMs) => input?.take(tokens, nowMs),
    produce: (tokens, nowMs) => output?.take(tokens, nowMs),
    leave: () => {
      inFlight--
    },
    headers: (nowMs) => headersOf({ requests, 'input-tokens': input, 'output-tokens': output }, nowMs),
    tell: (retryAfterS, nowMs) => {
      told = { atMs: nowMs, untilMs: Math.max(told.untilMs, nowMs + retryAfterS * 1000) }
    },
    early: (nowMs) => (nowMs < told.untilMs ? { toldMsAgo: nowMs - told.atMs, leftMs: told.untilMs - nowMs } : undefined),
    set: (more, nowMs) => {
      limits = { ...limits, ...more }
      const renew = (old: Bucket | undefined, limit: number | undefined): Bucket | undefined => {
        if (limit === undefined || !old) return limit === undefined ? undefined : createBucket(limit, limits.burst ?? 1, nowMs)
        old.set(limit, limits.burst ?? 1, nowMs)
        return old
      }
      requests = renew(requests, limits.rpm)
      input = renew(input, limits.itpm)
      output = renew(output, limits.otpm)
      hidden = renew(hidden, limits.hiddenRpm)
    },
  }
}

function headersOf(buckets: Readonly<Record<string, Bucket | undefined>>, nowMs: number): Record<string, string> {
  const headers: Record<string, string> = {}
  let limit = 0
  let left = 0
  let fullInMs = 0
  for (const [name, bucket] of Object.entries(buckets)) {
    if (!bucket) continue
    const level = Math.max(0, bucket.level(nowMs))
    const remaining = name === 'requests' ? Math.floor(level) : toThousands(level)
    Object.assign(headers, told(name, bucket.limit(), remaining, nowMs + bucket.fullInMs(nowMs)))
    if (name === 'requests') continue
    limit += bucket.limit()
    left += remaining
    fullInMs = Math.max(fullInMs, bucket.fullInMs(nowMs))
  }
  return limit > 0 ? { ...headers, ...told('tokens', limit, left, nowMs + fullInMs) } : headers
}

function told(name: string, limit: number, remaining: number, fullAtMs: number): Record<string, string> {
  const about = `anthropic-ratelimit-${name}`
  // Whole seconds, as the API has them.
  const reset = new Date(Math.ceil(fullAtMs / 1000) * 1000).toISOString().replace('.000Z', 'Z')
  return { [`${about}-limit`]: String(limit), [`${about}-remaining`]: String(remaining), [`${about}-reset`]: reset }
}

function toThousands(tokens: number): number {
  return Math.round(tokens / 1000) * 1000
}
