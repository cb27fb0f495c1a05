import * as fc from 'fast-check'
import t from 'tap'
import { faultOfCron } from '../../src/config/cron.ts'
import { nextSlot, readRule } from '../../src/schedule/slots.ts'
import { parseCron } from '../../src/system/cron.ts'

t.test('five fields as crontab(5) writes them are accepted', async (t) => {
  for (const text of [
    '* * * * *',
    '0 9 * * MON',
    '*/5 0-6 1,15 JAN-MAR,12 mon-fri',
    '0 0 29 2 *',
    '59 23 31 12 7',
    '10-50/20 8-18/2 * * 0',
    '0  9 * * 1',
    '0 0 30 2 MON',
  ])
    t.equal(faultOfCron(text), undefined, text)
})

t.test('what never comes, runs backwards or is out of range is refused with its reason', async (t) => {
  const faults: Record<string, RegExp> = {
    '': /these are 0/,
    '* * * *': /these are 4/,
    '60 * * * *': /minute: "60" is not 0-59/,
    '* 24 * * *': /hour: /,
    '* * 0 * *': /day of the month: /,
    '* * * 13 *': /month: .* nor one of JAN/,
    '* * * * MOON': /day of the week: .* nor one of SUN/,
    '* * * * 8': /day of the week: /,
    '5-1 * * * *': /runs backwards/,
    '1-2-3 * * * *': /minute: /,
    '*/0 * * * *': /no such step/,
    '*/5/5 * * * *': /no such step/,
    '5/15 * * * *': /a step needs a range, as in 5-59\/15/,
    '1, * * * *': /minute: "" is not/,
    '0 0 30 2 *': /it would never come/,
    '0 0 31 4,6 *': /it would never come/,
    '0 0 31 4 */3': /it would never come/,
  }
  for (const [text, what] of Object.entries(faults)) t.match(faultOfCron(text)?.what, what, text)
})

t.test('nicknames are answered with their five fields', async (t) => {
  t.equal(faultOfCron('@weekly')?.near, '0 0 * * 0')
  t.equal(faultOfCron('@reboot')?.near, undefined)
})

t.test('whatever is accepted here comes, and what is refused is not known to the scheduler either', async (t) => {
  const value = (least: number, most: number) =>
    fc.oneof(
      fc.constant('*'),
      fc.integer({ min: least, max: most }).map(String),
      fc.tuple(fc.integer({ min: least, max: most }), fc.integer({ min: least, max: most })).map(([a, b]) => `${Math.min(a, b)}-${Math.max(a, b)}`),
      fc.integer({ min: 1, max: 20 }).map((step) => `*/${step}`),
    )
  const field = (least: number, most: number) => fc.array(value(least, most), { minLength: 1, maxLength: 3 }).map((parts) => parts.join(','))
  const comes = (text: string): boolean => {
    try {
      return nextSlot(readRule(parseCron, text, 'UTC'), Date.UTC(2026, 0, 1)) !== undefined
    } catch {
      return false
    }
  }
  const { failed, counterexample, seed } = fc.check(
    fc.property(field(0, 59), field(0, 23), field(1, 31), field(1, 12), field(0, 7), (...fields) => {
      const text = fields.join(' ')
      return (faultOfCron(text) === undefined) === comes(text)
    }),
    { numRuns: 300 },
  )
  t.notOk(failed, `seed ${seed}: ${JSON.stringify(counterexample)}`)
  for (const text of ['0 9 * * MON', '10-50/20 8-18/2 * JAN-MAR mon-fri', '0 0 31 4 0', '0 0 29 2 *']) t.ok(comes(text), text)
})
