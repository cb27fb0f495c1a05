/** A message that goes through the whole path once a minute, so that a path that is wedged is known before mail is late. */
import type { Clear, Raise } from '../core/post.ts'
import type { Cancel, Clock } from '../system/types.ts'

/** Contract, page 3. */
const EVERY_MS = 60_000
const LATE_MS = 5_000
/** One that is under way keeps the next from starting, but not for ever. */
const LOST_MS = 600_000

/** Stations of the path, in order; what each is waited for, said where it does not come. */
const STATIONS = { dropped: 'be written into spool/', noticed: 'be noticed there and taken in', delivered: 'be delivered' } as const
export type Station = keyof typeof STATIONS

export type CanaryGiven = Readonly<{
  clock: Clock
  raise: Raise
  clear: Clear
  /** Drops a message to the reserved recipient `canary` and tells where it passes; resolves when it lay in .penny/canary, rejects where it cannot get there. */
  dropCanary: (passed: (station: Station) => void) => Promise<void>
}>

/** It went through, and how long it was on the way to each station; or where it is stuck. */
export type Flown =
  | Readonly<{ through: true; ms: number; steps: readonly Readonly<{ step: Station; ms: number }>[] }>
  | Readonly<{ through: false; why: string }>

export type Canary = Readonly<{
  /** The first at once, then one a minute, until cancelled. */
  start: () => Cancel
  /** What comes of the one under way, or of one that is sent now; told after 5 s at the latest. */
  fly: () => Promise<Flown>
  /** Milliseconds the last one that arrived took; undefined: none yet. */
  lastMs: () => number | undefined
}>

type Flight = Readonly<{ sinceMs: number; steps: { step: Station; ms: number }[]; landed: Promise<Flown>; land: (flown: Flown) => void }>

export function createCanary(given: CanaryGiven): Canary {
  const { clock } = given
  let lastMs: number | undefined
  let underWay: Flight | undefined

  function stuck(why: string): Flown {
    const sentence = `The test message that goes through the whole path ${why}; mail may be waiting too.`
    given.raise({ code: 'canary-late', about: 'canary', sentence, fix: 'penny doctor' })
    return { through: false, why }
  }

  function begin(): Flight {
    let land: (flown: Flown) => void = () => undefined
    const landed = new Promise<Flown>((resolve) => {
      land = resolve
    })
    return { sinceMs: clock.monotonic(), steps: [], landed, land }
  }

  async function track(flight: Flight): Promise<void> {
    const cancel = clock.after(LATE_MS, () => flight.land(stuck(`waits for more than ${LATE_MS / 1000} s to ${STATIONS[nextStation(flight)]}`)))
    let passedMs = flight.sinceMs
    try {
      await given.dropCanary((step) => {
        flight.steps.push({ step, ms: clock.monotonic() - passedMs })
        passedMs = clock.monotonic()
      })
      if (underWay === flight) arrived(flight)
    } catch (cause) {
      if (underWay === flight) flight.land(stuck(`could not ${STATIONS[nextStation(flight)]} (${cause instanceof Error ? cause.message : String(cause)})`))
    } finally {
      cancel()
      if (underWay === flight) underWay = undefined
    }
  }

  function arrived({ sinceMs, steps, land }: Flight): void {
    const ms = clock.monotonic() - sinceMs
    lastMs = ms
    // A late one that arrives proves that the path is slow: the alert stays until one is good.
    if (ms <= LATE_MS) given.clear('canary-late', 'canary')
    land({ through: true, ms, steps })
  }

  function fly(): Promise<Flown> {
    if (underWay && clock.monotonic() - underWay.sinceMs < LOST_MS) return underWay.landed
    const flight = begin()
    underWay = flight
    void track(flight)
    return flight.landed
  }

  return {
    start: () => {
      void fly()
      return clock.every(EVERY_MS, () => void fly())
    },
    fly,
    lastMs: () => lastMs,
  }
}

function nextStation({ steps }: Flight): Station {
  const passed = new Set(steps.map(({ step }) => step))
  return (Object.keys(STATIONS) as Station[]).find((station) => !passed.has(station)) ?? 'delivered'
}
