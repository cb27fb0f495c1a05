/** Whose turn it is: names that are to be looked at, folder by folder, so that a full one holds up no other. */
import { wentOn } from '../system/slices.ts'
import type { Clock, Listed } from '../system/types.ts'
import type { Desk } from './desk.ts'

/** Drops between reading and durability at the same time: enough to share an fsync, few enough for memory. */
const MOST_IN_FLIGHT = 512
/** Names taken from one folder before the next folder has its turn. */
const SHARE = 16
/** Time one turn of the event loop may spend on drops, with all that is done with them until something is waited for. */
const TURN_MS = 8

export type Turns = Readonly<{
  /** To be looked at, once; one that is in flight is looked at again after that. */
  enqueue: (desk: Desk, name: string, listed?: Listed) => void
  /** From now on until `left` it is on its way. */
  entered: (desk: Desk, name: string) => void
  left: (desk: Desk, name: string) => void
  /** Nothing is looked at any more; resolves when those in flight are through. */
  stop: () => Promise<void>
}>

export function createTurns(clock: Clock, desks: ReadonlyMap<string, Desk>, examine: (desk: Desk, name: string, listed: Listed | undefined) => void): Turns {
  let inFlight = 0
  let turnPlanned = false
  let stopped = false
  let round = desks.values()
  let allThrough: (() => void) | undefined

  function plan(): void {
    if (turnPlanned || stopped || inFlight >= MOST_IN_FLIGHT) return
    turnPlanned = true
    clock.soon(() => void turn())
  }

  async function turn(): Promise<void> {
    const endMs = clock.monotonic() + TURN_MS
    let idle = 0
    while (idle < desks.size && inFlight < MOST_IN_FLIGHT && clock.monotonic() < endMs) idle = (await share(nextDesk(), endMs)) ? 0 : idle + 1
    turnPlanned = false
    if (idle < desks.size) return plan()
    round = desks.values()
  }

  /** Round after round, going on where the last turn had no more time. */
  function nextDesk(): Desk | undefined {
    const desk = round.next()
    if (!desk.done) return desk.value
    round = desks.values()
    return round.next().value
  }

  /** Whether there was anything to look at. */
  async function share(desk: Desk | undefined, endMs: number): Promise<boolean> {
    let left = SHARE
    for (const [name, listed] of desk?.queue ?? []) {
      if (left-- === 0 || stopped || inFlight >= MOST_IN_FLIGHT || clock.monotonic() > endMs) break
      desk?.queue.delete(name)
      examine(desk as Desk, name, listed)
      await wentOn()
    }
    return left < SHARE
  }

  return {
    enqueue: (desk, name, listed) => {
      if (desk.inFlight.has(name)) desk.again.add(name)
      if (stopped || desk.inFlight.has(name) || desk.queue.has(name)) return
      desk.queue.set(name, listed)
      plan()
    },
    entered: (desk, name) => {
      desk.inFlight.add(name)
      inFlight += 1
    },
    left: (desk, name) => {
      desk.inFlight.delete(name)
      inFlight -= 1
      if (inFlight === 0) allThrough?.()
      if (inFlight < MOST_IN_FLIGHT) plan()
    },
    stop: () => {
      stopped = true
      return inFlight === 0 ? Promise.resolve() : new Promise((resolve) => (allThrough = resolve))
    },
  }
}
