/** One provider's limits, shared by all who want to send: one line, its gates, and what is in flight. */
import { createBreaker } from './breaker.ts'
import { createFreeze } from './freeze.ts'
import { createHidden, type Trial } from './hidden.ts'
import { type Charge, createMeters } from './meters.ts'
import { amounts, createPlaces, type Waiting } from './place.ts'
import { createTurns, URGENT } from './turns.ts'
import type { Amounts, Answer, Key, Levels, PoolGiven, PoolReport, Want } from './types.ts'

type Try = Readonly<{ waiting: Waiting; charge: Charge; trial: Trial; share: number; tag: number; heldMs: number }> & { isHeard: boolean }

export type Pool = Readonly<{
  /** Stands in line; where its session's place was kept, there. */
  submit: (want: Want) => void
  /** The client went away. What has been sent counts, unless `answered` said before what it took. */
  withdraw: (key: Key) => void
  /** The client is told to come back: its session keeps the place for a while. */
  giveBack: (key: Key) => void
  /** What may be sent now, in order; it counts as sent. */
  take: () => readonly Want[]
  /** In how many whole ms `take` is worth calling again, if before the next answer or want; 0: now. */
  waitMs: () => number | undefined
  /** The head of an answer that is not an error came: the limits as they are told there, before the body ends. */
  heard: (key: Key, limits: Levels) => void
  /** Its end. After `refused` and `overloaded` it stands in line again, where it stood. */
  answered: (key: Key, answer: Answer) => void
  /** Whether it is worth waiting for this upstream; if not, a fallback's pool is the better place. */
  mayTry: () => boolean
  /** How many more requests could be sent now, those in line taken away. */
  room: () => number
  report: () => PoolReport
}>

/** Nobody means more than an hour; spend limits are not queued. */
const BELIEVED_MS = 3_600_000
const MINUTE_MS = 60_000
const told = (ms: number | undefined): number | undefined => (ms !== undefined && ms >= 0 ? Math.min(BELIEVED_MS, ms) : undefined)

export function createPool({ nowMs: clock, random, limits, urgentCap }: PoolGiven): Pool {
  const meters = createMeters(limits)
  const turns = createTurns(urgentCap)
  const places = createPlaces()
  const freeze = createFreeze()
  const breaker = createBreaker(random)
  const hidden = createHidden()
  const line = new Map<Key, Waiting>()
  const tries = new Map<Key, Try>()
  /** The next one, while it waits for limits to fill, and all others with it. */
  let holding: Readonly<{ waiting: Waiting; sinceMs: number }> | undefined
  let behind = 0
  let lastMs = clock()

  /** Goes on where it was if the clock steps back. */
  const now = (): number => {
    const read = clock() + behind
    if (read < lastMs) behind += lastMs - read
    lastMs = Math.max(lastMs, read)
    return lastMs
  }
  const nextOf = (nowMs: number): Waiting | undefined => (hidden.isSpare(tries.size, nowMs) ? turns.urgent() : undefined) ?? turns.next(nowMs)
  const waitMs = (next: Waiting, nowMs: number): number | undefined => {
    const gate = hidden.waitMs(tries.size, next.rank === URGENT, nowMs)
    if (gate === undefined) return undefined
    const holdMs = turns.holdMs(next, meters.share(next.cost), meters.level(nowMs), nowMs)
    return Math.max(gate, freeze.waitMs(nowMs), breaker.waitMs(nowMs), meters.waitMs(next.cost, nowMs), holdMs)
  }
  const send = (waiting: Waiting, nowMs: number): void => {
    const share = meters.share(waiting.cost)
    const tag = turns.take(waiting, share, nowMs)
    line.delete(waiting.want.key)
    const trial = hidden.sent(tries.size, nowMs)
    const heldMs = holding?.waiting === waiting ? nowMs - holding.sinceMs : 0
    breaker.sent(nowMs)
    tries.set(waiting.want.key, { waiting, charge: meters.charge(waiting.cost, nowMs), trial, share, tag, heldMs, isHeard: false })
  }
  const leave = (key: Key): readonly [Waiting, number] | undefined => {
    const waiting = line.get(key)
    line.delete(key)
    return waiting && [waiting, turns.leave(waiting)]
  }
  const accept = (one: Try, nowMs: number): void => {
    if (one.isHeard) return
    one.isHeard = true
    hidden.accepted(one.trial, nowMs)
    breaker.accepted(one.trial.sentMs, nowMs)
    freeze.accepted()
  }
  const end = ({ waiting, charge, share }: Try, actual: Amounts, atLeast = 0): void => {
    meters.settle(charge, actual)
    turns.correct(waiting, Math.max(meters.share(actual), Math.min(share, atLeast)) - share)
  }
  /** The provider has not done it: its tokens come back; that it was asked may count there. */
  const standAgain = (key: Key, { waiting, charge, share, tag }: Try, cost = waiting.cost): void => {
    meters.settle(charge, amounts(0, 0))
    turns.correct(waiting, -share)
    const again = { ...waiting, cost }
    turns.join(again, tag)
    line.set(key, again)
  }
  return {
    submit: (want) => {
      if (line.has(want.key) || tries.has(want.key)) throw new Error('A want is submitted once')
      const { waiting, tag } = places.find(want, now())
      line.set(want.key, waiting)
      turns.join(waiting, tag)
    },
    withdraw: (key) => {
      const one = tries.get(key)
      if (!one) return void leave(key)
      tries.delete(key)
      end(one, one.waiting.cost)
    },
    giveBack: (key) => {
      const left = leave(key)
      if (left) places.keep(...left, now())
    },
    take: () => {
      const nowMs = now()
      const taken: Want[] = []
      for (;;) {
        const next = nextOf(nowMs)
        if (!next || waitMs(next, nowMs) !== 0) {
          if (next !== holding?.waiting) holding = next && { waiting: next, sinceMs: nowMs }
          return taken
        }
        send(next, nowMs)
        taken.push(next.want)
      }
    },
    waitMs: () => {
      const nowMs = now()
      const next = nextOf(nowMs)
      const ms = next && waitMs(next, nowMs)
      return ms === undefined ? undefined : Math.ceil(ms)
    },
    heard: (key, levels) => {
      const one = tries.get(key)
      if (!one || one.isHeard) return
      const nowMs = now()
      accept(one, nowMs)
      meters.hear(one.charge, levels, nowMs)
    },
    answered: (key, answer) => {
      const one = tries.get(key)
      if (!one) return
      const nowMs = now()
      tries.delete(key)
      hidden.ended(nowMs)
      const { trial, waiting, charge } = one
      const hear = (): void => {
        if (answer.limits && !one.isHeard) meters.hear(charge, answer.limits, nowMs)
      }
      switch (answer.kind) {
        case 'ok':
          hear()
          accept(one, nowMs)
          return end(one, amounts(answer.usage.inputTokens, answer.usage.outputTokens))
        case 'failed':
          hear()
          // It took nothing, and yet what was set aside for it nobody else could have meanwhile: or its agent's next would come first again.
          return end(
            one,
            answer.usage ? amounts(answer.usage.inputTokens, answer.usage.outputTokens) : waiting.cost,
            (one.heldMs + nowMs - trial.sentMs) / MINUTE_MS,
          )
        case 'overloaded':
          breaker.overloaded(trial.sentMs, told(answer.retryAfterMs) ?? 0, nowMs)
          standAgain(key, one)
          return hear()
        case 'refused': {
          const freezeMs = freeze.refused(told(answer.retryAfterMs), trial.sentMs, nowMs)
          const isExplained = meters.explains(answer.limits ?? {}, waiting.cost)
          if (!isExplained) hidden.refused(trial, freezeMs, nowMs)
          // Ours said that it fits: it is bigger than was thought.
          standAgain(key, one, isExplained ? { ...waiting.cost, input: waiting.cost.input * 2 } : waiting.cost)
          return hear()
        }
      }
    },
    // Also when a probe is due: nobody else would ever find out that it is over.
    mayTry: () => !breaker.isTripped() || breaker.waitMs(now()) === 0,
    room: () => {
      const nowMs = now()
      if (freeze.waitMs(nowMs) > 0 || breaker.waitMs(nowMs) > 0) return 0
      return Math.max(0, Math.floor(Math.min(meters.room(nowMs), hidden.window(nowMs).size - tries.size) - line.size))
    },
    report: () => {
      const nowMs = now()
      const oldest = turns.oldestSinceMs()
      return {
        meters: meters.report(nowMs),
        inFlight: tries.size,
        waiting: line.size,
        oldestMs: oldest === undefined ? 0 : nowMs - oldest,
        queue: turns.queue(),
        keptPlaces: places.size(nowMs),
        frozenMs: freeze.waitMs(nowMs),
        window: hidden.window(nowMs),
        perMinute: hidden.perMinute(),
        breaker: breaker.report(nowMs),
      }
    },
  }
}
