import { readFileSync, writeFileSync } from 'node:fs'
import t from 'tap'
import type { Config, Schedule } from '../../src/core/config.ts'
import { createScheduler, type Scheduler } from '../../src/schedule/index.ts'
import { parseCron } from '../../src/system/cron.ts'
import { realDisk } from '../../src/system/disk.ts'
import { chooseLease } from '../../src/system/lease.ts'
import { type HandClock, makeHandClock } from '../hand-clock.ts'

const HOUR_MS = 3_600_000
const DAY_MS = 24 * HOUR_MS
/** A Saturday. */
const START = Date.parse('2026-11-21T08:00:00Z')

const weekly: Schedule = { name: 'weekly-report', cron: '0 9 * * MON', timezone: undefined, text: '---\nto: pmo\n---\nReport.\n' }
const daily: Schedule = { name: 'stand-up', cron: '30 9 * * *', timezone: 'Europe/Berlin', text: '---\nto: all\n---\n' }

type Office = {
  clock: HandClock
  drops: string[]
  schedules: Map<string, Schedule>
  timezone: string
  fail: string | undefined
  stateFile: string
  open: () => Scheduler
  logged: string[]
}

function makeOffice(folder: string, schedules: Schedule[]): Office {
  // A scheduler at rest waits for its next look.
  const clock = makeHandClock(START, (timers) => timers > 0 || office.schedules.size === 0)
  const office: Office = {
    clock,
    drops: [],
    schedules: new Map(schedules.map((schedule) => [schedule.name, schedule])),
    timezone: 'UTC',
    fail: undefined,
    stateFile: `${folder}/schedules.json`,
    logged: [],
    open: () => {
      const scheduler = createScheduler({
        clock,
        disk: realDisk(undefined, chooseLease(undefined, folder)),
        log: (_, what) => void office.logged.push(what),
        parseCron,
        stateFile: office.stateFile,
        config: () => ({ schedules: office.schedules, org: { timezone: office.timezone } }) as unknown as Config,
        drop: async (schedule, slotMs) => {
          if (office.fail !== undefined) throw new Error(office.fail)
          office.drops.push(`${schedule.name} ${new Date(slotMs).toISOString().slice(0, 16)}`)
        },
      })
      scheduler.look()
      return scheduler
    },
  }
  return office
}

t.test('each slot is dropped at its time, in the time zone of the schedule or of the organisation', async (t) => {
  const office = makeOffice(t.testdir(), [weekly, daily])
  const scheduler = office.open()
  t.same(
    [...scheduler.next()].map(([name, ms]) => `${name} ${new Date(ms).toISOString()}`),
    ['weekly-report 2026-11-23T09:00:00.000Z', 'stand-up 2026-11-21T08:30:00.000Z'],
  )
  await office.clock.turn(29 * 60_000)
  t.same(office.drops, [], 'not early')
  await office.clock.turn(61_000)
  t.same(office.drops, ['stand-up 2026-11-21T08:30'])
  await office.clock.turn(60_000)
  await scheduler.stop()
  t.same(office.drops, ['stand-up 2026-11-21T08:30'], 'once')
})

t.test('slots missed while the daemon was down are made up by one drop', async (t) => {
  const office = makeOffice(t.testdir(), [daily])
  const before = office.open()
  await office.clock.turn(1000)
  await before.stop()
  office.clock.step(10 * DAY_MS)
  const after = office.open()
  await office.clock.turn(1000)
  await after.stop()
  t.same(office.drops, ['stand-up 2026-11-30T08:30'], 'the latest')
  const third = office.open()
  await office.clock.turn(1000)
  await third.stop()
  t.equal(office.drops.length, 1, 'a third start makes nothing up')
})

t.test('a schedule that is new, or has changed, has no past', async (t) => {
  const office = makeOffice(t.testdir(), [])
  const scheduler = office.open()
  await office.clock.turn(3 * HOUR_MS)
  office.schedules.set(daily.name, daily)
  scheduler.look()
  await office.clock.turn(1000)
  t.same(office.drops, [], 'the slot of this morning was before its time')
  office.schedules.set(daily.name, { ...daily, cron: '0 10 * * *' })
  scheduler.look()
  await office.clock.turn(1000)
  t.same(office.drops, [], 'nor is the slot that a change moves into the past made up')
  office.schedules.set(daily.name, { ...daily, cron: '0 10 * * *', text: '---\nto: pmo\n---\n' })
  scheduler.look()
  await office.clock.turn(22 * HOUR_MS)
  await scheduler.stop()
  t.same(office.drops, ['stand-up 2026-11-22T09:00'])
})

t.test('taking a schedule away and bringing it back repeats nothing', async (t) => {
  const office = makeOffice(t.testdir(), [daily])
  const scheduler = office.open()
  await office.clock.turn(HOUR_MS)
  t.equal(office.drops.length, 1)
  office.schedules.delete(daily.name)
  scheduler.look()
  await office.clock.turn(1000)
  office.schedules.set(daily.name, daily)
  scheduler.look()
  await office.clock.turn(1000)
  await scheduler.stop()
  t.equal(office.drops.length, 1)
})

t.test('a drop that fails stays due', async (t) => {
  const office = makeOffice(t.testdir(), [daily])
  const scheduler = office.open()
  office.fail = 'ENOSPC'
  await office.clock.turn(HOUR_MS / 2 + 20_000)
  t.same(office.drops, [])
  t.ok(office.logged.includes('schedule is tried again'))
  office.fail = undefined
  await office.clock.turn(10_000)
  await scheduler.stop()
  t.same(office.drops, ['stand-up 2026-11-21T08:30'])
})

t.test('the wall clock stepping back does not repeat a slot; a wrong far future is forgotten', async (t) => {
  const office = makeOffice(t.testdir(), [daily])
  const scheduler = office.open()
  await office.clock.turn(HOUR_MS)
  office.clock.step(-HOUR_MS)
  await office.clock.turn(HOUR_MS)
  t.equal(office.drops.length, 1)
  office.clock.step(365 * DAY_MS)
  await office.clock.turn(90_000)
  t.equal(office.drops.length, 2, 'one slot of the year is made up')
  office.clock.step(-365 * DAY_MS)
  await office.clock.turn(24 * HOUR_MS)
  await scheduler.stop()
  t.same(office.drops[2], 'stand-up 2026-11-22T08:30', 'and then it goes on by the right clock')
})

t.test('a state that cannot be read, and an expression that never comes, stop nobody else', async (t) => {
  const office = makeOffice(t.testdir(), [{ ...weekly, cron: '0 0 31 2 *' }, daily])
  writeFileSync(office.stateFile, '{"stand-up": {"cron": 7}, broken')
  const scheduler = office.open()
  await office.clock.turn(HOUR_MS)
  await scheduler.stop()
  t.same(office.drops, ['stand-up 2026-11-21T08:30'])
  t.ok(office.logged.includes('schedule never comes'))
  t.match(JSON.parse(readFileSync(office.stateFile, 'utf8')), { 'stand-up': { cron: daily.cron, timezone: 'Europe/Berlin' } })
})
