/** One try: the request is sent, and its answer passed on as it comes, or the request stands in line again. */
import type { Provider } from '../core/config.ts'
import { countedInput, type Estimate, judgeAnswer, type RequestFacts, readLevels, surelyBegins, type Usage, type Verdict } from '../model/index.ts'
import type { Levels } from '../share/index.ts'
import type { Gone } from '../system/gone.ts'
import type { ServerResponse } from '../system/http.ts'
import type { Clock } from '../system/types.ts'
import type { UpstreamAnswer } from '../system/upstream.ts'
import type { Bell } from './bell.ts'
import { drained, headOf } from './head.ts'
import { toAgent, toProvider } from './headers.ts'
import type { Line } from './line.ts'
import type { Providers } from './providers.ts'
import { tapOf } from './tap.ts'
import type { Caller, GatewayGiven } from './types.ts'

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

export type ExchangeGiven = Pick<GatewayGiven, 'clock' | 'upstream' | 'keyOf' | 'told'> & Readonly<{ providers: Providers; bell: Bell }>

/**
 * `sent`: it was passed on, whole or not. Else the request stands in line again: `again` resolves at its turn. `isCut`: the connection was
 * there, and broke off.
 */
type Tried =
  | Readonly<{ again?: never; isCut?: never; sent: { status: number; usage: Usage | undefined; requestId: string | undefined } }>
  | Readonly<{ sent?: never; again: Promise<void>; isCut: boolean }>

type Way = Readonly<{ provider: Provider; line: Line; key: string }>

/** What nobody waits for any more, as nginx counts it. */
export const CLIENT_GONE = 499
/** Of a connection that there was; one that was refused says nothing about the request. */
const CUTS: ReadonlySet<string | undefined> = new Set(['ECONNRESET', 'EPIPE'])
/** Errors are read whole, to be judged; the API's are a few hundred bytes, and more than it takes itself is none of it. */
const MOST_OF_ERROR = 32 * 1024 ** 2

export async function tryOnce(given: ExchangeGiven, asked: Asked, way: Way, id: symbol, gone: Gone): Promise<Tried> {
  const { clock } = given
  const { line, provider } = way
  let answer: UpstreamAnswer
  try {
    answer = await given.upstream({
      baseUrl: provider.baseUrl,
      method: asked.method,
      path: asked.path,
      headers: toProvider(asked.rawHeaders, way.key),
      body: bodyFor(asked, provider),
      gone,
    })
  } catch (cause) {
    return brokenOff(line, id, gone, CUTS.has((cause as NodeJS.ErrnoException).code))
  }
  if (answer.status >= 200 && answer.status < 300) return passOn(given, asked, way, id, answer, gone)
  const limits = levelsIn(answer, clock.now())
  const body = await readWhole(answer)
  const verdict = judgeAnswer({ status: answer.status, headers: answer.headers, body: body ?? Buffer.alloc(0) }, clock.now())
  if (gone.isSo()) return brokenOff(line, id, gone)
  if (verdict.kind === 'refused' || verdict.kind === 'overloaded') return { again: line.again(id, { ...verdict, limits }), isCut: false }
  if (body === undefined) return brokenOff(line, id, gone)
  line.ended(id, { kind: 'failed', usage: { inputTokens: 0, outputTokens: 0 }, limits })
  tell(given, way, verdict)
  asked.res.writeHead(answer.status, toAgent(answer.rawHeaders))
  asked.res.end(body)
  return sent(answer, undefined)
}

function tell({ told, keyOf }: ExchangeGiven, { provider, key }: Way, { kind }: Verdict): void {
  // A key that was replaced meanwhile is nobody's concern any more.
  if (kind === 'bad-key' && keyOf(provider.name) !== key) return
  if (kind === 'bad-key' || kind === 'forbidden' || kind === 'spend-cap') told(provider.name, kind)
}

/** Nothing was passed on. By the client, or by a provider that does not answer: as if it had said that it has no room. */
function brokenOff(line: Line, id: symbol, gone: Gone, isCut = true): Tried {
  if (!gone.isSo()) return { again: line.again(id, { kind: 'overloaded' }), isCut }
  line.ended(id, { kind: 'failed' })
  return { sent: { status: CLIENT_GONE, usage: undefined, requestId: undefined } }
}

/** A stream is held back until the answer itself begins: before that another try may still replace it, and nobody sees the difference. */
async function passOn(given: ExchangeGiven, { res, facts, estimate }: Asked, way: Way, id: symbol, answer: UpstreamAnswer, gone: Gone): Promise<Tried> {
  const { clock } = given
  const { line } = way
  const heard = soon(clock, () => {
    const limits = levelsIn(answer, clock.now())
    line.heard(id, limits)
    return limits
  })
  const tap = tapOf(clock, answer, facts && estimate.inputTokens)
  let isCut = false
  const head = headOf(clock, res, answer)
  if (!tap.isStream) head.begin()
  try {
    for await (const chunk of answer.body) {
      if (head.isKept()) {
        let begins = surelyBegins(chunk)
        if (begins) tap.follow(chunk)
        else {
          tap.push(chunk)
          const { begun, finished, error } = tap.state() ?? {}
          if (!begun && (error?.kind === 'refused' || error?.kind === 'overloaded')) {
            head.drop()
            heard()
            return { again: line.again(id, error), isCut: false }
          }
          begins = [begun, finished, error].some(Boolean)
        }
        head.write(chunk)
        if (begins) head.begin()
        continue
      }
      const isFull = !head.write(chunk)
      tap.follow(chunk)
      if (isFull) await drained(clock, res, gone)
    }
    head.begin()
    res.end()
  } catch {
    heard()
    if (head.isKept()) {
      head.drop()
      return brokenOff(line, id, gone)
    }
    // Cut by the provider: the client must see that it is not whole, and decides itself. Or cut by the client.
    res.destroy()
    isCut = true
  }
  const limits = heard()
  const error = tap.state()?.error
  if (error) tell(given, way, error)
  const usage = tap.usage(isCut)
  line.ended(id, usage ? { kind: 'ok', usage: countedOf(usage), limits } : { kind: 'failed', limits })
  return sent(answer, usage)
}

/** Calls it after what is there has been passed on, or when its result is asked for; once. */
function soon<T>(clock: Pick<Clock, 'soon'>, call: () => T): () => T {
  let result: Readonly<{ value: T }> | undefined
  const now = (): T => {
    result ??= { value: call() }
    return result.value
  }
  clock.soon(() => void now())
  return now
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

/** undefined: it was cut, or is no error of the API. */
async function readWhole({ body }: UpstreamAnswer): Promise<Buffer | undefined> {
  const chunks: Buffer[] = []
  let size = 0
  try {
    for await (const chunk of body) {
      size += chunk.length
      if (size > MOST_OF_ERROR) return undefined
      chunks.push(chunk)
    }
  } catch {
    return undefined
  }
  return Buffer.concat(chunks)
}
