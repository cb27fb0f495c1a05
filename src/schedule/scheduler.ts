/** Which slots are due now, and when to look again. */
import type { Config, Schedule } from '../core/config.ts'
import type { ParseCron } from '../system/cron.ts'
import type { Cancel, Clock, Disk, Log } from '../system/types.ts'
import { latestSlot, nextSlot, readRule, type SlotRule } from './slots.ts'
import { readState, type ScheduleState, writeState } from './state.ts'

export type SchedulerGiven = Readonly<{
  clock: Clock
  disk: Disk
  log: Log
  parseCron: ParseCron
  /** `.penny/state/schedules.json`. */
  stateFile: string
  config: () => Config
  /** Resolves when the message is sure to come. Two drops of one schedule's slot must be one message. */
  drop: (schedule: Schedule, slotMs: number) => Promise<void>
}>

export type Scheduler = Readonly<{
  /** Looks what is due: at start (after recovery), when the configuration changed, when the clock was stepped. */
  look: () => void
  /** When each schedule comes next, milliseconds. */
  next: () => ReadonlyMap<string, number>
  /** No more drops; resolves when one that is under way is done. */
  stop: () => Promise<void>
}>

/** Timers sleep through a step of the wall clock: never longer than this without a look. Milliseconds. */
const LONGEST_SLEEP_MS = 60_000
/** After a drop that was refused. */
export const RETRY_MS = 5_000
/** A last slot that lies further in the future was set while the clock was wrong. */
const BELIEVABLE_MS = 25 * 3_600_000

export function createScheduler(given: SchedulerGiven): Scheduler {
  const { clock, disk, log, config } = given
  const rules = new Map<string, SlotRule | undefined>()
  let state: ScheduleState | undefined
  let cancel: Cancel | undefined
  let looking: Promise<void> | undefined
  let again = false
  let stopped = false

  const zoneOf = (schedule: Schedule): string => schedule.timezone ?? config().org.timezone

  function ruleOf(schedule: Schedule): SlotRule | undefined {
    const key = `${schedule.cron} ${zoneOf(schedule)}`
    if (!rules.has(key)) {
      try {
        rules.set(key, readRule(given.parseCron, schedule.cron, zoneOf(schedule)))
      } catch (cause) {
        log('error', 'schedule never comes', { schedule: schedule.name, cron: schedule.cron, why: String(cause) })
        rules.set(key, undefined)
      }
    }
    return rules.get(key)
  }

  /** What is remembered, brought in step with the configuration. True: something has to be written. */
  function follow(known: ScheduleState, nowMs: number): boolean {
    let changed = false
    for (const name of known.keys()) {
      if (!config().schedules.has(name)) changed = known.delete(name)
    }
    for (const schedule of config().schedules.values()) {
      const last = known.get(schedule.name)
      const same = last?.cron === schedule.cron && last.timezone === zoneOf(schedule) && last.doneMs <= nowMs + BELIEVABLE_MS
      if (same) continue
      known.set(schedule.name, { cron: schedule.cron, timezone: zoneOf(schedule), doneMs: nowMs })
      changed = true
    }
    return changed
  }

  async function dropDue(known: ScheduleState, nowMs: number): Promise<boolean> {
    let failed = false
    for (const schedule of [...config().schedules.values()]) {
      const last = known.get(schedule.name)
      const rule = ruleOf(schedule)
      const slotMs = rule && last && latestSlot(rule, last.doneMs, nowMs)
      if (stopped || !last || slotMs === undefined) continue
      try {
        await given.drop(schedule, slotMs)
        known.set(schedule.name, { ...last, doneMs: slotMs })
        await writeState(disk, given.stateFile, known)
      } catch (cause) {
        failed = true
        log('warn', 'schedule is tried again', { schedule: schedule.name, why: String(cause) })
      }
    }
    return failed
  }

  async function lookOnce(): Promise<void> {
    let failed = false
    try {
      state ??= readState(disk, given.stateFile)
      if (follow(state, clock.now())) await writeState(disk, given.stateFile, state)
      failed = await dropDue(state, clock.now())
    } catch (cause) {
      failed = true
      log('warn', 'schedules are looked at again', { why: String(cause) })
    }
    arm(failed)
  }

  function arm(failed: boolean): void {
    cancel?.()
    if (stopped || config().schedules.size === 0) return
    // After what is done, not after now: a slot may have passed while the last one was dropped.
    const soonest = Math.min(...nextAfter((name) => state?.get(name)?.doneMs ?? clock.now()).values())
    cancel = clock.after(failed ? RETRY_MS : Math.min(LONGEST_SLEEP_MS, Math.max(1, soonest - clock.now())), look)
  }

  function look(): void {
    if (stopped) return
    if (looking) {
      again = true
      return
    }
    looking = lookOnce().finally(() => {
      looking = undefined
      if (again) {
        again = false
        look()
      }
    })
  }

  function nextAfter(afterMs: (name: string) => number): ReadonlyMap<string, number> {
    const found = new Map<string, number>()
    for (const schedule of config().schedules.values()) {
      const rule = ruleOf(schedule)
      const slotMs = rule && nextSlot(rule, afterMs(schedule.name))
      if (slotMs !== undefined) found.set(schedule.name, slotMs)
    }
    return found
  }

  return {
    look,
    next: () => nextAfter(() => clock.now()),
    stop: async () => {
      stopped = true
      cancel?.()
      await looking
    },
  }
}
