/** Agents in loops on a pool and a simulated provider, in virtual time. */
import type { Name } from '../../src/core/names.ts'
import { type Amounts, createPool, type Pool, type Want } from '../../src/share/index.ts'
import { chanceOf } from './chance.ts'
import { makeProvider, type ProviderGiven } from './provider.ts'
import { makeTimeline } from './timeline.ts'

/** What a request takes, and what is thought of it before. */
export type Call = Readonly<{
  input: number
  output: number
  guess?: number
  serviceMs: number
  /** Of these, until the head. */
  headMs?: number
}>

export type Loops = Readonly<{
  agent: string
  rank?: number
  weight?: number
  loops?: number
  fromMs?: number
  /** Between an answer and the next request. */
  thinkMs?: (chance: () => number) => number
  call: (chance: () => number) => Call
}>

export type HouseGiven = Readonly<{
  seed: number
  untilMs: number
  limits?: Partial<Amounts>
  urgentCap?: number
  provider: Omit<ProviderGiven, 'chance'>
  agents: readonly Loops[]
  /** What stands between the agents and their pool. */
  watch?: (pool: Pool, nowMs: () => number) => Pool
  /** From then on the provider hides no limit, and all goes on. */
  lifted?: Readonly<{ atMs: number; untilMs: number }>
}>

export type Done = Readonly<{ agent: string; rank: number; submittedMs: number; sentMs: number; doneMs: number; input: number; output: number }>

/** One way through the network. */
const wayMs = (chance: () => number): number => 20 + 20 * chance()

export function runHouse({ seed, untilMs, limits = {}, urgentCap = 0.5, provider: given, agents, watch = (pool) => pool, lifted }: HouseGiven) {
  const chance = chanceOf(seed)
  const time = makeTimeline()
  const provider = makeProvider({ ...given, chance })
  const pool = watch(createPool({ nowMs: time.nowMs, random: chance, limits, urgentCap }), time.nowMs)
  const waiting = new Map<number, Readonly<{ loops: Loops; call: Call; submittedMs: number }>>()
  const done: Done[] = []
  const sends: number[] = []
  let last = 0
  let toldMs = 0
  let wakeMs = Number.POSITIVE_INFINITY

  const next = (loops: Loops): void => {
    const call = loops.call(chance)
    const key = ++last
    waiting.set(key, { loops, call, submittedMs: time.nowMs() })
    const want: Want = {
      key,
      agent: loops.agent as Name,
      weight: loops.weight ?? 1,
      rank: loops.rank ?? 3,
      inputTokens: call.guess ?? call.input,
      outputTokens: call.output,
    }
    pool.submit(want)
  }
  const send = (key: number): void => {
    const one = waiting.get(key)
    if (!one) throw new Error('sent, but not waiting')
    const { loops, call, submittedMs } = one
    const sentMs = time.nowMs()
    sends.push(sentMs)
    const told = toldMs
    time.at(sentMs + wayMs(chance), () => {
      const verdict = provider.arrive(call.input, sentMs, told, time.nowMs())
      const back = wayMs(chance)
      if (verdict.kind !== 'ok') {
        const { kind, retryAfterMs, limits } = verdict
        return time.at(time.nowMs() + back, () => {
          if (kind === 'refused' && retryAfterMs !== undefined) toldMs = Math.max(toldMs, time.nowMs() + retryAfterMs)
          pool.answered(key, { kind, retryAfterMs, limits })
          pump()
        })
      }
      const headMs = call.headMs ?? Math.min(1_000, call.serviceMs / 2)
      time.at(time.nowMs() + headMs, () => {
        pool.heard(key, verdict.limits ?? {})
        pump()
      })
      time.at(time.nowMs() + call.serviceMs, () => provider.finish(call.output, time.nowMs()))
      time.at(time.nowMs() + call.serviceMs + back, () => {
        waiting.delete(key)
        pool.answered(key, { kind: 'ok', usage: { inputTokens: call.input, outputTokens: call.output } })
        done.push({ agent: loops.agent, rank: loops.rank ?? 3, submittedMs, sentMs, doneMs: time.nowMs(), input: call.input, output: call.output })
        const think = loops.thinkMs?.(chance) ?? 0
        if (think === 0) next(loops)
        else time.at(time.nowMs() + think, () => start(loops))
        pump()
      })
    })
  }
  const pump = (): void => {
    for (const { key } of pool.take()) send(key as number)
    const waitMs = pool.waitMs()
    if (waitMs === undefined) return
    const atMs = time.nowMs() + waitMs
    if (wakeMs > time.nowMs() && wakeMs <= atMs) return
    wakeMs = atMs
    time.at(atMs, () => {
      if (wakeMs === atMs) wakeMs = Number.POSITIVE_INFINITY
      pump()
    })
  }
  const start = (loops: Loops): void => {
    next(loops)
    pump()
  }
  for (const loops of agents) for (let n = 0; n < (loops.loops ?? 1); n++) time.at(loops.fromMs ?? chance() * 100, () => start(loops))
  if (lifted) time.at(lifted.atMs, provider.lift)
  time.runUntil(lifted?.untilMs ?? untilMs)
  return { done, sends, seen: provider.seen, pool, waiting: waiting.size }
}

export const between = (done: readonly Done[], fromMs: number, untilMs: number): Done[] => done.filter(({ doneMs }) => doneMs > fromMs && doneMs <= untilMs)

/** Jain's index: 1 where all have the same. */
export function jain(values: readonly number[]): number {
  const sum = values.reduce((a, b) => a + b, 0)
  return sum ** 2 / (values.length * values.reduce((a, b) => a + b * b, 0))
}

export function quantile(values: readonly number[], part: number): number {
  const sorted = [...values].sort((a, b) => a - b)
  return sorted[Math.min(sorted.length - 1, Math.floor(part * sorted.length))] ?? Number.NaN
}

export const named = (count: number, of: (n: number) => Omit<Loops, 'agent'>): Loops[] =>
  Array.from({ length: count }, (_, n) => ({ agent: `a${n}`, ...of(n) }))
