/** What one agent has waiting in one rank, in order of place. */

import { type Heap, makeHeap } from '../core/heap.ts'
import type { Name } from '../core/names.ts'
import type { Waiting } from './place.ts'

export type Flow = {
  readonly agent: Name
  /** How much it has had, over its weight: where its next want stands in virtual time. */
  tag: number
  /** Counts the changes of `tag`, so that older entries in a heap are known. */
  version: number
  readonly wants: Heap<Waiting>
  readonly live: Set<Waiting>
}

export function createFlow(agent: Name, tag: number): Flow {
  return { agent, tag, version: 0, wants: makeHeap<Waiting>((a, b) => a.place.number < b.place.number), live: new Set() }
}

/** What was withdrawn is left in the heap until it comes to the top. */
export function firstOf({ wants, live }: Flow): Waiting | undefined {
  for (;;) {
    const first = wants.first()
    if (first === undefined || live.has(first)) return first
    wants.takeFirst()
  }
}
