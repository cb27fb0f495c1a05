/** Whose turn it is: names that are to be looked at, folder by folder, so that a full one holds up no other. */
import type { Clock, Listed } from '../system/types.ts'
import type { Desk } from './desk.ts'

/** Drops between reading and durability at the same time: enough to share an fsync, few enough for memory. */
const MOST_IN_FLIGHT = 512
/** Names taken from one folder before the next folder has its turn. */
const SHARE = 16
/** Time one turn of the event loop may spend on drops. */
const TURN_MS = 8
/** Once so many are begun, whoever else has something to do has a turn: what is done with them goes on before that. */
const MOST_A_TURN = 64

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
  let allThrough: (() => void) | undefined

  function plan(): void {
    if (turnPlanned || inFlight >= MOST_IN_FLIGHT) return
    turnPlanned = true
    clock.soon(turn)
  }

  function turn(): void {
    turnPlanned = false
    if (stopped) return
    const startedMs = clock.monotonic()
    const most = inFlight + MOST_A_TURN
    for (let busy = true; busy; ) {
      busy = false
      for (const desk of desks.values()) {
        let share = SHARE
        for (const [name, listed] of desk.queue) {
          if (share-- === 0 || inFlight >= MOST_IN_FLIGHT) break
          desk.queue.delete(name)
          examine(desk, name, listed)
          busy = true
        }
      }
      if (inFlight >= MOST_IN_FLIGHT) return
      if (inFlight >= most || clock.monotonic() - startedMs > TURN_MS) return plan()
    }
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
