import fc from 'fast-check'
import t from 'tap'
import { METERS, readLevels, readRetryAfterMs } from '../../src/model/index.ts'

const NOW = Date.parse('2026-11-22T10:00:00Z')
const answered = (more: Record<string, string | string[]> = {}): Record<string, string | string[]> => ({
  'anthropic-ratelimit-requests-limit': '1000',
  'anthropic-ratelimit-requests-remaining': '999',
  'anthropic-ratelimit-requests-reset': '2026-11-22T10:00:01Z',
  'anthropic-ratelimit-input-tokens-limit': '2000000',
  'anthropic-ratelimit-input-tokens-remaining': '1984000',
  'anthropic-ratelimit-input-tokens-reset': '2026-11-22T10:00:01Z',
  'anthropic-ratelimit-output-tokens-limit': '400000',
  'anthropic-ratelimit-output-tokens-remaining': '0',
  'anthropic-ratelimit-output-tokens-reset': '2026-11-22T10:01:00Z',
  'anthropic-ratelimit-tokens-limit': '2400000',
  'anthropic-ratelimit-tokens-remaining': '1984000',
  'anthropic-ratelimit-tokens-reset': '2026-11-22T10:01:00Z',
  ...more,
})

t.test('limits, levels and the moment of the full refill are read for every meter', async (t) => {
  t.same(readLevels(answered(), NOW), {
    requests: { limit: 1000, remaining: 999, fullInMs: 1000 },
    tokens: { limit: 2_400_000, remaining: 1_984_000, fullInMs: 60_000 },
    inputTokens: { limit: 2_000_000, remaining: 1_984_000, fullInMs: 1000 },
    outputTokens: { limit: 400_000, remaining: 0, fullInMs: 60_000 },
  })
  t.same(readLevels({}, NOW), {}, 'an answer without them says nothing')
})

t.test('a moment is measured by the server’s clock where ours is wrong', async (t) => {
  const off = answered({ date: 'Sun, 22 Nov 2026 10:00:00 GMT' })
  t.equal(readLevels(off, NOW + 3_600_000).outputTokens?.fullInMs, 60_000)
  t.equal(readLevels(off, NOW + 900).outputTokens?.fullInMs, 59_100, 'a second of rounding is no wrong clock')
  t.equal(readRetryAfterMs({ 'retry-after': 'Sun, 22 Nov 2026 10:00:30 GMT', date: 'Sun, 22 Nov 2026 10:00:00 GMT' }, NOW - 7_200_000), 30_000)
})

t.test('a value that is none is left out, and the others still count', async (t) => {
  for (const wrong of ['', '-1', '1e9', '0x10', 'NaN', '10, 10', '9'.repeat(16), '１０', '1 0']) {
    const { requests } = readLevels(answered({ 'anthropic-ratelimit-requests-limit': wrong }), NOW)
    t.same(requests, { remaining: 999, fullInMs: 1000 }, wrong)
  }
  t.equal(readLevels(answered({ 'anthropic-ratelimit-requests-limit': '0' }), NOW).requests?.limit, undefined, 'a limit of nothing holds nothing')
  t.equal(readLevels(answered({ 'anthropic-ratelimit-requests-limit': ['5', '7'] }), NOW).requests?.limit, undefined)
  t.equal(readLevels(answered({ 'anthropic-ratelimit-requests-remaining': '5000' }), NOW).requests?.remaining, 1000, 'never more than the limit')
  for (const wrong of ['yesterday', '1763805600', '2026-11-22', '2026-13-45T99:99:99Z'])
    t.equal(readLevels(answered({ 'anthropic-ratelimit-requests-reset': wrong }), NOW).requests?.fullInMs, undefined, wrong)
  t.equal(readLevels(answered({ 'anthropic-ratelimit-requests-reset': '9999-01-01T00:00:00Z' }), NOW).requests?.fullInMs, 3_600_000)
})

t.test('retry-after is seconds or a date, and never more than a day', async (t) => {
  const after = (value: string): number | undefined => readRetryAfterMs({ 'retry-after': value }, NOW)
  t.equal(after('7'), 7000)
  t.equal(after(' 0.5 '), 500)
  t.equal(after('0'), 0)
  t.equal(after('Sun, 22 Nov 2026 10:00:30 GMT'), 30_000)
  t.equal(after('Sun, 22 Nov 2020 10:00:30 GMT'), 0, 'what is past is now')
  t.equal(after('999999999999'), 86_400_000)
  for (const wrong of ['', '-5', 'soon', 'NaN', 'Infinity', '5, 7']) t.equal(after(wrong), undefined, wrong)
  t.equal(readRetryAfterMs({}, NOW), undefined)
  t.equal(readRetryAfterMs({ 'retry-after': '9', 'retry-after-ms': '250' }, NOW), 250)
})

t.test('whatever the headers hold, what is read are numbers within bounds', async (t) => {
  const value = fc.oneof(
    fc.string(),
    fc.nat().map(String),
    fc.date({ noInvalidDate: true }).map((date) => date.toISOString()),
    fc.array(fc.string()),
  )
  const names = METERS.flatMap((meter) => ['limit', 'remaining', 'reset'].map((what) => `anthropic-ratelimit-${meter.replace('Tokens', '-tokens')}-${what}`))
  const headers = fc.dictionary(fc.constantFrom(...names, 'retry-after', 'retry-after-ms', 'date'), value)
  fc.assert(
    fc.property(headers, (headers) => {
      const numbers = Object.values(readLevels(headers, NOW)).flatMap((level) => Object.values(level))
      const wait = readRetryAfterMs(headers, NOW)
      return [...numbers, ...(wait === undefined ? [] : [wait])].every((number) => Number.isFinite(number) && number >= 0)
    }),
  )
  t.pass('for a thousand kinds of nonsense')
})
