/** A clock that a test turns by hand: ninety minutes take a millisecond. */
import type { Clock } from '../../src/system/types.ts'

export type HandClock = Clock & Readonly<{ turn: (ms: number) => void; step: (ms: number) => void }>

export function handClock(startMs: number): HandClock {
  let wall = startMs
  let monotonic = 1_000
  const timers = new Set<{ at: number; everyMs: number | undefined; call: () => void }>()
  const add = (ms: number, call: () => void, everyMs?: number): (() => void) => {
    const timer = { at: monotonic + ms, everyMs, call }
    timers.add(timer)
    return () => void timers.delete(timer)
  }
  return {
    now: () => wall,
    monotonic: () => monotonic,
    after: (ms, call) => add(ms, call),
    every: (ms, call) => add(ms, call, ms),
    soon: (call) => void setImmediate(call),
    step: (ms) => {
      wall += ms
    },
    turn: (ms) => {
      const end = monotonic + ms
      for (;;) {
        const [next] = [...timers].filter(({ at }) => at <= end).sort((a, b) => a.at - b.at)
        if (!next) break
        ;[wall, monotonic] = [wall + next.at - monotonic, next.at]
        if (next.everyMs === undefined) timers.delete(next)
        else next.at += next.everyMs
        next.call()
      }
      ;[wall, monotonic] = [wall + end - monotonic, end]
    },
  }
}
