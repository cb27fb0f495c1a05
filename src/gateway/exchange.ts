/** The life of one request: it stands in line, is sent, sent again while the provider has no room, and its answer is passed on as it comes. */
import { once } from 'node:events'
import type { Provider } from '../core/config.ts'
import { costUsd, countedInput, type Estimate, judgeAnswer, type RequestFacts, readLevels, type Usage, type Verdict } from '../model/index.ts'
import type { Levels, Want } from '../share/index.ts'
import type { ServerResponse } from '../system/http.ts'
import type { Cancel, Clock } from '../system/types.ts'
import type { UpstreamAnswer } from '../system/upstream.ts'
import { refuse } from './errors.ts'
import { toAgent, toProvider } from './headers.ts'
import type { Line } from './line.ts'
import type { Providers } from './providers.ts'
import { tapOf } from './tap.ts'
import type { Caller, Entry, GatewayGiven } from './types.ts'

export type Asked = Readonly<{
  caller: Caller
  method: string
  path: string
  rawHeaders: readonly string[]
  body: Buffer
  facts: RequestFacts | undefined
  /** Of the line it stands in; a count of tokens has limits of its own. */
  model: string | undefined
  session: string | undefined
  estimate: Pick<Estimate, 'inputTokens' | 'outputTokens'>
  res: ServerResponse
}>

/** What became of it, for the ledger and for the next estimate. */
export type Outcome = Pick<Entry, 'provider' | 'status' | 'requestId' | 'queueMs' | 'tries'> & Readonly<{ usage: Usage | undefined; usd: number | undefined }>

export type ExchangeGiven = Pick<GatewayGiven, 'clock' | 'upstream' | 'keyOf' | 'told'> & Readonly<{ providers: Providers }>

/** A key that is not there may come back at any moment, and so may a provider: looked at again after so long. Milliseconds. */
const AGAIN_MS = 1_000
/** Of a request that was held to its end: it may come back at once. */
const RETRY_AFTER_S = 1
/** Errors are read whole, to be judged; the API's are a few hundred bytes, and more than it takes itself is none of it. */
const MOST_OF_ERROR = 32 * 1024 ** 2
/** What nobody waits for any more, as nginx counts it. */
const CLIENT_GONE = 499

type Way = Readonly<{ provider: Provider; line: Line; key: string }>
/** `sent`: it was passed on, whole or not. Else the request stands in line again, or goes another way. */
type Tried =
  | Readonly<{ again?: never; sent: { status: number; usage: Usage | undefined; requestId: string | undefined } }>
  | Readonly<{ sent?: never; again: Promise<void> }>

export async function exchange(given: ExchangeGiven, asked: Asked): Promise<Outcome> {
  const { clock, providers } = given
  const { caller, res, model } = asked
  const id = Symbol(caller.agent)
  const gone = new AbortController()
  res.on('close', () => gone.abort())
  const left = new Promise<'left'>((resolve) => gone.signal.addEventListener('abort', () => resolve('left')))
  let holdOver = false
  const held = new Promise<'held'>((resolve) => {
    const cancel = clock.after(caller.holdMs, () => {
      holdOver = true
      resolve('held')
    })
    gone.signal.addEventListener('abort', cancel)
  })
  const begunMs = clock.monotonic()
  let queueMs = 0
  let tries = 0
  let way: Way | undefined
  let turn: Promise<'turn'> | undefined
  const outcome = (status: number, more: Partial<Outcome> = {}): Outcome => ({
    status,
    queueMs,
    tries,
    provider: way?.provider.name,
    requestId: undefined,
    usage: undefined,
    usd: undefined,
    ...more,
  })

  if (providers.chainFor(model).length === 0) {
    refuse(res, 403, 'this organisation has no model provider: policies/providers/ is empty')
    return outcome(403)
  }
  for (let sinceMs = begunMs; ; sinceMs = clock.monotonic()) {
    const next = wayFor(given, providers.chainFor(model), model)
    // One whose turn it is goes; else a better way may have opened, or its own closed.
    if (next?.line !== way?.line && (way === undefined || way.line.isWaiting(id))) {
      way?.line.withdraw(id)
      turn = next?.line.enter(wantOf(asked, id, next.provider)).then(() => 'turn' as const)
      way = next
    } else if (next && way && next.line === way.line) way = next
    const what = await firstOf(clock, [...(turn ? [turn] : []), left, held])
    queueMs += clock.monotonic() - sinceMs
    if (what === 'left') {
      way?.line.withdraw(id)
      return outcome(CLIENT_GONE)
    }
    if (what === 'held') {
      way?.line.giveBack(id)
      refuse(res, 429, 'there was no room for this request for as long as it could be held; its place in the line is kept', RETRY_AFTER_S)
      return outcome(429)
    }
    if (what === 'look' || !way) continue
    tries++
    const tried = await tryOnce(given, asked, way, id, gone.signal, () => !holdOver)
    if (tried.again) {
      turn = tried.again.then(() => 'turn' as const)
      continue
    }
    const { usage } = tried.sent
    return outcome(tried.sent.status, { ...tried.sent, usd: usage && model !== undefined ? costUsd(model, usage) : undefined })
  }
}

/** `look`: after a while, whatever comes. */
async function firstOf<T>(clock: Clock, all: readonly Promise<T>[]): Promise<T | 'look'> {
  let cancel: Cancel = () => undefined
  const tick = new Promise<'look'>((resolve) => {
    cancel = clock.after(AGAIN_MS, () => resolve('look'))
  })
  try {
    return await Promise.race([...all, tick])
  } finally {
    cancel()
  }
}

/** The first that may be tried; one whose key is there rather than none, so that it has a line to stand in. */
function wayFor({ keyOf, providers }: ExchangeGiven, chain: readonly Provider[], model: string | undefined): Way | undefined {
  const ways = chain.flatMap((provider): Way[] => {
    const key = keyOf(provider.name)
    return key === undefined ? [] : [{ provider, key, line: providers.lineFor(provider, model) }]
  })
  return ways.find(({ line }) => line.mayTry()) ?? ways[0]
}

function wantOf({ caller, estimate, session }: Asked, key: symbol, { weights }: Provider): Want {
  return { key, agent: caller.agent, weight: weights.get(caller.agent) ?? 1, rank: caller.rank, session, ...estimate }
}

async function tryOnce(given: ExchangeGiven, asked: Asked, way: Way, id: symbol, signal: AbortSignal, mayAgain: () => boolean): Promise<Tried> {
  const { clock, told } = given
  const { line, provider } = way
  let answer: UpstreamAnswer
  try {
    answer = await given.upstream({
      baseUrl: provider.baseUrl,
      method: asked.method,
      path: asked.path,
      headers: toProvider(asked.rawHeaders, way.key),
      body: bodyFor(asked, provider),
      signal,
    })
  } catch {
    if (signal.aborted) return gone(line, id)
    // It does not answer at all: as if it had said that it has no room.
    return { again: line.again(id, { kind: 'overloaded' }) }
  }
  const limits = levelsIn(answer, clock.now())
  if (answer.status >= 200 && answer.status < 300) return passOn(given, asked, way, id, answer, limits, signal, mayAgain)
  const body = await readSome(answer, signal)
  if (body === undefined) return gone(line, id)
  const verdict = judgeAnswer({ status: answer.status, headers: answer.headers, body }, clock.now())
  if (verdict.kind === 'refused' || verdict.kind === 'overloaded') {
    if (mayAgain()) return { again: line.again(id, { ...verdict, limits }) }
    line.ended(id, { kind: 'failed', limits })
  } else {
    line.ended(id, { kind: 'failed', usage: { inputTokens: 0, outputTokens: 0 }, limits })
    if (isForPerson(verdict)) told(provider.name, verdict.kind)
  }
  asked.res.writeHead(answer.status, toAgent(answer.rawHeaders))
  asked.res.end(body)
  return sent(answer, undefined)
}

const isForPerson = ({ kind }: Verdict): boolean => kind === 'bad-key' || kind === 'forbidden' || kind === 'spend-cap'

function gone(line: Line, id: symbol): Tried {
  line.ended(id, { kind: 'failed' })
  return { sent: { status: CLIENT_GONE, usage: undefined, requestId: undefined } }
}

/** A stream is held back until the answer itself begins: before that another try may still replace it, and nobody sees the difference. */
async function passOn(
  { told }: ExchangeGiven,
  { res }: Asked,
  { line, provider }: Way,
  id: symbol,
  answer: UpstreamAnswer,
  limits: Levels,
  signal: AbortSignal,
  mayAgain: () => boolean,
): Promise<Tried> {
  line.heard(id, limits)
  const tap = tapOf(answer)
  let kept: Buffer[] | undefined = tap.state() ? [] : undefined
  const begin = (): void => {
    res.writeHead(answer.status, toAgent(answer.rawHeaders))
    for (const chunk of kept ?? []) res.write(chunk)
    kept = undefined
  }
  if (!kept) begin()
  try {
    for await (const chunk of answer.body) {
      tap.push(chunk)
      const state = tap.state()
      if (kept) {
        kept.push(chunk)
        if (state?.error && !state.begun && mayAgain() && (state.error.kind === 'refused' || state.error.kind === 'overloaded'))
          return { again: line.again(id, state.error) }
        if (state?.begun || state?.finished || state?.error) begin()
      } else if (!res.write(chunk)) await Promise.race([once(res, 'drain'), once(res, 'close')])
    }
    if (kept) begin()
    res.end()
  } catch {
    // Cut by the provider: the client must see that it is not whole, and decides itself. Or cut by the client.
    if (kept && !signal.aborted && mayAgain()) return { again: line.again(id, { kind: 'overloaded' }) }
    res.destroy()
  }
  const error = tap.state()?.error
  if (error && isForPerson(error)) told(provider.name, error.kind)
  const usage = tap.usage()
  line.ended(id, usage ? { kind: 'ok', usage: countedOf(usage), limits } : { kind: 'failed', limits })
  return sent(answer, usage)
}

function sent({ status, headers }: UpstreamAnswer, usage: Usage | undefined): Tried {
  const requestId = headers['request-id']
  return { sent: { status, usage, requestId: typeof requestId === 'string' ? requestId.slice(0, 200) : undefined } }
}

function countedOf(usage: Usage): Readonly<{ inputTokens: number; outputTokens: number }> {
  return { inputTokens: countedInput(usage), outputTokens: usage.outputTokens }
}

function levelsIn({ headers }: UpstreamAnswer, wallMs: number): Levels {
  const { requests, inputTokens, outputTokens, tokens } = readLevels(headers, wallMs)
  const input = inputTokens ?? tokens
  return { ...(requests ? { requests } : {}), ...(input ? { input } : {}), ...(outputTokens ? { output: outputTokens } : {}) }
}

/** What the provider calls the model stands in its place in the body; nothing else changes. */
function bodyFor({ body, facts }: Asked, { models }: Provider): Buffer {
  const name = facts?.model === undefined ? undefined : models.get(facts.model)
  if (name === undefined || !facts?.modelAt) return body
  return Buffer.concat([body.subarray(0, facts.modelAt.from), Buffer.from(JSON.stringify(name)), body.subarray(facts.modelAt.to)])
}

/** undefined: it was cut. */
async function readSome({ body }: UpstreamAnswer, signal: AbortSignal): Promise<Buffer | undefined> {
  const chunks: Buffer[] = []
  let size = 0
  try {
    for await (const chunk of body) {
      size += chunk.length
      if (size > MOST_OF_ERROR) return undefined
      chunks.push(chunk)
    }
  } catch {
    if (signal.aborted) return undefined
  }
  return Buffer.concat(chunks)
}
