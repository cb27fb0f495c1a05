/** Which run a drop came from: what an agent sends while it runs was caused by the message that the run is for. */
import type { MessageId } from '../core/ids.ts'
import type { Name } from '../core/names.ts'

export type Causes = Readonly<{
  began: (run: MessageId, agent: Name, hops: number, atMs: number) => void
  ended: (run: MessageId, agent: Name, atMs: number) => void
  /** The most hops of a message that this agent had a run for at that moment; undefined where it had none. Wall time, milliseconds. */
  hopsAt: (agent: string, atMs: number) => number | undefined
}>

type Span = { run: MessageId; hops: number; fromMs: number; toMs: number }

/** The kernel stamps files with the time of its last tick, up to 10 ms ago. */
const TICK_MS = 20
/** What a run left behind may still send, or was renamed by it in its last moment. */
const LINGER_MS = 5_000
/** What waits longer for its moment (`not_before`) is a clock's work, and begins a chain of its own. */
const KEPT_MS = 3_600_000
/** Of one agent; runs that follow each other faster than this are forgotten sooner. */
const MOST_KEPT = 1_000

export function makeCauses(): Causes {
  const byAgent = new Map<string, Span[]>()
  return {
    began: (run, agent, hops, atMs) => {
      const spans = (byAgent.get(agent) ?? []).filter(({ toMs }) => toMs > atMs - KEPT_MS)
      byAgent.set(agent, [...spans.slice(1 - MOST_KEPT), { run, hops, fromMs: atMs - TICK_MS, toMs: Number.POSITIVE_INFINITY }])
    },
    ended: (run, agent, atMs) => {
      const span = byAgent.get(agent)?.find((one) => one.run === run)
      if (span) span.toMs = atMs
    },
    hopsAt: (agent, atMs) => {
      const begun = (byAgent.get(agent) ?? []).filter(({ fromMs }) => fromMs <= atMs)
      const live = begun.filter(({ toMs }) => atMs <= toMs)
      const causes = live.length > 0 ? live : begun.filter(({ toMs }) => atMs <= toMs + LINGER_MS)
      return causes.length === 0 ? undefined : Math.max(...causes.map(({ hops }) => hops))
    },
  }
}
