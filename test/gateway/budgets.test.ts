import { mkdirSync } from 'node:fs'
import t from 'tap'
import type { Budget } from '../../src/core/config.ts'
import type { Name } from '../../src/core/names.ts'
import { createBudgets, type Entry, openLedger, readLedger } from '../../src/gateway/index.ts'
import { makeHandClock } from '../hand-clock.ts'
import { breakable } from '../journal/ground.ts'

const LEGAL = 'legal' as Name
/** In Berlin it is 23:00 then. */
const LATE = Date.UTC(2030, 0, 1, 22)
const HOUR_MS = 3_600_000
const entry = (ms: number, more: Partial<Entry> = {}): Entry => ({
  at: new Date(ms).toISOString(),
  agent: LEGAL,
  status: 200,
  inputTokens: 100,
  cacheWriteTokens: 20,
  cacheReadTokens: 1_000_000,
  outputTokens: 3,
  usd: 0.25,
  queueMs: 0,
  ms: 1,
  tries: 1,
  ...more, // biome-ignore format: one row
})
const budgets = (budget: Partial<Budget> | undefined) =>
  createBudgets({
    timezone: 'Europe/Berlin',
    budgetOf: (agent) => (agent === LEGAL && budget ? { usdPerDay: undefined, tokensPerDay: undefined, ...budget } : undefined),
  })

t.test('new runs are held from the moment the money of the day is spent until the day ends where the organisation is', async (t) => {
  const { record, stateOf } = budgets({ usdPerDay: 0.5 })
  t.match(stateOf(LEGAL, LATE), { usedUsd: 0, over: undefined, endsMs: LATE + HOUR_MS })
  record(entry(LATE))
  t.match(stateOf(LEGAL, LATE), { usedUsd: 0.25, over: undefined })
  record(entry(LATE + 1))
  t.match(stateOf(LEGAL, LATE + HOUR_MS - 1), { usedUsd: 0.5, over: 'usd', endsMs: LATE + HOUR_MS })
  t.match(stateOf(LEGAL, LATE + HOUR_MS), { usedUsd: 0, over: undefined, endsMs: LATE + 25 * HOUR_MS })
})

t.test('tokens count without what was read from the cache', async (t) => {
  const { record, stateOf } = budgets({ tokensPerDay: 200 })
  record(entry(LATE))
  t.match(stateOf(LEGAL, LATE), { usedTokens: 123, over: undefined })
  record(entry(LATE))
  t.match(stateOf(LEGAL, LATE), { usedTokens: 246, over: 'tokens' })
})

t.test('what has no known price is told, and held by a budget of tokens alone', async (t) => {
  const money = budgets({ usdPerDay: 0.01 })
  money.record(entry(LATE, { usd: undefined }))
  t.match(money.stateOf(LEGAL, LATE), { usedUsd: 0, unpriced: 1, over: undefined })
  const both = budgets({ usdPerDay: 0.01, tokensPerDay: 100 })
  both.record(entry(LATE, { usd: undefined }))
  t.match(both.stateOf(LEGAL, LATE), { over: 'tokens' })
})

t.test('who has no budget is never held, and one pays not for another', async (t) => {
  const { record, stateOf } = budgets({ usdPerDay: 0.01 })
  record(entry(LATE, { agent: 'ops' as Name }))
  t.equal(stateOf('ops' as Name, LATE), undefined)
  t.match(stateOf(LEGAL, LATE), { usedUsd: 0, over: undefined })
})

t.test('a budget that was raised counts at once', async (t) => {
  const budget = { usdPerDay: 0.2, tokensPerDay: undefined }
  const { record, stateOf } = createBudgets({ timezone: 'UTC', budgetOf: () => budget })
  record(entry(LATE))
  t.equal(stateOf(LEGAL, LATE)?.over, 'usd')
  budget.usdPerDay = 1
  t.equal(stateOf(LEGAL, LATE)?.over, undefined)
})

t.test('a clock that is set back over midnight and forward again brings no new budget', async (t) => {
  const { record, stateOf } = budgets({ usdPerDay: 0.2 })
  record(entry(LATE + 2 * HOUR_MS))
  record(entry(LATE, { usd: 0 }))
  t.equal(stateOf(LEGAL, LATE)?.over, undefined)
  t.equal(stateOf(LEGAL, LATE + 2 * HOUR_MS)?.over, 'usd')
})

t.test('after a start the ledger says what was used today, and nothing of yesterday', async (t) => {
  const folder = `${t.testdir()}/ledger`
  mkdirSync(folder)
  const { disk } = breakable()
  const ledger = openLedger({ disk, clock: makeHandClock(LATE), log: () => undefined, folder, keepMs: () => 30 * 24 * HOUR_MS })
  const before = budgets({ usdPerDay: 9 })
  // Of a day of Berlin, in two files: its first hour is yesterday's in UTC.
  for (const ms of [LATE, LATE + HOUR_MS - 1, LATE + HOUR_MS, LATE + 2 * HOUR_MS, LATE + 24 * HOUR_MS]) {
    ledger.record(entry(ms))
    before.record(entry(ms))
  }
  await ledger.close()
  const nowMs = LATE + 24 * HOUR_MS + 1
  const after = budgets({ usdPerDay: 9 })
  for (const one of readLedger(disk, folder, { fromMs: after.sinceMs(nowMs) })) after.record(one)
  t.match(after.stateOf(LEGAL, nowMs), { usedUsd: 0.75 })
  t.same(after.stateOf(LEGAL, nowMs), before.stateOf(LEGAL, nowMs))
})
