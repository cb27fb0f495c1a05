/** Which provider serves a model, who stands in for it, and which line a request stands in there. */
import type { Pool as PoolLimits, Provider } from '../core/config.ts'
import type { Name } from '../core/names.ts'
import { poolOf, priceOf } from '../model/index.ts'
import { createPool, type PoolGiven } from '../share/index.ts'
import type { Clock } from '../system/types.ts'
import type { Bell } from './bell.ts'
import { createLine, type Line } from './line.ts'

export type Providers = Readonly<{
  /** The first one first; empty: nobody serves it. */
  chainFor: (model: string | undefined) => readonly Provider[]
  /** `pool`: what the line is called in reports. */
  lineFor: (provider: Provider, model: string | undefined, agent: Name) => Line
  all: () => readonly Readonly<{ provider: string; pool: string; line: Line }>[]
}>

export type ProvidersGiven = Readonly<{ clock: Clock; random: () => number; providers: () => ReadonlyMap<string, Provider>; bell: Bell }>

/** What a provider's file says of a model's line: long to put together, and the same for each request. */
type Names = Readonly<{
  pool: string
  set: PoolGiven['limits']
  /** Nobody knows the model. */
  isUnknown: boolean
  keyOf: Readonly<{ pool: string; shared: string }>
}>

/** The line of requests that name no model, and of those beyond the bound; and that of counting, which has limits of its own. */
export const NO_MODEL = '-'
export const COUNTING = 'count_tokens'
/** That of asking which models there are. It is free, and clients do so when they begin. */
export const LISTING = 'models'
const LISTING_RPM = 300
/** A client can make up names of models: those that nobody knows share one line once there are so many, of all and of one agent. */
const MOST_UNKNOWN = 64
const MOST_UNKNOWN_OF_AGENT = 8
/** Of those, and of the known ones, so many are remembered. */
const MOST_NAMES = 128

export function createProviders({ clock, random, providers, bell }: ProvidersGiven): Providers {
  const lines = new Map<string, { provider: string; pool: string; line: Line; unknownOf: Name | undefined }>()

  /** Of each provider as it was configured: another configuration is another object. */
  const names = new WeakMap<Provider, Map<string | undefined, Names>>()

  function chainFor(model: string | undefined): Provider[] {
    const all = providers()
    const standIns = new Set([...all.values()].flatMap(({ fallback }) => fallback))
    const fronts = [...all.values()].filter(({ name }) => !standIns.has(name))
    const first =
      fronts.find(({ pools }) => model !== undefined && model !== LISTING && patternIn(pools, model) !== undefined) ?? fronts[0] ?? [...all.values()][0]
    if (!first) return []
    return [first, ...first.fallback.flatMap((name) => all.get(name) ?? [])]
  }

  function namesOf(provider: Provider, model: string | undefined): Names {
    const all = names.get(provider) ?? new Map<string | undefined, Names>()
    names.set(provider, all)
    const known = all.get(model)
    if (known) return known
    const read = readNames(provider, model)
    if (all.size < MOST_NAMES) all.set(model, read)
    return read
  }

  function lineFor(provider: Provider, model: string | undefined, agent: Name): Line {
    const { pool, set, isUnknown, keyOf } = namesOf(provider, model)
    const own = lines.get(keyOf.pool)
    if (own) return own.line
    const shared = isUnknown && !isRoomFor(agent)
    const key = shared ? keyOf.shared : keyOf.pool
    const known = lines.get(key)
    if (known) return known.line
    const line = createLine(clock, createPool({ nowMs: clock.monotonic, random, limits: set, urgentCap: provider.urgentCap }), bell.ring)
    lines.set(key, { provider: provider.name, pool: shared ? NO_MODEL : pool, line, unknownOf: isUnknown && !shared ? agent : undefined })
    return line
  }

  /** Another unknown one finds a line of its own: one that never had an answer, and that nobody stands in, makes way; of the same agent's first. */
  function isRoomFor(agent: Name): boolean {
    const unknown = [...lines].filter(([, one]) => one.unknownOf !== undefined)
    const mine = unknown.filter(([, one]) => one.unknownOf === agent)
    const isMine = mine.length >= MOST_UNKNOWN_OF_AGENT
    if (!isMine && unknown.length < MOST_UNKNOWN) return true
    const idle = (isMine ? mine : unknown).find(([, { line }]) => line.accepted() === 0 && line.isIdle())
    return idle !== undefined && lines.delete(idle[0])
  }

  return { chainFor, lineFor, all: () => [...lines.values()] }
}

/** Other limits, another line: who stands in the old one is served there. */
function readNames(provider: Provider, model: string | undefined): Names {
  const named = nameAt(provider, model)
  const limits = limitsOf(provider, model)
  const pool = poolNameOf(provider, model)
  const { rpm = model === LISTING ? LISTING_RPM : undefined, itpm, otpm } = limits ?? {}
  const set = {
    ...(rpm === undefined ? {} : { requests: rpm }),
    ...(itpm === undefined ? {} : { input: itpm }),
    ...(otpm === undefined ? {} : { output: otpm }),
  }
  const keyOf = (name: string): string => JSON.stringify([provider.name, name, set, provider.urgentCap])
  const isUnknown = limits === undefined && named !== undefined && named !== COUNTING && named !== LISTING && priceOf(named) === undefined
  return { pool, set, isUnknown, keyOf: { pool: keyOf(pool), shared: keyOf(NO_MODEL) } }
}

/** Models of one name share their limits. */
export function poolNameOf(provider: Provider, model: string | undefined): string {
  const named = nameAt(provider, model)
  return limitsOf(provider, model)?.models.join(' ') ?? (named === undefined ? NO_MODEL : poolOf(named))
}

function limitsOf(provider: Provider, model: string | undefined): PoolLimits | undefined {
  const named = nameAt(provider, model)
  return named === undefined || model === LISTING ? undefined : patternIn(provider.pools, named)
}

function nameAt(provider: Provider, model: string | undefined): string | undefined {
  return model === undefined ? undefined : (provider.models.get(model) ?? model)
}

function patternIn(pools: readonly PoolLimits[], model: string): PoolLimits | undefined {
  return pools.find(({ models }) => models.some((pattern) => fits(pattern, model)))
}

/** `*` stands for any characters. */
function fits(pattern: string, model: string): boolean {
  const [head = '', ...rest] = pattern.split('*')
  if (rest.length === 0) return head === model
  if (!model.startsWith(head)) return false
  let at = head.length
  for (const [n, part] of rest.entries()) {
    const found = n === rest.length - 1 ? model.length - part.length : model.indexOf(part, at)
    if (found < at || !model.startsWith(part, found)) return false
    at = found + part.length
  }
  return true
}
