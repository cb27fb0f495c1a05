/** What is given to a pool and what it gives back. Times in ms, limits per minute. */
import type { Name } from '../core/names.ts'

/** What a provider limits. */
export const METERS = ['requests', 'input', 'output'] as const
export type Meter = (typeof METERS)[number]
export type Amounts = Readonly<Record<Meter, number>>
export type Key = symbol | number

/** One call of an agent that wants to be sent; the tokens are estimates. */
export type Want = Readonly<{
  key: Key
  agent: Name
  weight: number
  /** 1 is urgent. */
  rank: number
  session?: string | undefined
  inputTokens: number
  outputTokens: number
}>

/** What the headers of an answer say; whatever a server may have written there. */
export type Levels = Readonly<Partial<Record<Meter, Readonly<{ limit?: number | undefined; remaining?: number | undefined }>>>>

/** What counts towards the limits: without cache reads. */
export type Usage = Readonly<{ inputTokens: number; outputTokens: number }>

export type Answer =
  | Readonly<{ kind: 'ok'; usage: Usage; limits?: Levels | undefined }>
  /** 429. */
  | Readonly<{ kind: 'refused'; retryAfterMs?: number | undefined; limits?: Levels | undefined }>
  /** 529. */
  | Readonly<{ kind: 'overloaded'; retryAfterMs?: number | undefined; limits?: Levels | undefined }>
  /** Whatever else ends it: it is not sent again. */
  | Readonly<{ kind: 'failed'; usage?: Usage | undefined; limits?: Levels | undefined }>

export type PoolGiven = Readonly<{
  /** Of a monotonic clock. */
  nowMs: () => number
  /** From 0 to below 1. */
  random: () => number
  /** What the operator has set; what is left out is learned. */
  limits: Partial<Amounts>
  /** The part of the limits that rank 1 may have while others wait. */
  urgentCap: number
}>

export type MeterReport = Readonly<{ set: number | undefined; learned: number | undefined; level: number | undefined }>

export type BreakerReport = Readonly<{ state: 'closed' | 'waiting' | 'probing'; failures: number; inMs: number }>

export type PoolReport = Readonly<{
  meters: Readonly<Record<Meter, MeterReport>>
  inFlight: number
  waiting: number
  oldestMs: number
  queue: readonly Readonly<{ rank: number; agent: Name; waiting: number }>[]
  keptPlaces: number
  frozenMs: number
  /** How many may be in flight at a time, and whether a refusal taught it. */
  window: Readonly<{ size: number; isLearned: boolean }>
  /** Learned from refusals that no header explains. */
  perMinute: number | undefined
  breaker: BreakerReport
}>
