/** Who is at a door, and whether it may come in: by the socket it came through, or, at the port, by a key of its own and its uid. */
import { createHash, timingSafeEqual } from 'node:crypto'
import type { Name } from '../core/names.ts'
import type { IncomingMessage, ServerResponse } from '../system/http.ts'
import type { Serving } from '../system/serve.ts'
import type { Clock, Log } from '../system/types.ts'
import { refuse } from './errors.ts'
import type { CallerSettings } from './link.ts'
import { METRICS_TYPE } from './metrics.ts'
import { type Route, routeOf } from './route.ts'
import type { Caller } from './types.ts'
import type { Works } from './works.ts'

export type Reception = Readonly<{ atSocket: (agent: Name) => Serving['answer']; atPort: Serving['answer'] }>

export type ReceptionGiven = Readonly<{
  clock: Clock
  log: Log
  callerOf: (agent: string) => CallerSettings | undefined
  works: Pick<Works, 'of'>
  operatorUids: () => readonly number[]
  /** As whom this process acts. */
  selfUid: number
  uidOfPeer: (socket: IncomingMessage['socket']) => number | undefined
  metrics: () => string
  handle: (caller: Caller, route: Route, req: IncomingMessage, res: ServerResponse) => void
}>

const NOT_PASSED_ON = 'the gateway passes on POST /v1/messages, POST /v1/messages/count_tokens and GET /v1/models'
const NO_SUCH_ADDRESS = `${NOT_PASSED_ON}, each behind /agents/<name>`
/** To one who does not know an agent's key all agents look the same. */
const WRONG_KEY = "this is no key of this agent's, or not one for you to use"
const MANY = 'this agent has as many connections to the gateway as one may have'
const RETRY_AFTER_S = 1
/** Longer than a whole sentence of the API, and nobody's message. */
const MOST_ID = 100
const ONCE_MS = 60_000
/** Whoever is refused before its body was read may end it. Milliseconds. */
const HEARD_OUT_MS = 2_000

export function createReception(given: ReceptionGiven): Reception {
  const { clock, log, callerOf } = given
  let refused = { count: 0, untilMs: Number.NEGATIVE_INFINITY }

  async function comeIn({ agent, holdMs }: CallerSettings, route: Route, req: IncomingMessage, res: ServerResponse, isOutside: boolean): Promise<void> {
    const named = req.headers['x-penny-message']
    const message = typeof named === 'string' && named.length <= MOST_ID ? named : undefined
    const work = await given.works.of(agent, message, isOutside)
    given.handle({ agent, holdMs, ...work }, route, req, res)
  }

  function turnAway(req: IncomingMessage, res: ServerResponse, status: 401 | 404 | 429, message: string, retryAfterS?: number): void {
    // Or its connection would stay, which is one too many.
    if (status === 429) res.setHeader('connection', 'close')
    refuse(res, status, message, retryAfterS)
    if (!req.complete) clock.after(HEARD_OUT_MS, () => void (req.complete || req.destroy()))
  }

  function wrongKey(agent: string, uid: number | undefined): void {
    refused.count++
    const nowMs = clock.monotonic()
    if (nowMs < refused.untilMs) return
    log('warn', 'the gateway turned a caller away: a key that is none, or not of this user', { agent, uid, count: refused.count })
    refused = { count: 0, untilMs: nowMs + ONCE_MS }
  }

  return {
    atSocket: (agent) => (req, res, isOf) => {
      const route = routeOf(req.method ?? '', req.url ?? '')
      const caller = callerOf(agent)
      if (!route || !caller || (route.agent ?? agent) !== agent) return turnAway(req, res, 404, NOT_PASSED_ON)
      if (!isOf(agent)) return turnAway(req, res, 429, MANY, RETRY_AFTER_S)
      void comeIn(caller, route, req, res, false)
    },
    atPort: (req, res, isOf) => {
      // Figures and names, no contents: for whoever watches this machine, without a key as is usual there.
      if (req.method === 'GET' && req.url === '/metrics') return void res.writeHead(200, { 'content-type': METRICS_TYPE }).end(given.metrics())
      const route = routeOf(req.method ?? '', req.url ?? '')
      if (!route || (route.agent === undefined && route.kind !== 'hello')) return turnAway(req, res, 404, NO_SUCH_ADDRESS)
      // Clients ask whether somebody is there before they show a key.
      if (route.kind === 'hello' || route.agent === undefined) return void res.writeHead(200).end()
      const caller = callerOf(route.agent)
      const isKey = holdsKey(req, caller?.keys ?? [])
      const uid = caller && isKey ? given.uidOfPeer(req.socket) : undefined
      const isUser = uid === undefined || [0, given.selfUid, caller?.uid, ...given.operatorUids()].includes(uid)
      if (caller && isKey && isUser) return isOf(caller.agent) ? void comeIn(caller, route, req, res, true) : turnAway(req, res, 429, MANY, RETRY_AFTER_S)
      wrongKey(route.agent, uid)
      turnAway(req, res, 401, WRONG_KEY)
    },
  }
}

/** In constant time; hashes of one length tell nothing of what they are made of. */
function holdsKey({ headers, socket }: IncomingMessage, keys: readonly string[]): boolean {
  const shown = [headers['x-api-key'], /^Bearer +(\S+)$/i.exec(headers.authorization ?? '')?.[1]]
  return shown.some((key) => {
    if (typeof key !== 'string') return false
    const hash = hashOf(key, socket)
    return keys.filter((known) => known.length === hash.length && timingSafeEqual(Buffer.from(known), Buffer.from(hash))).length > 0
  })
}

/** What each connection showed last: it shows the same each time, and to hash it takes as long as all the rest of being let in. */
const hashed = new WeakMap<IncomingMessage['socket'], Readonly<{ key: string; hash: string }>>()

function hashOf(key: string, socket: IncomingMessage['socket']): string {
  const last = hashed.get(socket)
  if (last?.key === key) return last.hash
  const hash = createHash('sha256').update(key).digest('hex')
  hashed.set(socket, { key, hash })
  return hash
}
