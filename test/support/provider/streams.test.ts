import Anthropic from '@anthropic-ai/sdk'
import t from 'tap'
import { createStreamReader, readUsage } from '../../../src/model/index.ts'
import { ask, clientOf, failure, MODEL, started } from './client.ts'
import type { Block } from './provider.ts'

const CONTENT: Block[] = [
  { type: 'thinking', thinking: 'what is in the mail?' },
  { type: 'text', text: 'Ein Gruß 😀 — then two\nlines.' },
  { type: 'tool_use', name: 'read', input: { path: 'new/1.md', deep: { list: [1, 'ü', null] } } },
]

t.test('a stream tells the same message as an answer that comes whole', async (t) => {
  const provider = await started(t)
  const client = clientOf(provider)
  provider.control.script(() => ({ kind: 'answer', content: CONTENT, outputTokens: 77 }))
  const whole = await client.messages.create(ask())
  const stream = client.messages.stream(ask())
  const names: string[] = []
  stream.on('streamEvent', ({ type }) => names.push(type))
  const streamed = await stream.finalMessage()
  const bare = ({ content, stop_reason, usage, model, role }: Anthropic.Message): object => ({
    content: content.map((block) => ({ ...block, id: '', citations: null })),
    stop_reason,
    tokens: [usage.input_tokens, usage.output_tokens],
    model,
    role,
  })
  t.same(bare(streamed), bare(whole))
  t.match(whole, { stop_reason: 'tool_use', model: MODEL, usage: { output_tokens: 77 } })
  t.match(whole.content[2], { type: 'tool_use', name: 'read', input: { deep: { list: [1, 'ü', null] } } })
  t.same([names[0], ...names.slice(-2)], ['message_start', 'message_delta', 'message_stop'])
})

t.test('what is read beside the bytes of an answer is what the official client counts', async (t) => {
  const provider = await started(t, { outputTokens: 300 })
  const client = clientOf(provider)
  const iterations = [
    { type: 'compaction', input_tokens: 900, output_tokens: 50 },
    { type: 'message', input_tokens: 40, output_tokens: 300 },
  ]
  provider.control.next({ kind: 'answer', inputTokens: 40 }, { kind: 'answer', inputTokens: 40, iterations }, { kind: 'answer', inputTokens: 40, iterations })
  for (const compacted of [false, true]) {
    const reader = createStreamReader()
    const response = await client.messages.create({ ...ask(), stream: true }).asResponse()
    for await (const chunk of response.body ?? []) reader.push(chunk as Uint8Array)
    t.match(reader.state(), { model: MODEL, begun: true, finished: true, stopReason: 'end_turn' })
    t.match(reader.state().usage, { inputTokens: compacted ? 940 : 40, outputTokens: compacted ? 350 : 300, contextTokens: 340, compacted })
  }
  const body = Buffer.from(await (await client.messages.create(ask()).asResponse()).arrayBuffer())
  t.match(readUsage(body), { inputTokens: 940, outputTokens: 350, contextTokens: 340, compacted: true })
})

t.test('max_tokens ends an answer that nobody scripted', async (t) => {
  const provider = await started(t, { outputTokens: 500 })
  const answer = await clientOf(provider).messages.create(ask('x', { max_tokens: 20 }))
  t.match(answer, { stop_reason: 'max_tokens', usage: { output_tokens: 20 } })
})

t.test('a script drives a loop of tools', async (t) => {
  const provider = await started(t)
  const client = clientOf(provider)
  provider.control.script(({ n, body }) => {
    const { content } = (body['messages'] as Anthropic.MessageParam[]).at(-1) ?? {}
    if (n < 2) return { kind: 'answer', content: [{ type: 'tool_use', name: 'add', input: { n } }] }
    return { kind: 'answer', content: `seen: ${JSON.stringify(content)}` }
  })
  const messages: Anthropic.MessageParam[] = [{ role: 'user', content: 'count' }]
  const tools: Anthropic.Tool[] = [{ name: 'add', input_schema: { type: 'object' } }]
  let last: Anthropic.Message
  do {
    last = await client.messages.stream({ ...ask(), messages, tools }).finalMessage()
    messages.push({ role: 'assistant', content: last.content })
    const used = last.content.filter((block) => block.type === 'tool_use')
    messages.push({ role: 'user', content: used.map(({ id, input }) => ({ type: 'tool_result', tool_use_id: id, content: JSON.stringify(input) })) })
  } while (last.stop_reason === 'tool_use')
  t.equal(provider.seen.length, 3)
  t.match(last.content[0], { type: 'text', text: /^seen: .*\{\\"n\\":1\}/ })
})

t.test('an answer takes the time that it is told to take', async (t) => {
  const provider = await started(t, { latencyMs: [100, 120], tokensPerSecond: 500, outputTokens: 100 })
  const stamps: number[] = []
  const from = performance.now()
  for await (const event of await clientOf(provider).messages.create({ ...ask(), stream: true }))
    if (event.type === 'content_block_delta') stamps.push(performance.now() - from)
  t.ok(stamps.length >= 4, 'in pieces')
  t.ok((stamps[0] ?? 0) >= 98, 'the first not before the latency is over')
  t.ok((stamps.at(-1) ?? 0) >= 290, 'the last when all is produced')
  const whole = performance.now()
  await clientOf(provider).messages.create(ask())
  t.ok(performance.now() - whole >= 290)
})

t.test('an error can come after a 200', async (t) => {
  const provider = await started(t)
  for (const afterEvents of [0, 1, 4]) {
    provider.control.next({ kind: 'stream-error', afterEvents })
    const error = await failure(clientOf(provider).messages.stream(ask()).finalMessage())
    t.type(error, Anthropic.APIError)
    t.match(error, { status: undefined, type: 'overloaded_error', error: { type: 'error', error: { message: 'Overloaded' }, request_id: /^req_/ } })
  }
  t.same(
    provider.seen.map(({ status, type, end }) => [status, type, end]),
    Array.from({ length: 3 }, () => [200, 'overloaded_error', 'whole']),
  )
})

t.test('a connection breaks before the answer, within a stream, within a body', async (t) => {
  const provider = await started(t, { outputTokens: 200 })
  const client = clientOf(provider)
  provider.control.next({ kind: 'cut' })
  t.type(await failure(client.messages.create(ask())), Anthropic.APIConnectionError)
  provider.control.next({ kind: 'cut', afterEvents: 5 })
  const stream = client.messages.stream(ask())
  let text = ''
  stream.on('text', (piece) => {
    text += piece
  })
  await t.rejects(stream.finalMessage())
  t.ok(text.length > 0, 'some of it had come')
  provider.control.next({ kind: 'cut', afterEvents: 1 })
  await t.rejects(client.messages.create(ask()))
  t.same(
    provider.seen.map(({ end }) => end),
    ['cut', 'cut', 'cut'],
  )
  t.ok(await client.messages.create(ask()), 'and the next is answered')
})

t.test('silence lasts until the client goes, and that is seen', async (t) => {
  const provider = await started(t, { pools: [{ models: ['claude-*'], concurrency: 1 }] })
  const client = clientOf(provider)
  for (const afterEvents of [undefined, 1, 5]) {
    provider.control.next({ kind: 'hang', ...(afterEvents === undefined ? {} : { afterEvents }) })
    const stream = client.messages.stream(ask(), { timeout: afterEvents === undefined ? 300 : 10_000 })
    const events: string[] = []
    stream.on('streamEvent', ({ type }) => {
      events.push(type)
      if (events.length + 1 >= (afterEvents ?? 0)) setTimeout(() => stream.abort(), 50)
    })
    await t.rejects(stream.finalMessage())
    while (provider.seen.at(-1)?.end === undefined) await new Promise((resolve) => setTimeout(resolve, 10))
  }
  t.same(
    provider.seen.map(({ end, status }) => [end, status]),
    [
      ['left', undefined],
      ['left', 200],
      ['left', 200],
    ],
  )
  t.ok(await client.messages.create(ask()), 'it has made room')
})

t.test('the official client tries again by itself what is worth it', async (t) => {
  const provider = await started(t)
  const client = clientOf(provider, undefined, 2)
  provider.control.next({ kind: 'error', status: 529 }, { kind: 'cut' })
  t.ok(await client.messages.create(ask()))
  t.same(
    provider.seen.map(({ status }) => status),
    [529, undefined, 200],
  )
  provider.control.next({ kind: 'error', status: 400 })
  t.equal((await failure(client.messages.create(ask()))).status, 400)
  t.equal(provider.seen.length, 4, 'once')
})
