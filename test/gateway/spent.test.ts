import fc from 'fast-check'
import t from 'tap'
import type { Name } from '../../src/core/names.ts'
import { daysOf, type Entry, GROUPINGS, NO_MESSAGE, sumsOf, tokensOf } from '../../src/gateway/index.ts'

const threadOf = (message: string): string | undefined => ({ m1: 't1', m2: 't1', m3: 't3' })[message]
const entry = (at: string, more: Partial<Entry> = {}): Entry => ({
  at,
  agent: 'legal' as Name,
  status: 200,
  inputTokens: 1,
  cacheWriteTokens: 20,
  cacheReadTokens: 300,
  outputTokens: 4_000,
  usd: 0.5,
  queueMs: 5,
  ms: 6,
  tries: 1,
  ...more,
})

t.test('requests, tokens and money are summed by agent, by thread and by day', async (t) => {
  const entries = [
    entry('2030-01-01T22:59:59.999Z', { message: 'm1' }),
    entry('2030-01-01T23:00:00.000Z', { message: 'm2', agent: 'ops' as Name }),
    entry('2030-01-02T10:00:00.000Z', { message: 'gone', usd: undefined }),
    entry('2030-01-02T22:59:59.999Z', { usd: undefined, status: 429, inputTokens: 0, cacheWriteTokens: 0, cacheReadTokens: 0, outputTokens: 0 }),
  ]
  const by = (by: (typeof GROUPINGS)[number]) =>
    Object.fromEntries([...sumsOf(entries, { by, timezone: 'Europe/Berlin', threadOf })].map(([group, sum]) => [group, [sum.requests, tokensOf(sum), sum.usd]]))
  t.same(by('agent'), { legal: [3, 8_642, 0.5], ops: [1, 4_321, 0.5] })
  t.same(by('thread'), { t1: [2, 8_642, 1], gone: [1, 4_321, 0], [NO_MESSAGE]: [1, 0, 0] })
  t.same(by('day'), { '2030-01-01': [1, 4_321, 0.5], '2030-01-02': [3, 8_642, 0.5] })
})

t.test('tokens without a known price are told apart from those that cost nothing', async (t) => {
  const entries = [entry('2030-01-01T00:00:00Z', { usd: undefined }), entry('2030-01-01T00:00:00Z'), entry('2030-01-01T00:00:00Z', { usd: 0 })]
  t.match(sumsOf(entries, { by: 'agent', timezone: 'UTC', threadOf }).get('legal'), { requests: 3, unpriced: 1, usd: 0.5 })
})

t.test('however they are grouped, nothing is counted twice and nothing is left out', async (t) => {
  const some = fc.record({ day: fc.integer({ min: 0, max: 400 }), agent: fc.constantFrom('a', 'b', 'c'), message: fc.constantFrom('m1', 'm2', 'x', undefined), tokens: fc.nat(1e6) }) // biome-ignore format: one row
  const property = fc.property(fc.array(some), fc.constantFrom('UTC', 'Asia/Kolkata', 'America/St_Johns', 'Pacific/Apia'), (all, timezone) => {
    const entries = all.map(({ day, agent, message, tokens }) =>
      entry(new Date(Date.UTC(2030, 0, 1, 7) + day * 86_400_000).toISOString(), { agent: agent as Name, message, inputTokens: tokens }),
    )
    return GROUPINGS.every((by) => {
      const sums = [...sumsOf(entries, { by, timezone, threadOf }).values()]
      const summed = (counts: readonly number[]): number => counts.reduce((sum, one) => sum + one, 0)
      return summed(sums.map(tokensOf)) === summed(entries.map(tokensOf)) && summed(sums.map(({ requests }) => requests)) === entries.length
    })
  })
  t.equal(fc.check(property).counterexample, null)
})

t.test('a day is as long as its time zone has it, and the next begins where it ends', async (t) => {
  const berlin = daysOf('Europe/Berlin')
  const hours = (at: string): number => {
    const { fromMs, toMs } = berlin(Date.parse(at))
    return (toMs - fromMs) / 3_600_000
  }
  t.same(
    ['2026-03-28', '2026-03-29', '2026-10-25'].map((date) => hours(`${date}T12:00:00Z`)),
    [24, 23, 25],
  )
  t.equal(berlin(Date.parse('2026-03-28T23:30:00Z')).date, '2026-03-29')
  for (const zone of ['UTC', 'America/Havana', 'Africa/Cairo', 'Australia/Lord_Howe', 'Asia/Kathmandu']) {
    const dayAt = daysOf(zone)
    for (let ms = Date.UTC(2026, 0, 1); ms < Date.UTC(2027, 0, 1); ) {
      const day = dayAt(ms)
      const next = dayAt(day.toMs)
      if (next.fromMs !== day.toMs || dayAt(day.toMs - 1).date !== day.date || next.date <= day.date)
        t.fail(`${zone}: ${day.date} ends at ${day.toMs}, ${next.date} begins at ${next.fromMs}`)
      ms = day.toMs
    }
  }
  t.throws(() => daysOf('Mars/Olympus')(0), RangeError)
})
