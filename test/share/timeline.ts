/** Virtual time: what is to happen, in order. */
import { makeHeap } from '../../src/core/heap.ts'

export type Timeline = Readonly<{ nowMs: () => number; at: (ms: number, act: () => void) => void; runUntil: (ms: number) => void }>

export function makeTimeline(): Timeline {
  const heap = makeHeap<{ ms: number; number: number; act: () => void }>((a, b) => a.ms < b.ms || (a.ms === b.ms && a.number < b.number))
  let now = 0
  let number = 0
  return {
    nowMs: () => now,
    at: (ms, act) => heap.push({ ms: Math.max(now, ms), number: ++number, act }),
    runUntil: (ms) => {
      for (let next = heap.first(); next && next.ms <= ms; next = heap.first()) {
        heap.takeFirst()
        now = next.ms
        next.act()
      }
      now = ms
    },
  }
}
