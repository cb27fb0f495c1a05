/** The life of one request: it stands in line, is sent, and stands there again while the provider has no room, for as long as it may be held. */
import type { Provider } from '../core/config.ts'
import { costUsd, type Usage } from '../model/index.ts'
import type { Want } from '../share/index.ts'
import { createGone } from '../system/gone.ts'
import type { Cancel, Clock } from '../system/types.ts'
import type { Bell } from './bell.ts'
import { refuse } from './errors.ts'
import type { Line } from './line.ts'
import { type Asked, CLIENT_GONE, type ExchangeGiven, tryOnce } from './try.ts'
import type { Entry } from './types.ts'

/** What became of it, for the ledger and for the next estimate. */
export type Outcome = Pick<Entry, 'provider' | 'status' | 'requestId' | 'queueMs' | 'tries'> & Readonly<{ usage: Usage | undefined; usd: number | undefined }>

/** A key that is not there may come back at any moment, and so may a provider: looked at again after so long. Milliseconds. */
const AGAIN_MS = 1_000
/** While the provider answers others: then it is this request that it does not bear, and not the provider that is gone. */
const MOST_CUTS = 3
/** Of a request that was held to its end: it may come back at once. */
const RETRY_AFTER_S = 1

type Way = Readonly<{ provider: Provider; line: Line }>

export async function exchange(given: ExchangeGiven, asked: Asked): Promise<Outcome> {
  const { clock, providers, bell } = given
  const { caller, res, model } = asked
  const id = Symbol(caller.agent)
  const gone = createGone()
  const begunMs = clock.monotonic()
  const leftMs = (): number => begunMs + caller.holdMs - clock.monotonic()
  let ends: Promise<'left' | 'held'> | undefined
  /** Most have not to wait, and need neither of both. */
  const itsEnd = (): Promise<'left' | 'held'> => {
    ends ??= new Promise((resolve) => {
      gone.heard(() => resolve('left'))
      if (leftMs() <= 0) resolve('held')
      else gone.heard(clock.after(leftMs(), () => resolve('held')))
    })
    return ends
  }
  res.on('close', gone.tell)
  // It may have gone while its last bytes were read.
  if (res.destroyed) gone.tell()
  let queueMs = 0
  let tries = 0
  let way: Way | undefined
  let turn: Promise<'turn'> | undefined
  const cuts = countCuts()
  let isResting = false
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
    const next = wayFor(given, providers.chainFor(model), asked)
    // One whose turn it is goes; else a better way may have opened, or its own closed.
    if (isResting) isResting = false
    else if (next?.line !== way?.line && (way === undefined || way.line.isWaiting(id))) {
      way?.line.withdraw(id)
      turn = next?.line.enter(wantOf(asked, id, next.provider)).then(() => 'turn' as const)
      way = next
    } else if (next && way && next.line === way.line) way = next
    // Most find an empty line: it is their turn as they come.
    const isTurn = turn !== undefined && way?.line.isWaiting(id) === false && leftMs() > 0 && !gone.isSo()
    const what = isTurn ? 'turn' : await firstOf(clock, bell, [itsEnd(), ...(turn ? [turn] : [])])
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
    const tried = await tryOnce(given, asked, { ...way, key }, id, gone)
    if (tried.again) {
      const cut = tried.isCut ? cuts.after(way.line) : 'first'
      if (cut !== 'first') way.line.withdraw(id)
      if (cut === 'its own') {
        refuse(res, 502, 'the provider breaks the connection off at this request each time, and answers others')
        return outcome(502)
      }
      isResting = cut === 'again'
      if (isResting) [way, turn] = [undefined, undefined]
      else turn = tried.again.then(() => 'turn' as const)
      continue
    }
    const { usage } = tried.sent
    return outcome(tried.sent.status, {
      ...tried.sent,
      usd: usage && model !== undefined ? costUsd(way.provider.models.get(model) ?? model, usage) : undefined,
    })
  }
}

/** `look`: when the bell rings, and after a while, whatever comes. */
async function firstOf<T>(clock: Clock, bell: Bell, all: readonly Promise<T>[]): Promise<T | 'look'> {
  let cancels: Cancel[] = []
  const tick = new Promise<'look'>((resolve) => {
    const look = (): void => resolve('look')
    cancels = [clock.after(AGAIN_MS, look), bell.heard(look)]
  })
  try {
    return await Promise.race([...all, tick])
  } finally {
    for (const cancel of cancels) cancel()
  }
}

/**
 * After a cut a request is the first to be tried again. After another it leaves the line for a moment and stands behind the others:
 * they would never be tried. `its own`: it makes the provider break off, for others were answered there since each of its cuts.
 */
function countCuts(): Readonly<{ after: (line: Line) => 'first' | 'again' | 'its own' }> {
  let last: Readonly<{ line: Line; accepted: number }> | undefined
  let count = 0
  return {
    after: (line) => {
      const accepted = line.accepted()
      const isFirst = last?.line !== line
      if (!isFirst && last && accepted > last.accepted) count++
      last = { line, accepted }
      return isFirst ? 'first' : count < MOST_CUTS ? 'again' : 'its own'
    },
  }
}

/** The first that may be tried; one whose key is there rather than none, so that it has a line to stand in. */
function wayFor({ keyOf, providers }: ExchangeGiven, chain: readonly Provider[], { model, caller }: Asked): Way | undefined {
  const ways = chain.flatMap((provider): Way[] => {
    return keyOf(provider.name) === undefined ? [] : [{ provider, line: providers.lineFor(provider, model, caller.agent) }]
  })
  return ways.find(({ line }) => line.mayTry()) ?? ways[0]
}

function wantOf({ caller, estimate, session }: Asked, key: symbol, { weights }: Provider): Want {
  return { key, agent: caller.agent, weight: weights.get(caller.agent) ?? 1, rank: caller.rank, session, ...estimate }
}
