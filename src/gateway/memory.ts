/** What a request will probably take, by what earlier ones of the same session, or of the same agent and model, took. */
import type { Name } from '../core/names.ts'
import { type Estimate, estimate, learn, type Memory, type RequestFacts, readRequest, sessionOf, type Usage } from '../model/index.ts'
import type { IncomingHttpHeaders } from '../system/http.ts'
import { COUNTING, LISTING } from './providers.ts'
import type { Route } from './route.ts'

export type Read = Readonly<{
  facts: RequestFacts | undefined
  model: string | undefined
  session: string | undefined
  estimate: Estimate
  /** Under which it is remembered; undefined: it is not. */
  key: string | undefined
}>

export type Memories = Readonly<{
  read: (agent: Name, kind: Route['kind'], body: Buffer, headers: IncomingHttpHeaders) => Read
  learn: (agent: Name, read: Read, usage: Usage) => void
}>

/** An agent can make up any number of sessions; its oldest is forgotten, and nobody else's. */
const MOST_OF_AGENT = 1_000
/** In the place of a model. */
const PSEUDO: Readonly<Partial<Record<Route['kind'], string>>> = { count: COUNTING, models: LISTING }
/** Counting is free, and has limits of its own ("Token counting" of the API's documentation). */
const FREE = { inputTokens: 0, outputTokens: 0, promptTokens: 0 }

export function createMemory(nowMs: () => number): Memories {
  const all = new Map<Name, Map<string, Memory>>()

  function knownOf(agent: Name): Map<string, Memory> {
    const known = all.get(agent) ?? new Map<string, Memory>()
    all.set(agent, known)
    return known
  }

  function remember(known: Map<string, Memory>, key: string, memory: Memory): void {
    known.delete(key)
    known.set(key, memory)
    const [oldest] = known.keys()
    if (known.size > MOST_OF_AGENT && oldest !== undefined) known.delete(oldest)
  }

  return {
    read: (agent, kind, body, headers) => {
      const facts = kind === 'messages' ? readRequest(body) : undefined
      const session = sessionOf(headers, facts)
      if (kind !== 'messages') return { facts, model: PSEUDO[kind], session, estimate: FREE, key: undefined }
      const model = facts?.model
      const known = knownOf(agent)
      const of = `${model}`
      const key = session === undefined ? of : `${of} ${session}`
      // What is not JSON is for the provider to refuse; it takes nothing.
      return { facts, model, session, estimate: facts ? estimate(facts, nowMs(), known.get(key) ?? withoutCache(known.get(of))) : FREE, key }
    },
    learn: (agent, { facts, key, model }, usage) => {
      if (!facts || key === undefined) return
      const known = knownOf(agent)
      remember(known, key, learn(facts, usage, nowMs(), known.get(key)))
      const of = `${model}`
      if (of !== key) remember(known, of, learn(facts, usage, nowMs(), known.get(of)))
    },
  }
}

/** Of another session: its sizes tell something, what the cache holds of it nothing. */
function withoutCache(memory: Memory | undefined): Memory | undefined {
  return memory && { ...memory, cachedTokens: 0 }
}
