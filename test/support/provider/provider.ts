/**
 * A provider of the Messages API that is not one: it answers on loopback (or a unix socket) with the API's own forms, limits, headers,
 * errors and pace, and fails in every way that it is told to. It records what it saw. No network, no model, the same again by its seed.
 */
import { createHash } from 'node:crypto'
import { once } from 'node:events'
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { sendAnswer } from './answer.ts'
import { errorBody, type Refusal, refuse } from './errors.ts'
import { admit, type Body, judgeForm, judgeKey, MAX_BODY, readBody } from './judge.ts'
import type { Level } from './limits.ts'
import { makeId } from './message.ts'
import type { Control, Options, Seen } from './options.ts'
import { countTokens } from './prompt.ts'
import { createState, MODELS, type State } from './state.ts'

export type { Answer, Asked, Behaviour, Block, Control, Options, PoolOptions, Script, Seen, Weather } from './options.ts'
export { KEY } from './state.ts'

export type Provider = Readonly<{
  /** A base URL for clients; of a socket: what is asked for through it. */
  url: string
  port: number
  control: Control
  /** Grows as requests come. */
  seen: readonly Seen[]
  close: () => Promise<void>
}>

export async function startProvider(options: Options = {}): Promise<Provider> {
  const { state, control } = createState(options)
  const server = createServer({ keepAliveTimeout: 60_000, requestTimeout: 0 }, (req, res) => void take(state, req, res))
  const listen = options.listen ?? { port: 0 }
  if ('path' in listen) server.listen(listen.path)
  else server.listen(listen.port, '127.0.0.1')
  await once(server, 'listening')
  const port = 'path' in listen ? 0 : (server.address() as AddressInfo).port
  return { url: port > 0 ? `http://127.0.0.1:${port}` : 'http://localhost', port, control, seen: state.seen, close: () => close(server) }
}

async function close(server: Server): Promise<void> {
  const closed = once(server, 'close')
  server.close()
  server.closeAllConnections()
  await closed
}

async function take(state: State, req: IncomingMessage, res: ServerResponse): Promise<void> {
  const { method = '', url = '', headers, rawHeaders } = req
  const seen: Seen = { n: state.seen.length, atMs: state.now(), method, path: url, headers, rawHeaders, bytes: 0 }
  state.seen.push(seen)
  seen.requestId = makeId('req', state.randomOf(-2 - seen.n))
  const gone = new AbortController()
  res.on('close', () => {
    seen.end ??= res.writableFinished ? 'whole' : 'left'
    seen.endedAtMs = state.now()
    gone.abort()
    state.report?.(seen)
  })
  try {
    await answer({ state, req, res, seen, gone: gone.signal })
  } catch (error) {
    // A mistake of a script, or of this provider: whoever tests must see it.
    send(state, res, seen, refuse(500, `the provider failed: ${(error as Error).stack ?? String(error)}`))
  }
}

type Taking = Readonly<{ state: State; req: IncomingMessage; res: ServerResponse; seen: Seen; gone: AbortSignal }>

async function answer(taking: Taking): Promise<void> {
  const { state, req, res, seen } = taking
  const bytes = await read(req, seen)
  if (bytes && state.keepBodies) seen.body = bytes
  const path = (req.url ?? '').split('?')[0]
  if (req.method === 'HEAD' && path === '/') return sendJson(state, res, seen, undefined)
  const organisation = judgeKey(state, req.headers, seen)
  if (typeof organisation !== 'string') return send(state, res, seen, organisation)
  if (!bytes) return send(state, res, seen, refuse(413))
  if (req.headers['anthropic-version'] === undefined) return send(state, res, seen, refuse(400, 'anthropic-version: header is required'))
  if (req.method === 'GET' && path === '/v1/models') return sendJson(state, res, seen, modelList())
  if (path !== '/v1/messages' && path !== '/v1/messages/count_tokens') return send(state, res, seen, refuse(404, 'Not found'))
  if (req.method !== 'POST') return send(state, res, seen, refuse(405, 'Method Not Allowed'))
  const parsed = readBody(bytes)
  if ('refusal' in parsed) return send(state, res, seen, parsed.refusal)
  return path === '/v1/messages' ? converse(taking, organisation, parsed.body) : count(taking, organisation, parsed.body)
}

async function converse({ state, req, res, seen, gone }: Taking, organisation: string, body: Body): Promise<void> {
  const admitted = admit(state, organisation, body, seen)
  if (admitted.kind === 'refused') return send(state, res, seen, admitted.refusal, admitted.level)
  const { level, model } = admitted
  try {
    const told = await state.behave({ key: seen.key ?? '', organisation, headers: req.headers, model, stream: body['stream'] === true, body })
    if (told.kind === 'error') return send(state, res, seen, refuse(told.status, told.message, shortened(told)), level)
    const headers = (): Record<string, string> => ({ ...level.headers(state.now()), ...common(seen) })
    await sendAnswer({ state, res, seen, random: state.randomOf(seen.n), gone, headers }, admitted, told)
  } finally {
    level.leave()
  }
}

function shortened({ type, details, retryAfterS }: Partial<Pick<Refusal, 'type' | 'details' | 'retryAfterS'>>): Partial<Refusal> {
  return { ...(type === undefined ? {} : { type }), ...(details === undefined ? {} : { details }), ...(retryAfterS === undefined ? {} : { retryAfterS }) }
}

/** Free, with a limit of its own: that of the pool that names `count_tokens`. */
function count({ state, res, seen }: Taking, organisation: string, body: Body): void {
  const wrong = judgeForm(state, body, ['model', 'messages'])
  if (wrong) return send(state, res, seen, wrong)
  const level = state.limits.of(organisation, 'count_tokens')
  const refusal = level.admit('count_tokens', 0, state.now())
  if (refusal) return send(state, res, seen, refusal, level)
  level.leave()
  sendJson(state, res, seen, { input_tokens: countTokens(body) })
}

function modelList(): object {
  const data = MODELS.map((id) => ({ type: 'model', id, display_name: id, created_at: '2026-01-01T00:00:00Z' }))
  return { data, has_more: false, first_id: MODELS[0], last_id: MODELS.at(-1) }
}

/** undefined: longer than the API takes. */
async function read(req: IncomingMessage, seen: Seen): Promise<Buffer | undefined> {
  const pieces: Buffer[] = []
  for await (const piece of req as AsyncIterable<Buffer>) {
    seen.bytes += piece.length
    if (seen.bytes <= MAX_BODY) pieces.push(piece)
  }
  const bytes = Buffer.concat(pieces)
  seen.sha256 = createHash('sha256').update(bytes).digest('hex')
  return seen.bytes <= MAX_BODY ? bytes : undefined
}

function common(seen: Seen): Record<string, string> {
  return { 'request-id': seen.requestId ?? '', ...(seen.organisation === undefined ? {} : { 'anthropic-organization-id': seen.organisation }) }
}

function send(state: State, res: ServerResponse, seen: Seen, refusal: Refusal, level?: Level): void {
  if (res.headersSent) return void res.destroy()
  const { status, type, retryAfterS } = refusal
  seen.type = type
  if (retryAfterS !== undefined) {
    seen.retryAfterS = retryAfterS
    level?.tell(retryAfterS, state.now())
  }
  const wait = retryAfterS === undefined ? {} : { 'retry-after': String(retryAfterS) }
  respond(state, res, seen, status, { ...level?.headers(state.now()), ...wait }, errorBody(refusal, seen.requestId ?? ''))
}

function sendJson(state: State, res: ServerResponse, seen: Seen, body: object | undefined): void {
  respond(state, res, seen, 200, {}, body)
}

function respond(state: State, res: ServerResponse, seen: Seen, status: number, headers: Record<string, string>, body: object | undefined): void {
  const bytes = Buffer.from(body ? JSON.stringify(body) : '')
  seen.status = status
  seen.firstByteAtMs = state.now()
  res.writeHead(status, { ...headers, ...common(seen), 'content-type': 'application/json', 'content-length': bytes.length })
  res.end(bytes)
}
