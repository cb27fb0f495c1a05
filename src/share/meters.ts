/** The three limits of a provider together: what a request needs of each, takes, and gives back. */
import { type Bucket, createBucket } from './bucket.ts'
import { type Amounts, type Levels, METERS, type Meter, type MeterReport } from './types.ts'

/** Tokens are rounded to thousands in the headers. */
const GRAIN: Amounts = { requests: 1, input: 1_000, output: 1_000 }
/** Where nothing is known of a limit, what requests weigh against each other: the start tier's. */
const NOMINAL: Amounts = { requests: 1_000, input: 2_000_000, output: 400_000 }

/** What is sent within this time may arrive in another order. */
const TOGETHER_MS = 50

/** What one try has taken of each. */
export type Charge = {
  readonly sentMs: number
  readonly cost: Amounts
  /** A header has told what is left with its input taken: that is not given back a second time at its end. */
  isTold: boolean
  /** All that had been charged before those that were sent about when it was. */
  readonly before: Amounts
  /** Output is counted as it is produced: what was still to come of all others. */
  readonly unproduced: number
}

export type Meters = Readonly<{
  waitMs: (cost: Amounts, nowMs: number) => number
  charge: (cost: Amounts, nowMs: number) => Charge
  hear: (charge: Charge, levels: Levels, nowMs: number) => void
  /** What it really took; once, at its end. */
  settle: (charge: Charge, actual: Amounts) => void
  /** Whether what the headers of a refusal say is reason for it. */
  explains: (levels: Levels, cost: Amounts) => boolean
  /** The greatest part of a minute's limit that it takes. */
  share: (cost: Amounts) => number
  /** What is left of that limit of which the least is left: a part of a minute's worth. Infinite while no limit is known. */
  level: (nowMs: number) => number
  /** How many requests the known limits allow now. */
  room: (nowMs: number) => number
  report: (nowMs: number) => Record<Meter, MeterReport>
}>

export function createMeters(set: Partial<Amounts>): Meters {
  const make = (meter: Meter): Bucket => createBucket(set[meter], GRAIN[meter])
  const buckets = { requests: make('requests'), input: make('input'), output: make('output') }
  const all = <T>(of: (meter: Meter) => T): Record<Meter, T> => ({ requests: of('requests'), input: of('input'), output: of('output') })
  let unproduced = 0
  const markAt = (sinceMs: number) => ({ sinceMs, before: all((meter) => buckets[meter].charged()), unproduced })
  let lastMs = Number.NEGATIVE_INFINITY
  let [older, recent] = [markAt(lastMs), markAt(lastMs)]

  return {
    waitMs: (cost, nowMs) => Math.max(...METERS.map((meter) => buckets[meter].waitMs(cost[meter], nowMs))),
    charge: (cost, nowMs) => {
      if (nowMs - recent.sinceMs > TOGETHER_MS) [older, recent] = [nowMs - lastMs > TOGETHER_MS ? markAt(nowMs) : recent, markAt(nowMs)]
      lastMs = nowMs
      const charge = { sentMs: nowMs, cost, isTold: false, before: older.before, unproduced: older.unproduced }
      for (const meter of METERS) buckets[meter].charge(cost[meter], nowMs)
      unproduced += cost.output
      return charge
    },
    hear: (charge, levels, nowMs) => {
      for (const meter of METERS) {
        const said = levels[meter]
        if (!said) continue
        const isOutput = meter === 'output'
        // Its own requests and input are in what the header says; of its output nothing need be yet.
        const charged = charge.before[meter] + (isOutput ? 0 : charge.cost[meter])
        buckets[meter].hear(said, { sentMs: charge.sentMs, charged }, isOutput ? charge.unproduced : 0, nowMs)
      }
      if (levels.input?.remaining !== undefined) charge.isTold = true
    },
    settle: (charge, actual) => {
      unproduced = Math.max(0, unproduced - charge.cost.output)
      const over = (meter: Meter): number => charge.cost[meter] - actual[meter]
      buckets.requests.refund(over('requests'))
      buckets.input.refund(charge.isTold ? Math.min(0, over('input')) : over('input'))
      buckets.output.refund(over('output'))
    },
    explains: (levels, cost) => {
      // What was thought of its input may be far off.
      const need: Amounts = { requests: 1, input: 2 * cost.input + GRAIN.input, output: GRAIN.output }
      return METERS.some((meter) => (levels[meter]?.remaining ?? Number.POSITIVE_INFINITY) < need[meter])
    },
    share: (cost) => Math.max(...METERS.map((meter) => cost[meter] / (buckets[meter].limit() ?? NOMINAL[meter]))),
    level: (nowMs) => Math.min(...METERS.map((meter) => buckets[meter].level(nowMs) / (buckets[meter].limit() ?? 1))),
    room: (nowMs) => buckets.requests.level(nowMs),
    report: (nowMs) =>
      all((meter) => {
        const level = buckets[meter].level(nowMs)
        return { set: set[meter], learned: buckets[meter].learned(), level: Number.isFinite(level) ? level : undefined }
      }),
  }
}
