/** A clock that a test turns by hand. */
import type { Clock } from '../src/system/types.ts'

export type HandClock = Clock &
  Readonly<{
    /** Lets time pass; timers fire in order, each at its own time. */
    turn: (ms: number) => Promise<void>
    /** Lets time pass in one piece, as for a process that was stopped meanwhile: each timer that is due fires late, and once. */
    leap: (ms: number) => Promise<void>
    /** Sets the wall clock alone, as somebody with `date -s` does. */
    step: (ms: number) => void
  }>

/** `isQuiet`: whether what timers started has done its work on the real disk; asked with the number of timers that are set. */
export function makeHandClock(startMs: number, isQuiet: (timers: number) => boolean = () => true): HandClock {
  let wall = startMs
  let elapsed = 0
  const timers = new Set<{ at: number; call: () => void; everyMs: number | undefined }>()
  const add = (ms: number, call: () => void, everyMs?: number): (() => void) => {
    const timer = { at: elapsed + ms, call, everyMs }
    timers.add(timer)
    return () => void timers.delete(timer)
  }
  const settle = async (): Promise<void> => {
    const began = performance.now()
    do await new Promise((done) => setTimeout(done, 3))
    while (!isQuiet(timers.size) && performance.now() - began < 20_000)
  }
  return {
    now: () => wall,
    monotonic: () => elapsed,
    after: add,
    every: (ms, call) => add(ms, call, ms),
    soon: (call) => void setImmediate(call),
    step: (ms) => {
      wall += ms
    },
    turn: async (ms) => {
      await settle()
      const end = elapsed + ms
      for (;;) {
        const [first] = [...timers].filter((timer) => timer.at <= end).sort((a, b) => a.at - b.at)
        if (!first) break
        wall += first.at - elapsed
        elapsed = first.at
        if (first.everyMs === undefined) timers.delete(first)
        else first.at += first.everyMs
        first.call()
        await settle()
      }
      wall += end - elapsed
      elapsed = end
    },
    leap: async (ms) => {
      await settle()
      wall += ms
      elapsed += ms
      for (const timer of [...timers].filter(({ at }) => at <= elapsed).sort((a, b) => a.at - b.at)) {
        if (!timers.has(timer)) continue
        if (timer.everyMs === undefined) timers.delete(timer)
        else timer.at = elapsed + timer.everyMs
        timer.call()
      }
      await settle()
    },
  }
}
