/** The life of one request: it stands in line, is sent, and stands there again while the provider has no room, for as long as it may be held. */
import type { Provider } from '../core/config.ts'
import { costUsd, type Usage } from '../model/index.ts'
import type { Want } from '../share/index.ts'
import type { Cancel, Clock } from '../system/types.ts'
import { refuse } from './errors.ts'
import type { Line } from './line.ts'
import { type Asked, CLIENT_GONE, type ExchangeGiven, tryOnce } from './try.ts'
import type { Entry } from './types.ts'

/** What became of it, for the ledger and for the next estimate. */
export type Outcome = Pick<Entry, 'provider' | 'status' | 'requestId' | 'queueMs' | 'tries'> & Readonly<{ usage: Usage | undefined; usd: number | undefined }>

/** A key that is not there may come back at any moment, and so may a provider: looked at again after so long. Milliseconds. */
const AGAIN_MS = 1_000
/** Of a request that was held to its end: it may come back at once. */
const RETRY_AFTER_S = 1

const GONE = new Error('the client has gone')

type Way = Readonly<{ provider: Provider; line: Line }>

export async function exchange(given: ExchangeGiven, asked: Asked): Promise<Outcome> {
  const { clock, providers } = given
  const { caller, res, model } = asked
  const id = Symbol(caller.agent)
  const gone = new AbortController()
  const left = new Promise<'left'>((resolve) => gone.signal.addEventListener('abort', () => resolve('left')))
  const held = new Promise<'held'>((resolve) => {
    const cancel = clock.after(caller.holdMs, () => resolve('held'))
    gone.signal.addEventListener('abort', cancel)
  })
  // With a reason of ours: making one of its own costs as much as all the rest of this function.
  res.on('close', () => gone.abort(GONE))
  // It may have gone while its last bytes were read.
  if (res.destroyed) gone.abort(GONE)
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
    const what = await firstOf(clock, [left, held, ...(turn ? [turn] : [])])
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
    // As it is now: the one that was there when it began to wait may have been replaced, or taken away.
    const key = given.keyOf(way.provider.name)
    if (key === undefined) {
      way.line.withdraw(id)
      ;[way, turn] = [undefined, undefined]
      continue
    }
    tries++
    const tried = await tryOnce(given, asked, { ...way, key }, id, gone.signal)
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
    return keyOf(provider.name) === undefined ? [] : [{ provider, line: providers.lineFor(provider, model) }]
  })
  return ways.find(({ line }) => line.mayTry()) ?? ways[0]
}

function wantOf({ caller, estimate, session }: Asked, key: symbol, { weights }: Provider): Want {
  return { key, agent: caller.agent, weight: weights.get(caller.agent) ?? 1, rank: caller.rank, session, ...estimate }
}
