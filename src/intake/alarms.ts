/** When each waiting drop is looked at again: one timer for all of them, and no walk over those that are not due. */
import { makeHeap } from '../core/heap.ts'
import type { Cancel, Clock } from '../system/types.ts'
import type { Desk, Waiting } from './desk.ts'

export type Alarms = Readonly<{
  /** The entry stands in `desk.waiting` and says when. */
  set: (desk: Desk, name: string, entry: Waiting) => void
  stop: () => void
}>

type Alarm = Readonly<{ atMs: number; nth: number; desk: Desk; name: string }>

export function createAlarms(clock: Clock, due: (desk: Desk, name: string) => void): Alarms {
  const alarms = makeHeap<Alarm>((a, b) => a.atMs < b.atMs || (a.atMs === b.atMs && a.nth < b.nth))
  let nth = 0
  let timerAtMs = Number.POSITIVE_INFINITY
  let cancel: Cancel = () => undefined

  function add(desk: Desk, name: string, entry: Waiting): void {
    entry.alarmAtMs = entry.againAtMs
    alarms.push({ atMs: entry.againAtMs, nth: nth++, desk, name })
    arm(entry.againAtMs)
  }

  function arm(atMs: number): void {
    if (atMs >= timerAtMs) return
    cancel()
    timerAtMs = atMs
    cancel = clock.after(Math.max(1, atMs - clock.monotonic()), ring)
  }

  function ring(): void {
    timerAtMs = Number.POSITIVE_INFINITY
    const now = clock.monotonic()
    for (let first = alarms.first(); first !== undefined && first.atMs <= now; first = alarms.first()) {
      alarms.takeFirst()
      const { atMs, desk, name } = first
      const entry = desk.waiting.get(name)
      // Of an entry that is gone, or one that has an earlier alarm by now.
      if (entry?.alarmAtMs !== atMs) continue
      entry.alarmAtMs = Number.POSITIVE_INFINITY
      if (entry.againAtMs <= now) due(desk, name)
      else add(desk, name, entry)
    }
    arm(alarms.first()?.atMs ?? Number.POSITIVE_INFINITY)
  }

  return {
    // One put off again and again keeps its first alarm, which finds out what it says by then.
    set: (desk, name, entry) => {
      if (entry.againAtMs < entry.alarmAtMs) add(desk, name, entry)
    },
    stop: () => {
      cancel()
      timerAtMs = Number.NEGATIVE_INFINITY
    },
  }
}
