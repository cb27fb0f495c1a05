/** A whole daemon on real files whose clock is turned by hand: a month takes as long as what there is to do in it. */
import { existsSync, mkdirSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { dirname } from 'node:path'
import tap, { type Test } from 'tap'
import { realSpawner } from '../../src/system/spawner.ts'
import type { Spawner, System } from '../../src/system/types.ts'
import { drop, type House, newRoot, openHouse, pause } from '../crash/house.ts'
import { type HandClock, makeHandClock } from '../hand-clock.ts'

export type TurnedHouse = Readonly<{
  root: string
  clock: HandClock
  house: () => House
  at: (path: string) => string
  /** A whole file in one step. */
  drop: (path: string, text: string) => void
  /** Lets so much time pass, in pieces. */
  pass: (ms: number, pieceMs?: number) => Promise<void>
  /** Lets time pass until `look` returns something true; throws when `withinMs` have gone by on the clock. */
  until: <T>(what: string, look: () => T | undefined | null | false, withinMs?: number) => Promise<T>
  /** Stops the daemon and starts another on the same files; `meanwhile` none runs. */
  restart: (meanwhile?: () => void) => Promise<void>
}>

export const SECOND = 1_000
export const MINUTE = 60 * SECOND
export const HOUR = 60 * MINUTE
export const DAY = 24 * HOUR

/** The disk needs time of its own, which is not on the clock: real milliseconds for each piece of the time that something is waited for. */
const BREATH_MS = 10
const MOST_PIECES = 180
/** And after the time is over, for what was begun in it. */
const DISK_PIECES = 500

/** Trials of a jail: whatever else is started may be meant to go on. */
function countTrials(spawner: Spawner): { spawner: Spawner; underWay: () => number } {
  let underWay = 0
  const spawn: Spawner['spawn'] = async (plan) => {
    if (plan.argv.at(-1) !== '/usr/bin/true') return spawner.spawn(plan)
    underWay++
    try {
      const spawned = await spawner.spawn(plan)
      void spawned.ended.finally(() => underWay--)
      return spawned
    } catch (cause) {
      underWay--
      throw cause
    }
  }
  return { spawner: { ...spawner, spawn }, underWay: () => underWay }
}

export async function turnedHouse(t: Test, policies: Readonly<Record<string, string>> = {}, given: Partial<System> = {}): Promise<TurnedHouse> {
  tap.setTimeout(120_000)
  const root = newRoot()
  for (const [path, text] of Object.entries(policies)) {
    mkdirSync(dirname(`${root}/policies/${path}`), { recursive: true })
    writeFileSync(`${root}/policies/${path}`, text)
  }
  const trials = countTrials(given.spawner ?? realSpawner)
  // A canary, and a jail that is tried, are awaited in real time: a slow machine under a clock that runs fast would be no late one.
  // On a disk that is not as usual, or where only the next sweep finds it, the canary needs the clock to go on.
  const needsClock = given.disk !== undefined || given.watch !== undefined
  const isCanaryOver = (): boolean => !existsSync(`${root}/spool`) || !readdirSync(`${root}/spool`).some((name) => name.startsWith('canary-'))
  const isQuiet = (): boolean => trials.underWay() === 0 && (needsClock || isCanaryOver())
  // Files get their times from the real clock, so the hands start there.
  const clock = makeHandClock(Date.now(), isQuiet)
  let house = await openHouse(root, { ...given, spawner: trials.spawner, clock })
  await house.daemon.ready
  t.teardown(async () => {
    await house.stop()
    if (!t.passing()) t.comment(house.logged.join('\n'))
    rmSync(root, { recursive: true, force: true })
  })
  return {
    root,
    clock,
    house: () => house,
    at: (path) => `${root}/${path}`,
    drop: (path, text) => drop(root, path.slice(0, path.lastIndexOf('/')), path.slice(path.lastIndexOf('/') + 1), text),
    pass: async (ms, pieceMs = ms) => {
      for (let left = ms; left > 0; left -= pieceMs) await clock.leap(Math.min(left, pieceMs))
    },
    until: async (what, look, withinMs = 3 * MINUTE) => {
      const pieceMs = Math.max(SECOND, withinMs / MOST_PIECES)
      for (let left = withinMs; ; left -= pieceMs) {
        const seen = look()
        if (seen) return seen
        if (left > 0) await clock.leap(pieceMs)
        // What was begun in time may still wait for the disk, which no hand turns.
        else if (left < -DISK_PIECES * pieceMs) throw new Error(`not within ${withinMs / SECOND} s of the clock: ${what}\n${house.logged.join('\n')}`)
        await pause(BREATH_MS)
      }
    },
    restart: async (meanwhile) => {
      await house.stop()
      meanwhile?.()
      house = await openHouse(root, { ...given, spawner: trials.spawner, clock })
      await house.daemon.ready
    },
  }
}
