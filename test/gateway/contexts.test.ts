import t from 'tap'
import type { Name } from '../../src/core/names.ts'
import { createContexts, fullness, type Heard } from '../../src/gateway/index.ts'
import type { Usage } from '../../src/model/index.ts'

const LEGAL = 'legal' as Name
const HOUR_MS = 3_600_000
/** 200,000 tokens. */
const SMALL = 'claude-haiku-4-5'
/** A million. */
const WIDE = 'claude-opus-4-8'
const usage = (contextTokens: number, more: Partial<Usage> = {}): Usage => ({
  inputTokens: 0,
  cacheWriteTokens: 0,
  cacheWriteHourTokens: 0,
  cacheReadTokens: contextTokens,
  outputTokens: 0,
  contextTokens,
  compacted: false,
  ...more, // biome-ignore format: one row
})

function meters(contextWindow?: number) {
  let nowMs = 0
  const contexts = createContexts({ nowMs: () => nowMs, contextWindowOf: () => contextWindow })
  const heard = (tokens: number, more: Partial<Heard> = {}) =>
    contexts.heard({ agent: LEGAL, message: 'm1', session: 's1', model: SMALL, usage: usage(tokens), compaction: undefined, ...more })
  return {
    heard,
    report: contexts.report,
    isLast: (promptTokens: number, more: Partial<Heard> = {}) =>
      contexts.isLast({ agent: LEGAL, message: 'm1', session: 's1', model: SMALL, promptTokens, ...more }),
    passed: (tokens: number, more: Partial<Heard> = {}) => heard(tokens, more)?.passed ?? [],
    turn: (ms: number) => (nowMs += ms),
  }
}

t.test('70, 80 and 92 percent of the window of the model are told once each', async (t) => {
  const { passed } = meters()
  t.same(
    [139_999, 140_000, 150_000, 159_999, 160_000, 190_000, 230_000].map((tokens) => passed(tokens)),
    [[], [70], [], [], [80], [92], []],
  )
  t.same(meters().passed(170_000), [70, 80], 'both at once where it grew in one step')
  t.same(meters().passed(170_000, { model: WIDE }), [])
})

t.test('the least counts: the window of the model, that of the agent, and where it was compacted last', async (t) => {
  t.same(meters(100_000).passed(70_000, { model: WIDE }), [70])
  t.same(meters(900_000).passed(140_000), [70])
  const { heard, passed } = meters()
  t.same(passed(100_000), [])
  t.match(heard(101_000, { compaction: 'claude-code' }), { isNew: true, passed: [], gauge: { usedTokens: 0, windowTokens: 101_000 } })
  t.same(
    [70_699, 70_700, 80_800].map((tokens) => passed(tokens)),
    [[], [70], [80]],
  )
})

t.test('after a compaction it begins anew, whoever made it, and is told again', async (t) => {
  for (const compaction of ['claude-code', 'openclaw-summary'] as const) {
    const { heard, passed } = meters()
    t.same(passed(165_000), [70, 80])
    t.match(heard(compaction === 'claude-code' ? 166_000 : 20_000, { compaction }), { isNew: true, passed: [] })
    t.same(
      [30_000, 165_000].map((tokens) => passed(tokens)),
      [[], [70, 80, 92]],
      compaction,
    )
  }
  const { heard, passed } = meters()
  t.same(passed(165_000), [70, 80])
  t.match(heard(0, { usage: usage(25_000, { compacted: true, cacheReadTokens: 190_000 }) }), {
    isNew: true,
    passed: [],
    gauge: { usedTokens: 25_000, windowTokens: 165_000 },
  })
  t.same(passed(116_000), [70])
})

t.test('after the checkpoint of our own loop it begins anew with the next answer, however small the window is, and a second filling is told', async (t) => {
  const { heard, passed, report } = meters(20_000)
  t.same(passed(17_000), [70, 80])
  t.equal(heard(17_500, { compaction: 'own-loop' }), undefined, 'what it answers is not written yet')
  t.equal(heard(15_000, { compaction: 'own-loop' }), undefined, 'asked for again, as the first did not fit')
  t.match(heard(11_000), { isNew: true, passed: [], gauge: { usedTokens: 11_000, windowTokens: 20_000 } }, 'more than half: role, message and checkpoint')
  t.match(report(), [{ usedTokens: 11_000 }])
  t.same(passed(16_500), [70, 80])
})

t.test('the turn before a summary is not one, and what comes after the summary in pieces is', async (t) => {
  const { heard, passed } = meters()
  passed(150_000)
  t.equal(heard(151_000, { compaction: 'openclaw-flush' }), undefined)
  for (let piece = 0; piece < 3; piece++) t.match(heard(9_000, { compaction: 'openclaw-summary' }), { isNew: true, gauge: { windowTokens: 151_000 } })
})

t.test('small requests between the large ones change nothing', async (t) => {
  const { heard, passed, report } = meters()
  passed(150_000)
  for (let n = 0; n < 50; n++) t.equal(heard(n % 10 === 9 ? 150_000 : 2_000, { model: n % 2 ? SMALL : WIDE }), undefined)
  t.match(report(), [{ usedTokens: 150_000, windowTokens: 200_000 }])
})

t.test('where all that comes is much smaller, it was compacted unseen', async (t) => {
  const { heard, passed, report } = meters()
  t.same(passed(165_000), [70, 80])
  const changes = Array.from({ length: 12 }, (_, n) => heard(20_000 + n * 1_000))
  t.same(changes.slice(0, 11), Array.from({ length: 11 }))
  t.match(changes[11], { isNew: true, gauge: { usedTokens: 31_000, windowTokens: 200_000 } })
  t.match(report(), [{ usedTokens: 31_000 }])
  t.same(passed(141_000), [70])
})

t.test('sessions and agents are told apart; without a session the message is one, and without both nothing is metered', async (t) => {
  const { passed, heard } = meters()
  t.same(passed(150_000), [70])
  t.same(passed(150_000, { session: 's2' }), [70])
  t.same(passed(150_000, { agent: 'ops' as Name }), [70])
  t.same(passed(150_000, { session: undefined, message: 'm1' }), [70])
  t.same(passed(150_000, { session: undefined, message: 'm1' }), [])
  t.same(passed(150_000, { session: undefined, message: 'm2' }), [70])
  t.equal(heard(199_000, { session: undefined, message: undefined }), undefined)
})

t.test('the gauge of an agent is its fullest session of the last hour', async (t) => {
  const { passed, report, turn } = meters()
  passed(150_000, { session: 'old' })
  turn(HOUR_MS)
  passed(40_000, { session: 'a' })
  passed(100_000, { session: 'b', model: WIDE })
  turn(1)
  t.same(report(), [{ agent: LEGAL, message: 'm1', session: 'a', usedTokens: 40_000, windowTokens: 200_000 }])
  t.same(report().map(fullness), [0.2])
})

t.test('sessions that an agent makes up push out its own, and those of no one else', async (t) => {
  const { passed } = meters()
  t.same(passed(150_000, { agent: 'ops' as Name }), [70])
  t.same(passed(150_000), [70])
  for (let n = 0; n < 20_000; n++) passed(10, { session: `made-up-${n}` })
  t.same(passed(150_000, { agent: 'ops' as Name }), [], 'known still')
  t.same(passed(150_000), [70], 'forgotten, for there were too many')
})

t.test('the last request that a window has room for is known once in each context, by an estimate or by what was counted before', async (t) => {
  const { heard, passed, isLast } = meters()
  t.equal(isLast(183_999), false)
  t.equal(isLast(184_000, { session: 'first' }), true, 'of a session that was not heard of yet')
  t.equal(isLast(190_000, { session: 'first' }), false)
  passed(150_000, { session: 'first' })
  t.equal(isLast(190_000, { session: 'first' }), true, 'the first was estimated too high')
  passed(185_000)
  t.equal(isLast(20_000), false, 'a side request')
  t.equal(isLast(150_000), true, 'estimated too low')
  t.equal(isLast(199_000), false)
  heard(199_000, { compaction: 'claude-code' })
  t.equal(isLast(100_000), false)
  t.equal(isLast(183_100), true)
  t.equal(isLast(199_000, { session: undefined, message: undefined }), false, 'of no context')
})
