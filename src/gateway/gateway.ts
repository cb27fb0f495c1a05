/** The way of a request through the gateway, from its body to its line in the ledger. */
import { type Compaction, compactionIn, type Usage } from '../model/index.ts'
import type { PoolReport } from '../share/index.ts'
import type { IncomingMessage, ServerResponse } from '../system/http.ts'
import { createBell } from './bell.ts'
import { createBodies } from './bodies.ts'
import { createContexts, type Gauge } from './contexts.ts'
import { createDesk } from './desk.ts'
import { refuse } from './errors.ts'
import { exchange, type Outcome } from './exchange.ts'
import { createMemory, type Read } from './memory.ts'
import { COUNTING, createProviders, LISTING, NO_MODEL } from './providers.ts'
import { readBody } from './read.ts'
import type { Route } from './route.ts'
import { type Asked, CLIENT_GONE } from './try.ts'
import type { Caller, GatewayGiven } from './types.ts'

export type Gateway = Readonly<{
  /** Resolves when it is answered, or its client has gone. Never rejects because of either side. */
  handle: (caller: Caller, route: Route, req: IncomingMessage, res: ServerResponse) => Promise<void>
  /** Keys or providers have changed: requests that wait look again at once. */
  wake: () => void
  /** `room`: how many requests could be sent now. */
  report: () => readonly Readonly<{ provider: string; pool: string; room: number; report: PoolReport }>[]
  /** Of those lines alone in which an answer was given, or is waited for: a run will stand in one of them. */
  rooms: () => readonly Readonly<{ provider: string; pool: string; room: number; waiting: number }>[]
  /** Of each agent that was heard of lately. */
  gauges: () => Gauge[]
}>

const NO_ROOM = 'the gateway holds as many bytes of requests as it has room for'
const UNREADABLE = 'the gateway reads requests as JSON in UTF-8, without a byte order mark and without content-encoding, with at most 1,000 keys at the top'
const RETRY_AFTER_S = 1
/** "Errors" of the API's documentation: 32 MB. */
const MOST_BYTES = 32 * 1024 ** 2

/** Of what was turned away nothing but this is known. */
type Booked = Pick<Outcome, 'status' | 'queueMs' | 'tries'> & Partial<Outcome>

export function createGateway(given: GatewayGiven): Gateway {
  const { clock } = given
  const bell = createBell()
  const providers = createProviders({ ...given, bell })
  const memory = createMemory(clock.monotonic)
  const bodies = createBodies(clock)
  const desk = createDesk(clock)
  const contexts = createContexts({ nowMs: clock.monotonic, contextWindowOf: given.contextWindowOf })

  async function handle(caller: Caller, route: Route, req: IncomingMessage, res: ServerResponse): Promise<void> {
    if (route.kind === 'hello') return void res.writeHead(200).end()
    const startedMs = clock.monotonic()
    const turnAway = (status: 400 | 413 | 429, message: string, retryAfterS?: number): void => {
      refuse(res, status, message, retryAfterS)
      book(caller, route, startedMs, { status: res.destroyed ? CLIENT_GONE : status, queueMs: 0, tries: 0 })
    }
    // What is too large is heard out, and not kept.
    const length = Number(req.headers['content-length'] ?? 0)
    // It may have gone already, while it was asked what it works on.
    const onGone = (call: () => void): void => (res.destroyed ? call() : void res.once('close', call))
    const place = await bodies.take(caller.agent, length > MOST_BYTES ? 0 : length, onGone)
    if (!place) return turnAway(429, NO_ROOM, RETRY_AFTER_S)
    try {
      const body = await readBody(req, MOST_BYTES, place.mayKeep)
      // Or its connection would stay, with nobody to read it on.
      if (body === 'gone') return void res.destroy()
      if (body === 'too-large') return turnAway(413, 'Request exceeds the maximum size')
      if (body === 'no-room') return turnAway(429, NO_ROOM, RETRY_AFTER_S)
      await desk.turn(caller.agent, body.length)
      const asked = memory.read(caller.agent, route.kind, body, req.headers)
      // Its model, and so its limits and its price, would be hidden.
      if (route.kind === 'messages' && (asked.facts?.isCrowded || isUnreadable(body, req.headers['content-encoding']))) return turnAway(400, UNREADABLE)
      const how = { method: req.method ?? '', path: route.path, rawHeaders: req.rawHeaders, body, res }
      book(caller, route, startedMs, await passOn({ caller, ...how, ...asked }, asked), asked)
    } finally {
      place.leave()
    }
  }

  async function passOn(request: Asked, asked: Read): Promise<Outcome> {
    const { caller, body } = request
    const compaction = asked.facts && compactionIn(body, asked.facts)
    const why = compaction ?? (isLastOf(caller, asked) ? 'nearly-full' : undefined)
    if (why) await given.seals.seal(caller, asked.session, why, body)
    const outcome = await exchange({ ...given, providers, bell }, request)
    if (outcome.usage) {
      memory.learn(caller.agent, asked, outcome.usage)
      meter(caller, asked, compaction, outcome.usage)
    }
    return outcome
  }

  /** Whatever an agent was answered is in the ledger, but for lists of models. `asked`: what was read of it, where it came to that. */
  function book({ agent, message }: Caller, { kind }: Route, startedMs: number, outcome: Booked, asked?: Read): void {
    if (kind === 'models') return
    const { usage, ...became } = outcome
    given.record({
      at: new Date(clock.now()).toISOString(),
      agent,
      message,
      session: asked?.session,
      model: asked?.facts?.model?.slice(0, 200),
      ...became,
      inputTokens: usage?.inputTokens ?? 0,
      cacheWriteTokens: usage?.cacheWriteTokens ?? 0,
      cacheReadTokens: usage?.cacheReadTokens ?? 0,
      outputTokens: usage?.outputTokens ?? 0,
      ms: Math.round(clock.monotonic() - startedMs),
    })
  }

  function isLastOf({ agent, message }: Caller, { session, facts, estimate }: Read): boolean {
    return facts?.model !== undefined && contexts.isLast({ agent, message, session, model: facts.model, promptTokens: estimate.promptTokens })
  }

  function meter({ agent, message }: Caller, { session, facts }: Read, compaction: Compaction | undefined, usage: Usage): void {
    if (facts?.model === undefined) return
    const change = contexts.heard({ agent, message, session, model: facts.model, usage, compaction })
    if (change) given.contextTold(change)
  }

  return {
    handle,
    wake: bell.ring,
    gauges: contexts.report,
    rooms: () =>
      providers.all().flatMap(({ provider, pool, line }) => {
        if ([NO_MODEL, COUNTING, LISTING].includes(pool) || (line.accepted() === 0 && line.isIdle())) return []
        return [{ provider, pool, room: line.room(), waiting: line.report().waiting }]
      }),
    report: () => providers.all().map(({ provider, pool, line }) => ({ provider, pool, room: line.room(), report: line.report() })),
  }
}

/** What some providers understand all the same: packed, or in an encoding that its first bytes tell. */
function isUnreadable(body: Buffer, encoding: string | undefined): boolean {
  return (encoding ?? 'identity').toLowerCase() !== 'identity' || [0xef, 0xfe, 0xff].includes(body[0] ?? 0) || body.subarray(0, 4).includes(0)
}
