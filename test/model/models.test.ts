import t from 'tap'
import { costUsd, poolOf, priceOf, windowOf } from '../../src/model/index.ts'
import { usage } from './usage.ts'

t.test('windows of models, whatever date or provider stands around the name', async (t) => {
  for (const wide of [
    'claude-opus-4-6',
    'claude-opus-4-8-20260401',
    'claude-sonnet-4-6',
    'claude-opus-5',
    'claude-sonnet-5-5',
    'claude-haiku-5-5',
    'claude-sonnet-4-5[1m]',
  ])
    t.equal(windowOf(wide), 1_000_000, wide)
  for (const narrow of [
    'claude-haiku-4-5-20251001',
    'claude-sonnet-4-5-20250929',
    'claude-opus-4-5',
    'us.anthropic.claude-opus-4-5-20251101-v1:0',
    'claude-sonnet-4@20250514',
  ])
    t.equal(windowOf(narrow), 200_000, narrow)
  t.equal(windowOf('somebody-elses'), 200_000, 'an unknown model is not thought to have more')
})

t.test('the price list, and nothing where nothing is known', async (t) => {
  t.same(priceOf('claude-opus-4-8'), { input: 5, output: 25, cacheWrite: 6.25, cacheWriteHour: 10, cacheRead: 0.5 })
  t.same(priceOf('claude-sonnet-4-5-20250929'), { input: 3, output: 15, cacheWrite: 3.75, cacheWriteHour: 6, cacheRead: 0.3 })
  t.same(priceOf('claude-opus-5-5'), { input: 4, output: 20, cacheWrite: 5, cacheWriteHour: 8, cacheRead: 0.2 })
  t.match(priceOf('claude-haiku-5-5', 100_000), { input: 0.1, output: 0.5 })
  t.match(priceOf('claude-haiku-5-5', 100_001), { input: 0.5, output: 2.5 })
  t.equal(priceOf('somebody-elses'), undefined)
  t.equal(priceOf('claude-opus-6'), undefined)
})

t.test('the cost of an answer', async (t) => {
  const all = usage({
    inputTokens: 1_000_000,
    cacheWriteTokens: 2_000_000,
    cacheWriteHourTokens: 1_000_000,
    cacheReadTokens: 1_000_000,
    outputTokens: 1_000_000,
  })
  t.equal(costUsd('claude-opus-4-8', all), 5 + 6.25 + 10 + 0.5 + 25)
  t.equal(
    costUsd('claude-haiku-5-5', usage({ inputTokens: 50_000, cacheReadTokens: 60_000 })),
    (0.5 * 50_000 + 0.05 * 60_000) / 1e6,
    'a long prompt, cached or not',
  )
  t.equal(costUsd('somebody-elses', all), undefined)
})

t.test('who shares limits', async (t) => {
  t.equal(poolOf('claude-opus-4-5-20251101'), poolOf('claude-opus-4-8'))
  t.equal(poolOf('claude-sonnet-4-20250514'), poolOf('claude-sonnet-4-6'))
  t.not(poolOf('claude-opus-5'), poolOf('claude-opus-5-5'))
  t.not(poolOf('claude-opus-5'), poolOf('claude-sonnet-5'))
  t.equal(poolOf('somebody-elses'), 'somebody-elses')
})
