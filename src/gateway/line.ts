/** One pool with those who stand in its line: each is called when it is its turn. */
import type { Answer, Key, Levels, Pool, PoolReport, Want } from '../share/index.ts'
import type { Cancel, Clock } from '../system/types.ts'

export type Line = Readonly<{
  /** Resolves at its turn: it must be sent then, and `answered` or `withdraw` must follow. */
  enter: (want: Want) => Promise<void>
  heard: (key: Key, levels: Levels) => void
  /** The end of a try. */
  ended: (key: Key, answer: Answer & { kind: 'ok' | 'failed' }) => void
  /** It was not served, and stands in line again: resolves at its next turn. */
  again: (key: Key, answer: Answer & { kind: 'refused' | 'overloaded' }) => Promise<void>
  /** Nobody waits for it any more. */
  withdraw: (key: Key) => void
  /** Its session keeps the place for a while. */
  giveBack: (key: Key) => void
  /** It stands in line still: it has not been its turn. */
  isWaiting: (key: Key) => boolean
  /** Nobody stands in it, and nothing is under way. */
  isIdle: () => boolean
  mayTry: () => boolean
  room: () => number
  /** How many answers began here so far. */
  accepted: () => number
  report: () => PoolReport
}>

const NOTHING = { inputTokens: 0, outputTokens: 0 }

/** `tripped`: another place would be better now. That it is well again is for one to find out, not for all at once. */
export function createLine(clock: Clock, pool: Pool, tripped: () => void = () => undefined): Line {
  const called = new Map<Key, () => void>()
  let planned: Cancel | undefined
  let accepted = 0
  let might = true

  function turn(key: Key): Promise<void> {
    return new Promise((resolve) => void called.set(key, resolve))
  }

  function pump(): void {
    planned?.()
    for (const { key } of pool.take()) {
      called.get(key)?.()
      called.delete(key)
    }
    const ms = pool.waitMs()
    planned = ms === undefined ? undefined : clock.after(Math.max(1, ms), pump)
    const may = pool.mayTry()
    if (might && !may) tripped()
    might = may
  }

  function leave(key: Key, how: 'withdraw' | 'giveBack'): void {
    if (called.delete(key)) pool[how](key)
    // Its turn had just come: it counts as sent, and is not.
    else pool.answered(key, { kind: 'failed', usage: NOTHING })
    pump()
  }

  return {
    enter: (want) => {
      pool.submit(want)
      const mine = turn(want.key)
      pump()
      return mine
    },
    heard: (key, levels) => {
      accepted++
      pool.heard(key, levels)
      pump()
    },
    ended: (key, answer) => {
      pool.answered(key, answer)
      pump()
    },
    again: (key, answer) => {
      pool.answered(key, answer)
      const mine = turn(key)
      pump()
      return mine
    },
    withdraw: (key) => leave(key, 'withdraw'),
    giveBack: (key) => leave(key, 'giveBack'),
    isWaiting: (key) => called.has(key),
    isIdle: () => {
      const { waiting, inFlight, keptPlaces } = pool.report()
      return waiting + inFlight + keptPlaces === 0
    },
    mayTry: pool.mayTry,
    room: pool.room,
    accepted: () => accepted,
    report: pool.report,
  }
}
