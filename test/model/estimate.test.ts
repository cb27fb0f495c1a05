import t from 'tap'
import { estimate, learn, type RequestFacts, readRequest } from '../../src/model/index.ts'
import { usage } from './usage.ts'

const facts = (body: object): RequestFacts => readRequest(Buffer.from(JSON.stringify(body))) as RequestFacts
const talk = (words: number, more: object = {}): RequestFacts =>
  facts({ max_tokens: 32_000, messages: [{ role: 'user', content: 'word '.repeat(words) }], ...more })

t.test('a first guess goes by bytes, and max_tokens only bounds it', async (t) => {
  const guess = estimate(talk(7000), 0)
  t.ok(guess.promptTokens > 9000 && guess.promptTokens < 12_000, String(guess.promptTokens))
  t.equal(guess.inputTokens, guess.promptTokens)
  t.equal(guess.outputTokens, 500)
  t.equal(estimate(facts({ max_tokens: 1 }), 0).outputTokens, 1)
})

t.test('each answer makes the next guess better', async (t) => {
  const request = talk(7000)
  const memory = learn(request, usage({ inputTokens: 7010, outputTokens: 80 }), 0)
  t.equal(estimate(request, 0, memory).inputTokens, 7010)
  t.equal(estimate(request, 0, memory).outputTokens, 80)
  const twice = estimate(talk(14_000), 0, memory)
  t.ok(Math.abs(twice.inputTokens - 14_010) < 30, String(twice.inputTokens))
})

t.test('what the cache holds is not counted, as long as it holds it', async (t) => {
  const system = [{ type: 'text', text: 'x', cache_control: { type: 'ephemeral' } }]
  const memory = learn(talk(7000, { system }), usage({ inputTokens: 10, cacheWriteTokens: 2000, cacheReadTokens: 5000 }), 0)
  const next = talk(7500, { system })
  const guess = estimate(next, 60_000, memory)
  t.ok(guess.inputTokens > 400 && guess.inputTokens < 700, String(guess.inputTokens))
  t.equal(estimate(next, 600_000, memory).inputTokens, guess.promptTokens, 'after five minutes it is gone')
  t.equal(estimate(talk(7500), 60_000, memory).inputTokens, estimate(talk(7500), 0, memory).promptTokens, 'a request that marks nothing reads nothing')
  const compacted = learn(next, usage({ inputTokens: 90_000, cacheReadTokens: 7000, compacted: true }), 0, memory)
  t.equal(compacted.cachedTokens, 0)
  t.ok(Math.abs(compacted.bytesPerToken - memory.bytesPerToken) < 0.01, 'a compaction says nothing about the size of tokens')
})

t.test('an image costs by its pixels, not by its bytes', async (t) => {
  const image = Buffer.alloc(2_000_000, 1).toString('base64')
  const guess = estimate(facts({ messages: [{ role: 'user', content: [{ type: 'image', source: { type: 'base64', data: image } }] }] }), 0)
  t.ok(guess.inputTokens > 1500 && guess.inputTokens < 1800, String(guess.inputTokens))
})

t.test('nonsense in usage gives no nonsense in a guess', async (t) => {
  const memory = learn(talk(10), usage({ inputTokens: 1e15, outputTokens: 0 }), 0)
  const guess = estimate(talk(10), 0, memory)
  t.ok(guess.inputTokens >= 1 && guess.inputTokens < 200 && guess.outputTokens === 1)
})
