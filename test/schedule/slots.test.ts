import { createTask } from 'node-cron'
import t from 'tap'
import { latestSlot, nextSlot, readRule } from '../../src/schedule/index.ts'
import { parseCron } from '../../src/system/cron.ts'

const MINUTE_MS = 60_000
const DAY_MS = 86_400_000
const at = (text: string): number => Date.parse(text)
const show = (ms: number | undefined): string => (ms === undefined ? 'never' : new Date(ms).toISOString().slice(0, 16))

function slotsBetween(cron: string, timezone: string, from: number, to: number): string[] {
  const rule = readRule(parseCron, cron, timezone)
  const found: string[] = []
  for (let ms = nextSlot(rule, from); ms !== undefined && ms <= to; ms = nextSlot(rule, ms)) found.push(show(ms))
  return found
}

/** Every minute that node-cron itself says fits. */
function byNodeCron(cron: string, timezone: string, from: number, to: number): string[] {
  const task = createTask(cron, () => undefined, { timezone })
  const found: string[] = []
  for (let ms = from + MINUTE_MS; ms <= to; ms += MINUTE_MS) if (task.match(new Date(ms))) found.push(show(ms))
  void task.destroy()
  return found
}

t.test('away from changes of the clocks, slots are the minutes that node-cron matches', async (t) => {
  const expressions = [
    '0 9 * * MON',
    '*/15 8-10 * * *',
    '30 23 1,15 * *',
    '5 4 * FEB-APR SUN',
    '0 0 29 2 *',
    '59 * * * 6,7',
    '17 3-21/6 * * 1-5',
    '0 12 */5 * *',
  ]
  for (const zone of ['UTC', 'Asia/Kolkata', 'America/New_York', 'Pacific/Kiritimati']) {
    for (const cron of expressions) {
      const from = at('2028-02-20T00:00Z')
      t.same(slotsBetween(cron, zone, from, from + 12 * DAY_MS), byNodeCron(cron, zone, from, from + 12 * DAY_MS), `${cron} in ${zone}`)
    }
  }
})

t.test('a schedule of every hour agrees with node-cron also while clocks are set forward and back', async (t) => {
  for (const day of ['2026-03-29T00:00Z', '2026-10-25T00:00Z']) {
    const from = at(day) - DAY_MS / 2
    t.same(slotsBetween('*/20 * * * *', 'Europe/Berlin', from, from + DAY_MS), byNodeCron('*/20 * * * *', 'Europe/Berlin', from, from + DAY_MS), day)
  }
})

t.test('a slot that the clock leaps over comes at the leap, one that it shows twice comes once', async (t) => {
  const spring = at('2026-03-28T12:00Z')
  t.same(slotsBetween('30 2 * * *', 'Europe/Berlin', spring, spring + 2 * DAY_MS), ['2026-03-29T01:00', '2026-03-30T00:30'])
  const autumn = at('2026-10-24T12:00Z')
  t.same(slotsBetween('30 2 * * *', 'Europe/Berlin', autumn, autumn + 2 * DAY_MS), ['2026-10-25T00:30', '2026-10-26T01:30'])
  const lordHowe = at('2026-10-03T00:00Z')
  t.same(slotsBetween('15 2 * * *', 'Australia/Lord_Howe', lordHowe, lordHowe + 2 * DAY_MS), ['2026-10-03T15:30', '2026-10-04T15:15'], 'a leap of half an hour')
  const samoa = at('2011-12-29T12:00Z')
  t.same(
    slotsBetween('0 12 * * *', 'Pacific/Apia', samoa, samoa + 2 * DAY_MS),
    ['2011-12-29T22:00', '2011-12-30T10:00', '2011-12-30T22:00'],
    'a day that never was',
  )
})

t.test('the same hour of the wall clock through the year', async (t) => {
  const slots = slotsBetween('0 9 1 * *', 'America/New_York', at('2026-01-01T00:00Z'), at('2026-12-31T00:00Z'))
  t.same(
    slots.map((slot) => slot.slice(5)),
    [
      '01-01T14:00',
      '02-01T14:00',
      '03-01T14:00',
      '04-01T13:00',
      '05-01T13:00',
      '06-01T13:00',
      '07-01T13:00',
      '08-01T13:00',
      '09-01T13:00',
      '10-01T13:00',
      '11-01T14:00',
      '12-01T14:00',
    ],
  )
})

t.test('with both fields of days restricted, either is enough, as crontab(5) says', async (t) => {
  t.same(slotsBetween('0 9 13 * FRI', 'UTC', at('2026-11-01T00:00Z'), at('2026-11-21T00:00Z')), ['2026-11-06T09:00', '2026-11-13T09:00', '2026-11-20T09:00'])
  t.same(
    slotsBetween('0 9 31 2 MON', 'UTC', at('2026-02-10T00:00Z'), at('2026-03-31T00:00Z')),
    ['2026-02-16T09:00', '2026-02-23T09:00'],
    'a day that never is leaves the other',
  )
})

t.test('the latest slot of a time away is found without counting them all', async (t) => {
  const minute = readRule(parseCron, '* * * * *', 'UTC')
  t.equal(show(latestSlot(minute, at('2016-01-01T00:00Z'), at('2026-05-05T05:05:59Z'))), '2026-05-05T05:05')
  const yearly = readRule(parseCron, '0 6 1 1 *', 'UTC')
  t.equal(show(latestSlot(yearly, at('2020-01-01T06:00Z'), at('2025-12-31T00:00Z'))), '2025-01-01T06:00')
  t.equal(show(latestSlot(yearly, at('2025-01-01T06:00Z'), at('2025-12-31T00:00Z'))), 'never', 'the slot itself is done')
  t.equal(show(nextSlot(readRule(parseCron, '0 0 29 2 *', 'UTC'), at('2096-03-01T00:00Z'))), '2104-02-29T00:00')
})

t.test('an expression that can never come, or that is none, is refused', async (t) => {
  for (const cron of ['0 0 31 2 *', '61 * * * *', '0 9 L * *', '0 9 * * MON#2', '* * *']) t.throws(() => readRule(parseCron, cron, 'UTC'), cron)
  t.throws(() => nextSlot(readRule(parseCron, '0 9 * * *', 'Mars/Olympus'), 0), RangeError)
})
