/**
 * Whose turn it is among the agents of one rank: start-time fair queueing (Goyal, Vin, Cheng 1996). Each agent's tag is what it has had, over
 * its weight; the least tag is next. Who was away comes back at the present, so that nothing is saved up by being idle.
 */
import { type Heap, makeHeap } from '../core/heap.ts'
import type { Name } from '../core/names.ts'
import { createFlow, type Flow, firstOf } from './flow.ts'
import type { Waiting } from './place.ts'
import { createStore } from './store.ts'

type Turn = Readonly<{ flow: Flow; tag: number; version: number; number: number }>

export type Fair = Readonly<{
  /** `tag`: of a place that was kept. */
  join: (waiting: Waiting, tag?: number) => void
  /** Returns the tag that its agent had. */
  leave: (waiting: Waiting) => number
  first: () => Waiting | undefined
  /** The one that came first, whosever turn it is. */
  oldest: () => Waiting | undefined
  /** It has left to be sent, and takes this share; returns the tag that its agent had. */
  take: (waiting: Waiting, share: number, nowMs: number) => number
  /** For how long it leaves what is stored to those who had less of it. */
  holdMs: (waiting: Waiting, share: number, level: number, nowMs: number) => number
  /** It took so much more, or less. */
  correct: (waiting: Waiting, more: number) => void
  size: () => number
  agents: () => IterableIterator<Flow>
}>

export function createFair(): Fair {
  const flows = new Map<Name, Flow>()
  const before = (a: Turn, b: Turn): boolean => a.tag < b.tag || (a.tag === b.tag && a.number < b.number)
  const turns: Heap<Turn> = makeHeap(before)
  const ages: Heap<Waiting> = makeHeap((a, b) => a.place.number < b.place.number)
  const aged = new Set<Waiting>()
  let present = 0
  let size = 0

  const flowOf = (agent: Name): Flow => {
    const flow = flows.get(agent) ?? createFlow(agent, present)
    flows.set(agent, flow)
    return flow
  }
  const queue = (flow: Flow): void => {
    const first = firstOf(flow)
    flow.version++
    if (first) turns.push({ flow, tag: flow.tag, version: flow.version, number: first.place.number })
  }
  /** Drops those from the top that wait no longer. */
  const oldest = (): Waiting | undefined => {
    for (;;) {
      const waiting = ages.first()
      if (!waiting || flows.get(waiting.want.agent)?.live.has(waiting)) return waiting
      ages.takeFirst()
      aged.delete(waiting)
    }
  }
  const store = createStore((flow) => {
    if (flow.live.size > 0) queue(flow)
  })
  const remove = (flow: Flow, waiting: Waiting): void => {
    if (flow.live.delete(waiting)) size--
    oldest()
  }

  return {
    join: (waiting, tag) => {
      const flow = flowOf(waiting.want.agent)
      // Who asked just before was not away.
      if (flow.live.size === 0 && !store.knows(flow)) flow.tag = Math.max(flow.tag, Math.min(present, tag ?? present))
      flow.wants.push(waiting)
      flow.live.add(waiting)
      size++
      if (!aged.has(waiting)) ages.push(waiting)
      aged.add(waiting)
      if (flow.live.size === 1 || firstOf(flow) === waiting) queue(flow)
    },
    leave: (waiting) => {
      const flow = flowOf(waiting.want.agent)
      remove(flow, waiting)
      return flow.tag
    },
    first: () => {
      for (;;) {
        const turn = turns.first()
        if (!turn) return undefined
        const waiting = turn.version === turn.flow.version ? firstOf(turn.flow) : undefined
        if (waiting) return waiting
        turns.takeFirst()
      }
    },
    oldest,
    take: (waiting, share, nowMs) => {
      const flow = flowOf(waiting.want.agent)
      const tag = flow.tag
      // Whoever goes out of turn does not move the others' present.
      present = Math.max(present, Math.min(tag, turns.first()?.tag ?? tag, store.mean()))
      remove(flow, waiting)
      const step = share / waiting.weight
      flow.tag += step
      store.took(flow, waiting.weight, step, nowMs)
      queue(flow)
      return tag
    },
    holdMs: ({ want: { agent } }, share, level, nowMs) => store.holdMs(flowOf(agent), share, level, nowMs),
    correct: ({ want: { agent }, weight }, more) => {
      const flow = flowOf(agent)
      flow.tag += more / weight
      store.moved(flow, more / weight)
      if (flow.live.size > 0) queue(flow)
      else if (flow.tag <= present && !store.knows(flow)) flows.delete(agent)
    },
    size: () => size,
    agents: () => flows.values(),
  }
}
