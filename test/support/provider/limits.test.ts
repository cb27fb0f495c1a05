import t from 'tap'
import { readLevels } from '../../../src/model/index.ts'
import { ask, clientOf, failure, long, MODEL, started } from './client.ts'
import type { Provider } from './provider.ts'

type Client = ReturnType<typeof clientOf>
const OPUS = ['claude-opus-4-*']

async function levels(client: Client, words?: string): Promise<ReturnType<typeof readLevels>> {
  const { headers } = await client.messages.create(ask(words)).asResponse()
  return readLevels(Object.fromEntries(headers), Date.now())
}

t.test('every answer tells limits, levels in thousands, and when they are full again', async (t) => {
  const provider = await started(t, { pools: [{ models: OPUS, rpm: 1000, itpm: 60_000, otpm: 8000 }], outputTokens: 2000 })
  const client = clientOf(provider)
  const first = await levels(client, long(20_400))
  t.match(first.requests, { limit: 1000, remaining: 999 })
  t.match(first.inputTokens, { limit: 60_000, remaining: 40_000 })
  t.match(first.outputTokens, { limit: 8000 })
  t.match(first.tokens, { limit: 68_000 })
  const fullInMs = first.inputTokens?.fullInMs ?? 0
  t.ok(fullInMs > 8000 && fullInMs <= 22_000, `a third of a minute's limit is back after a third of a minute: ${fullInMs}`)
  const { headers } = await client.messages.create(ask()).asResponse()
  t.match(headers.get('anthropic-ratelimit-input-tokens-reset'), /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/)
  t.match(headers.get('request-id'), /^req_01/)
  t.match(headers.get('anthropic-organization-id'), /^org_01/)
})

t.test('a client that was refused is told how long, and let in after it', async (t) => {
  const provider = await started(t, { pools: [{ models: OPUS, rpm: 20, burst: 1 / 20 }] })
  await clientOf(provider).messages.create(ask())
  const error = await failure(clientOf(provider).messages.create(ask()))
  t.match(error, {
    status: 429,
    type: 'rate_limit_error',
    apiMessage: /^This request would exceed your organization's rate limit of 20 requests per minute \(org: org_\w+, model: claude-opus-4-8\)/,
  })
  t.match(error.headers?.get('retry-after'), /^[23]$/)
  t.equal(error.headers?.get('anthropic-ratelimit-requests-remaining'), '0')

  await clientOf(provider, undefined, 2).messages.create(ask())
  const tries = provider.seen.slice(2)
  t.same(
    tries.map(({ status }) => status),
    [429, 200],
    'the client waits as it is told, and no more',
  )
  const [told, again] = tries
  t.ok(again && told && again.atMs - told.atMs >= Number(told.retryAfterS) * 1000 - 5, 'when it is over')
  t.match(told?.early, { leftMs: Number }, 'the second try came while it was told to wait')
  t.equal(again?.early, undefined)
})

t.test('input counts without what the cache has', async (t) => {
  const provider = await started(t, { pools: [{ models: OPUS, itpm: 10_000 }] })
  const client = clientOf(provider)
  const cached = (words: string): ReturnType<typeof ask> => ask(words, { system: [{ type: 'text', text: long(6000), cache_control: { type: 'ephemeral' } }] })
  const first = await client.messages.create(cached('one'))
  t.match(first.usage, { cache_read_input_tokens: 0 })
  t.ok((first.usage.cache_creation_input_tokens ?? 0) > 6000, 'written: that counts')
  for (const words of ['two', 'three', 'four']) {
    const { usage } = await client.messages.create(cached(words))
    t.equal(usage.cache_read_input_tokens, first.usage.cache_creation_input_tokens)
    t.equal(usage.cache_creation_input_tokens, 0)
  }
  const error = await failure(client.messages.create(ask(long(6000))))
  t.match(error.apiMessage, /rate limit of 10,000 input tokens per minute/)
  t.ok(Number(error.headers?.get('retry-after')) >= 1)
})

t.test('output counts as it is produced, whatever max_tokens says', async (t) => {
  const provider = await started(t, { pools: [{ models: OPUS, otpm: 1000 }], outputTokens: 900 })
  const client = clientOf(provider)
  for (let n = 0; n < 2; n++) await client.messages.create(ask('x', { max_tokens: 20_000 }))
  const error = await failure(client.messages.create(ask()))
  t.match(error.apiMessage, /rate limit of 1,000 output tokens per minute/)
  t.ok(Number(error.headers?.get('retry-after')) > 40, 'what went over it is paid back first')
})

t.test('keys of one organisation share its limits; other organisations and other models have their own', async (t) => {
  const keys = { one: { organisation: 'a' }, two: { organisation: 'a' }, three: { organisation: 'b' } }
  const provider = await started(t, {
    keys,
    pools: [
      { models: OPUS, rpm: 1 },
      { models: ['claude-sonnet-4-6'], rpm: 1 },
    ],
  })
  await clientOf(provider, 'one').messages.create(ask())
  t.equal((await failure(clientOf(provider, 'two').messages.create(ask('x', { model: 'claude-opus-4-5' })))).status, 429)
  t.ok(await clientOf(provider, 'three').messages.create(ask()))
  t.ok(await clientOf(provider, 'two').messages.create(ask('x', { model: 'claude-sonnet-4-6' })))
  t.ok(await clientOf(provider, 'two').messages.create(ask('x', { model: 'claude-haiku-5-5' })), 'what no pool names has no limit')
})

t.test('no header tells of a limit of concurrency, or of a hidden rate', async (t) => {
  const provider = await started(t, { pools: [{ models: OPUS, rpm: 1000, concurrency: 2 }], latencyMs: 1500 })
  const at = async (count: number): Promise<number> => {
    const answers = await Promise.allSettled(Array.from({ length: count }, () => clientOf(provider).messages.create(ask())))
    return answers.filter(({ status }) => status === 'fulfilled').length
  }
  t.equal(await at(5), 2)
  t.equal(await at(2), 2, 'those that ended have made room')
  const refused = provider.seen.find(({ status }) => status === 429)
  t.equal(refused?.retryAfterS, undefined)
  provider.control.limit(MODEL, { concurrency: 1, hiddenRpm: 20, burst: 1 / 20, hiddenRetryAfter: true })
  provider.control.set({ latencyMs: 0 })
  t.equal(await at(1), 1)
  const error = await failure(clientOf(provider).messages.create(ask()))
  t.match(error, { status: 429, apiMessage: "This request would exceed your account's rate limit. Please try again later." })
  t.match(error.headers?.get('retry-after'), /^[123]$/, 'told where it is asked for')
  t.ok(!JSON.stringify([...(error.headers ?? [])]).includes('"20"'))
})

t.test('a part of requests is overloaded: as much as was said, for the same ones with the same seed', async (t) => {
  const outcome = async (provider: Provider): Promise<(number | undefined)[]> => {
    const client = clientOf(provider)
    for (let n = 0; n < 60; n++) await client.messages.create(ask()).catch((error: unknown) => error)
    return provider.seen.map(({ status }) => status)
  }
  const one = await outcome(await started(t, { overloadedRate: 0.5, seed: 7, pools: [{ models: OPUS, rpm: 1000 }] }))
  const count = one.filter((status) => status === 529).length
  t.ok(count > 15 && count < 45, String(count))
  t.same(await outcome(await started(t, { overloadedRate: 0.5, seed: 7 })), one)
  t.notSame(await outcome(await started(t, { overloadedRate: 0.5, seed: 8 })), one)
  const over = await started(t, { bursts: [{ fromMs: 0, toMs: 3_600_000, rate: 1 }] })
  t.equal((await failure(clientOf(over).messages.create(ask()))).status, 529)
  over.control.set({ bursts: [] })
  t.ok(await clientOf(over).messages.create(ask()))
})
