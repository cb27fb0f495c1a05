import t from 'tap'
import { countedInput, readUsage, type Usage } from '../../src/model/index.ts'

const read = (usage: unknown): Usage | undefined => readUsage(Buffer.from(JSON.stringify({ type: 'message', usage })))

t.test('tokens of a plain answer', async (t) => {
  const usage = read({ input_tokens: 12, cache_creation_input_tokens: 300, cache_read_input_tokens: 5000, output_tokens: 40 })
  t.same(usage, {
    inputTokens: 12,
    cacheWriteTokens: 300,
    cacheWriteHourTokens: 0,
    cacheReadTokens: 5000,
    outputTokens: 40,
    contextTokens: 5352,
    compacted: false,
  })
  t.equal(usage && countedInput(usage), 312, 'what was read from the cache is free for the limit')
})

t.test('what is kept for an hour is told apart', async (t) => {
  const usage = read({ input_tokens: 1, cache_creation: { ephemeral_5m_input_tokens: 10, ephemeral_1h_input_tokens: 20 }, output_tokens: 1 })
  t.match(usage, { cacheWriteTokens: 30, cacheWriteHourTokens: 20 })
})

t.test('a compaction at the provider counts, and the context is what is left after it', async (t) => {
  const usage = read({
    input_tokens: 23_000,
    output_tokens: 1000,
    iterations: [
      { type: 'compaction', input_tokens: 180_000, output_tokens: 3500 },
      { type: 'message', input_tokens: 23_000, output_tokens: 1000 },
    ],
  })
  t.match(usage, { inputTokens: 203_000, outputTokens: 4500, contextTokens: 24_000, compacted: true })
})

t.test('turns of a loop at the provider are added up; the last one tells the context', async (t) => {
  const turn = { type: 'message', input_tokens: 100, cache_read_input_tokens: 900, output_tokens: 10 }
  const usage = read({ input_tokens: 300, cache_read_input_tokens: 2700, output_tokens: 30, iterations: [turn, turn, { ...turn, input_tokens: 150 }] })
  t.match(usage, { inputTokens: 350, cacheReadTokens: 2700, outputTokens: 30, contextTokens: 1060, compacted: false })
})

t.test('numbers that are none count as nothing, and no usage is none', async (t) => {
  const usage = read({ input_tokens: -5, output_tokens: '7', cache_read_input_tokens: 1.5, cache_creation_input_tokens: null, iterations: ['x', null, {}] })
  t.match(usage, { inputTokens: 0, outputTokens: 0, cacheReadTokens: 0, cacheWriteTokens: 0, contextTokens: 0 })
  for (const body of ['', 'null', '[]', '{"usage":null}', '{"usage":"{}"}', '{"usage":[]}', '\u0000'])
    t.equal(readUsage(Buffer.from(body)), undefined, JSON.stringify(body))
})
