import fc from 'fast-check'
import t from 'tap'
import { formatTime, parseMoment } from '../../src/core/time.ts'

const text = (moment: string, zone = 'UTC'): string | undefined => parseMoment(moment, zone)?.text
const utc = (moment: string, zone = 'UTC'): string | undefined => {
  const parsed = parseMoment(moment, zone)
  return parsed && formatTime(parsed.ms)
}

t.test('a date is the end of that day where the organisation lives', async (t) => {
  t.strictSame(parseMoment('2026-11-30', 'Europe/Berlin'), { ms: Date.UTC(2026, 10, 30, 22, 59, 59, 999), text: '2026-11-30T23:59:59+01:00' })
  t.equal(text('2026-07-01', 'Europe/Berlin'), '2026-07-01T23:59:59+02:00')
  t.equal(text('2026-11-30', 'UTC'), '2026-11-30T23:59:59+00:00')
  t.equal(text('2026-11-30', 'Asia/Kolkata'), '2026-11-30T23:59:59+05:30')
  t.equal(text('2026-11-30', 'America/St_Johns'), '2026-11-30T23:59:59-03:30')
  t.equal(text('2028-02-29', 'Pacific/Kiritimati'), '2028-02-29T23:59:59+14:00')
})

t.test('the day on which clocks change ends by its evening clock', async (t) => {
  t.equal(text('2026-03-29', 'Europe/Berlin'), '2026-03-29T23:59:59+02:00')
  t.equal(text('2026-10-25', 'Europe/Berlin'), '2026-10-25T23:59:59+01:00')
  // Havana sets its clocks back from 1:00 to 0:00, Asunción (until 2024) from 0:00 to 23:00: that day ends twice.
  t.equal(text('2024-03-23', 'America/Asuncion'), '2024-03-23T23:59:59-04:00')
})

t.test('a time without an offset is the wall clock of the organisation', async (t) => {
  t.equal(utc('2026-07-01T12:00:00', 'America/New_York'), '2026-07-01T16:00:00.000Z')
  t.equal(utc('2026-10-25T02:30:00', 'Europe/Berlin'), '2026-10-25T00:30:00.000Z', 'shown twice: the first')
  t.equal(text('2026-03-29T02:30:00', 'Europe/Berlin'), '2026-03-29T03:30:00+02:00', 'never shown: as if clocks had not yet been set')
  t.equal(utc('2026-07-01 12:00', 'Asia/Tokyo'), '2026-07-01T03:00:00.000Z')
})

t.test('RFC 3339 in all its spellings', async (t) => {
  for (const same of [
    '2026-11-30T17:00:00Z',
    '2026-11-30t17:00:00z',
    '2026-11-30 17:00:00Z',
    '2026-11-30T18:00:00+01:00',
    '2026-11-30T17:00:00-00:00',
    '2026-11-30T17:00Z',
    '2026-11-30T17:00:00.000Z',
  ]) {
    t.equal(utc(same), '2026-11-30T17:00:00.000Z', same)
  }
  t.equal(utc('2026-11-30T17:00:00.1239Z'), '2026-11-30T17:00:00.123Z')
  t.equal(text('2026-11-30T17:00:00.5Z', 'Europe/Berlin'), '2026-11-30T18:00:00.500+01:00')
  t.equal(utc('1970-01-01T00:00:00Z'), '1970-01-01T00:00:00.000Z')
  t.equal(utc('2100-02-28'), '2100-02-28T23:59:59.999Z')
})

t.test('what is no moment', async (t) => {
  const none = [
    '',
    'tomorrow',
    '2026',
    '2026-11',
    '2026-13-01',
    '2026-00-10',
    '2026-11-31',
    '2026-02-29',
    '2100-02-29',
    '2026-11-30T24:00:00Z',
    '2026-11-30T17:60:00Z',
    '2026-11-30T17:00:60Z',
    '2026-11-30T17',
  ]
  const more = [
    '2026-11-30T17:00:00+24:00',
    '2026-11-30T17:00:00+0100',
    '2026-11-30T17:00:00 Z',
    ' 2026-11-30',
    '2026-11-30\n',
    '26-11-30',
    '30.11.2026',
    '2026-11-30T17:00:00.Z',
    '+2026-11-30',
    '2026-11-30T',
    '٢٠٢٦-١١-٣٠',
    '0000-01-01',
    '9999-12-31',
  ]
  for (const bad of [...none, ...more]) t.equal(parseMoment(bad, 'Europe/Berlin'), undefined, JSON.stringify(bad))
})

t.test('time zones', async (t) => {
  for (const zone of ['UTC', 'Europe/Berlin', 'America/Argentina/Buenos_Aires']) t.ok(parseMoment('2026-11-30', zone), zone)
  for (const zone of ['', 'Mars/Olympus', '../etc/passwd', 'Europe/']) t.throws(() => parseMoment('2026-11-30', zone), RangeError, zone)
})

t.test('what is shown reads back as the same moment in every zone', async () => {
  const zone = fc.constantFrom(
    'UTC',
    'Europe/Berlin',
    'America/New_York',
    'Australia/Lord_Howe',
    'Pacific/Apia',
    'Africa/Cairo',
    'America/Asuncion',
    'Asia/Kathmandu',
  )
  const second = fc.integer({ min: 0, max: Date.UTC(2100, 0) / 1000 })
  fc.assert(
    fc.property(zone, zone, second, (one, other, at) => {
      const shown = parseMoment(formatTime(at * 1000), one)
      if (shown?.ms !== at * 1000) throw new Error('read wrongly')
      if (parseMoment(shown.text, other)?.ms !== shown.ms) throw new Error(`${shown.text} is another moment`)
      const wall = parseMoment(shown.text.slice(0, 19), one)
      if (wall?.text.slice(0, 19) !== shown.text.slice(0, 19)) throw new Error(`${shown.text} by the wall clock is ${wall?.text}`)
      const end = parseMoment(shown.text.slice(0, 10), one)
      if (!end || end.ms < shown.ms || end.text.slice(0, 10) !== shown.text.slice(0, 10)) throw new Error(`${shown.text} is after ${end?.text}`)
    }),
    { numRuns: 1000 },
  )
})
