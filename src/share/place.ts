/** A want's place in line. It keeps it when it is refused and stands there again, and its session keeps it for a while when it is given back. */
import type { Name } from '../core/names.ts'
import type { Amounts, Want } from './types.ts'

export type Place = Readonly<{
  /** Who came first has the lower number. */
  number: number
  sinceMs: number
}>

export type Waiting = Readonly<{ want: Want; rank: number; weight: number; cost: Amounts; place: Place }>

type Kept = Readonly<{ place: Place; rank: number; tag: number; untilMs: number }>

/** A client that honours `retry-after` is back within this time. */
const KEEP_MS = 120_000
/** Of one agent: it can make up as many sessions as it likes. */
const MOST_KEPT = 1_000
const LOWEST_RANK = 9

const amount = (said: number): number => (said > 0 ? Math.min(said, 1e9) : 0)
export const amounts = (inputTokens: number, outputTokens: number): Amounts => ({ requests: 1, input: amount(inputTokens), output: amount(outputTokens) })

export type Places = Readonly<{
  /** Where it stands, and the tag its agent had when the place was left. */
  find: (want: Want, nowMs: number) => Readonly<{ waiting: Waiting; tag: number | undefined }>
  keep: (waiting: Waiting, tag: number, nowMs: number) => void
  size: (nowMs: number) => number
}>

export function createPlaces(): Places {
  const all = new Map<Name, Map<string, Kept>>()
  let last = 0
  // Oldest first: a map keeps the order in which its keys came.
  const forget = (nowMs: number): void => {
    for (const [agent, kept] of all) {
      for (const [session, { untilMs }] of kept) {
        if (untilMs > nowMs && kept.size <= MOST_KEPT) break
        kept.delete(session)
      }
      if (kept.size === 0) all.delete(agent)
    }
  }

  return {
    find: (want, nowMs) => {
      forget(nowMs)
      const rank = want.rank >= 1 ? Math.min(LOWEST_RANK, Math.trunc(want.rank)) : LOWEST_RANK
      const weight = want.weight > 0 ? Math.min(Math.max(want.weight, 0.01), 100) : 1
      const mine = all.get(want.agent)
      const old = want.session === undefined ? undefined : mine?.get(want.session)
      if (want.session !== undefined) mine?.delete(want.session)
      const place = old?.rank === rank ? old.place : { number: ++last, sinceMs: nowMs }
      const tag = old?.rank === rank ? old.tag : undefined
      return { waiting: { want, rank, weight, cost: amounts(want.inputTokens, want.outputTokens), place }, tag }
    },
    keep: ({ want, rank, place }, tag, nowMs) => {
      const { agent, session } = want
      if (session !== undefined) {
        const mine = all.get(agent) ?? new Map<string, Kept>()
        all.set(agent, mine)
        mine.delete(session)
        mine.set(session, { place, rank, tag, untilMs: nowMs + KEEP_MS })
      }
      forget(nowMs)
    },
    size: (nowMs) => {
      forget(nowMs)
      return [...all.values()].reduce((sum, kept) => sum + kept.size, 0)
    },
  }
}
