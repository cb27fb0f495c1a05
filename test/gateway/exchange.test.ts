import { createHash } from 'node:crypto'
import { once } from 'node:events'
import { request } from 'node:http'
import { gzipSync } from 'node:zlib'
import t from 'tap'
import { house, MODEL } from './house.ts'

const PLACEHOLDER = { 'x-api-key': 'placeholder', authorization: 'Bearer placeholder', 'anthropic-version': '2023-06-01', 'content-type': 'application/json' }
const bodyOf = (more: object = {}): string => JSON.stringify({ model: MODEL, max_tokens: 100, messages: [{ role: 'user', content: 'Hello' }], ...more })
const ask = (url: string, body: string, more: Readonly<Record<string, string>> = {}, signal?: AbortSignal): Promise<Response> =>
  fetch(`${url}/v1/messages?beta=true`, { method: 'POST', headers: { ...PLACEHOLDER, ...more }, body, ...(signal ? { signal } : {}) })
/** fetch would tidy the path up. */
async function statusOf(url: string, method: string, path: string): Promise<number | undefined> {
  const { hostname, port } = new URL(url)
  const [answer] = await once(request({ host: hostname, port, method, path }).end(), 'response')
  answer.resume()
  return answer.statusCode
}
const until = async (what: string, is: () => boolean): Promise<void> => {
  for (let n = 0; !is(); n++) {
    if (n > 1_000) throw new Error(`never: ${what}`)
    await new Promise((resolve) => setTimeout(resolve, 10))
  }
}

t.test('bytes go through as they are, in both directions; the key is put in, the placeholder is not passed on', async (t) => {
  const { url, upstream, entries } = await house(t, { options: { keepBodies: true } })
  // Spaces, an unknown field, numbers that JSON.parse would round: nothing of it may change.
  const body = `{ "model" : "${MODEL}","max_tokens": 50, "messages":[{"role":"user","content":"H\\u0065llo"}], "x_unknown": 12345678901234567890.10 }`
  const answer = await ask(url, body, { 'anthropic-beta': 'a,b', 'anthropic-future': 'yes', 'x-penny-message': 'no' })
  t.equal(answer.status, 200)
  const [seen] = upstream.seen
  t.equal(seen?.sha256, createHash('sha256').update(body).digest('hex'))
  t.equal(seen?.path, '/v1/messages?beta=true')
  t.match(seen?.headers, { 'x-api-key': 'sk-ant-test', 'anthropic-beta': 'a,b', 'anthropic-future': 'yes', 'anthropic-version': '2023-06-01' })
  for (const name of ['authorization', 'x-penny-message', 'cookie']) t.notOk(seen?.headers[name], name)
  t.equal(answer.headers.get('request-id'), seen?.requestId)
  const { usage } = (await answer.json()) as { usage: { input_tokens: number; output_tokens: number } }
  await until('the entry', () => entries.length === 1)
  t.match(entries[0], { agent: 'legal', model: MODEL, status: 200, requestId: seen?.requestId, tries: 1, provider: 'main' })
  t.match(entries[0], { inputTokens: usage.input_tokens, outputTokens: usage.output_tokens })
})

t.test('a stream comes as it is, event by event', async (t) => {
  const { url, upstream, entries } = await house(t, { options: { tokensPerSecond: 200, outputTokens: 60 } })
  const direct = await fetch(`${upstream.url}/v1/messages`, {
    method: 'POST',
    headers: { ...PLACEHOLDER, 'x-api-key': 'sk-ant-test' },
    body: bodyOf({ stream: true }),
  })
  const plain = await direct.text()
  const answer = await ask(url, bodyOf({ stream: true }))
  t.match(answer.headers.get('content-type'), /^text\/event-stream/)
  let pieces = 0
  let text = ''
  for await (const piece of answer.body ?? []) {
    pieces++
    text += Buffer.from(piece as Uint8Array).toString()
  }
  t.ok(pieces > 3, `${pieces} pieces`)
  const shape = (events: string): string => events.replace(/msg_\w+/g, 'msg').replace(/"output_tokens":\d+/g, '')
  t.equal(shape(text).split('\n\n').length > 5, true)
  t.same(
    shape(text)
      .match(/^event: .*$/gm)
      ?.at(-1),
    shape(plain)
      .match(/^event: .*$/gm)
      ?.at(-1),
  )
  await until('the entry', () => entries.length === 1)
  t.ok((entries[0]?.outputTokens ?? 0) > 0)
})

t.test('what is not on the list is not passed on', async (t) => {
  const { url, upstream } = await house(t)
  for (const [method, path] of [
    ['GET', '/v1/messages'],
    ['POST', '/v1/complete'],
    ['POST', '/v1/messages/batches'],
    ['POST', '//evil.example/v1/messages'],
    ['POST', '/v1/../v1/messages'],
    ['POST', '/agents/legal/v1/files'],
    ['DELETE', '/v1/models'],
  ] as const)
    t.equal(await statusOf(url, method, path), 404, `${method} ${path}`)
  t.equal((await fetch(url, { method: 'HEAD' })).status, 200)
  t.same(upstream.seen, [])
  t.equal((await fetch(`${url}/agents/pmo/v1/models`, { headers: PLACEHOLDER })).status, 200)
  t.equal((await fetch(`${url}/v1/messages/count_tokens`, { method: 'POST', headers: PLACEHOLDER, body: bodyOf() })).status, 200)
  t.equal(upstream.seen.length, 2)
})

t.test('a 429 and a 529 are waited out: the agent sees neither', async (t) => {
  const { url, upstream, entries } = await house(t)
  upstream.control.next({ kind: 'error', status: 429, retryAfterS: 1 }, { kind: 'error', status: 529 })
  const answer = await ask(url, bodyOf())
  t.equal(answer.status, 200)
  await until('the entry', () => entries.length === 1)
  t.match(entries[0], { tries: 3, status: 200 })
  t.ok((entries[0]?.queueMs ?? 0) >= 950, 'as long as it was told to wait')
})

t.test('an overloaded provider that says so in its stream is asked again before anything was passed on, and never after', async (t) => {
  const { url, upstream } = await house(t)
  upstream.control.next({ kind: 'stream-error', type: 'overloaded_error', afterEvents: 1 })
  const first = await ask(url, bodyOf({ stream: true }))
  t.match(await first.text(), /event: message_stop/)
  t.equal(upstream.seen.length, 2)
  upstream.control.next({ kind: 'stream-error', type: 'overloaded_error', afterEvents: 4 })
  t.match(await (await ask(url, bodyOf({ stream: true }))).text(), /event: error/)
  t.equal(upstream.seen.length, 3)
})

t.test('what a request is refused for is passed on word for word, at once and once', async (t) => {
  const { url, upstream, told } = await house(t)
  for (const [status, type] of [
    [400, 'invalid_request_error'],
    [403, 'permission_error'],
    [500, 'api_error'],
  ] as const) {
    upstream.control.next({ kind: 'error', status, type, message: `as ${status}` })
    const answer = await ask(url, bodyOf())
    t.equal(answer.status, status)
    t.match(await answer.json(), { type: 'error', error: { type, message: `as ${status}` } })
  }
  t.equal(upstream.seen.length, 3)
  upstream.control.spend('sk-ant-test', 'tier')
  const spent = await ask(url, bodyOf())
  t.not(spent.status, 200)
  t.equal(upstream.seen.length, 4)
  t.same(told, ['main forbidden', 'main spend-cap'])
})

t.test('a client that goes away ends the call upstream', async (t) => {
  const { url, upstream, entries } = await house(t)
  upstream.control.next({ kind: 'hang' })
  const going = new AbortController()
  const asked = ask(url, bodyOf(), {}, going.signal)
  await until('it is sent', () => upstream.seen.length === 1)
  going.abort()
  await t.rejects(asked)
  await until('it is ended', () => upstream.seen[0]?.end === 'left')
  await until('the entry', () => entries.length === 1)
  t.match(entries[0], { status: 499 })
})

t.test('without its key a request is held, and goes on when the key is back; held too long it is told to come again', async (t) => {
  const { url, upstream, keys } = await house(t)
  keys.delete('main')
  const asked = ask(url, bodyOf())
  await new Promise((resolve) => setTimeout(resolve, 100))
  t.equal(upstream.seen.length, 0)
  keys.set('main', 'sk-ant-test')
  t.equal((await asked).status, 200)
  const short = await house(t, { caller: { holdMs: 200 } })
  short.keys.clear()
  const held = await ask(short.url, bodyOf())
  t.equal(held.status, 429)
  t.equal(held.headers.get('retry-after'), '1')
  t.match(await held.json(), { type: 'error', error: { type: 'rate_limit_error' } })
})

t.test('another provider stands in where the first has no room for anybody, and is asked for the model by its own name', async (t) => {
  const other = await house(t, { options: { keys: { 'sk-ant-test': {} } } })
  const { url, upstream, entries } = await house(t, {
    options: { overloadedRate: 1 },
    providers: (at) => [
      { name: 'main', baseUrl: at, fallback: ['second'] },
      { name: 'second', baseUrl: other.upstream.url, models: new Map([[MODEL, 'claude-sonnet-4-6']]) },
    ],
  })
  const body = bodyOf()
  const answer = await ask(url, body)
  t.equal(answer.status, 200)
  t.ok(upstream.seen.every(({ status }) => status === 529))
  t.match(await answer.json(), { model: 'claude-sonnet-4-6' })
  t.equal(other.upstream.seen[0]?.sha256, createHash('sha256').update(body.replace(MODEL, 'claude-sonnet-4-6')).digest('hex'))
  await until('the entry', () => entries.length === 1)
  const { usd = 0, inputTokens = 0, cacheWriteTokens = 0, outputTokens = 0 } = entries[0] ?? {}
  t.equal(cacheWriteTokens, 0)
  t.ok(Math.abs(usd - (3 * inputTokens + 15 * outputTokens) / 1e6) < 1e-9, 'at the price of what answered')
})

t.test('a provider that does not answer at all is waited for', async (t) => {
  const { url, upstream } = await house(t)
  upstream.control.next({ kind: 'cut' }, { kind: 'cut' })
  t.equal((await ask(url, bodyOf())).status, 200)
  t.equal(upstream.seen.length, 3)
})

t.test('thirty agents at once stay within the limit that the provider tells, and none sees a refusal', async (t) => {
  const { url, upstream, entries } = await house(t, { options: { pools: [{ models: ['*'], rpm: 1200, burst: 0.01 }], latencyMs: 20 } })
  const answers = await Promise.all(
    Array.from({ length: 30 }, (_, n) => fetch(`${url}/agents/agent-${n}/v1/messages`, { method: 'POST', headers: PLACEHOLDER, body: bodyOf() })),
  )
  t.ok(answers.every(({ status }) => status === 200))
  t.ok(
    upstream.seen.every(({ early }) => early === undefined),
    'nothing was sent while told to wait',
  )
  await until('the entries', () => entries.length === 30)
  t.equal(new Set(entries.map(({ agent }) => agent)).size, 30)
})

t.test('the context of a session is metered by what the provider counts, and told at 80 % of the window of the agent', async (t) => {
  const { url, entries, contexts, gateway } = await house(t, { contextWindow: 1_000 })
  const session = { 'x-claude-code-session-id': 'b9f1c5d8-0000-4000-8000-000000000000' }
  await (await ask(url, bodyOf({ messages: [{ role: 'user', content: 'word '.repeat(4_000) }] }), session)).text()
  await until('the entry', () => entries.length === 1)
  t.match(contexts, [{ passed: [70, 80], isNew: false, gauge: { agent: 'legal', session: session['x-claude-code-session-id'], windowTokens: 1_000 } }])
  const [entry] = entries
  t.match(gateway.gauges(), [
    { usedTokens: (entry?.inputTokens ?? 0) + (entry?.cacheReadTokens ?? 0) + (entry?.cacheWriteTokens ?? 0) + (entry?.outputTokens ?? 0) },
  ])
  const compact = bodyOf({ messages: [{ role: 'user', content: 'Your task is to create a detailed summary of the conversation so far.' }] })
  await (await ask(url, compact, session)).text()
  await until('the entry', () => entries.length === 2)
  t.match(contexts[1], { isNew: true, gauge: { usedTokens: 0 } })
})

t.test('whoever leaves just before the output is told has used it all the same', async (t) => {
  const { url, entries } = await house(t, { options: { tokensPerSecond: 2_000, outputTokens: 4_000 } })
  const { hostname, port } = new URL(url)
  const asked = request({ host: hostname, port, method: 'POST', path: '/v1/messages', headers: PLACEHOLDER })
  asked.on('error', () => undefined)
  const [answer] = await once(asked.end(bodyOf({ stream: true, max_tokens: 10_000 })), 'response')
  answer.on('error', () => undefined)
  let read = 0
  await new Promise<void>((resolve) => {
    answer.on('data', (piece: Buffer) => {
      read += piece.toString().match(/text_delta/g)?.length ?? 0
      if (read < 50) return
      asked.destroy()
      resolve()
    })
  })
  await until('the entry', () => entries.length === 1)
  t.ok((entries[0]?.outputTokens ?? 0) >= 50, `${entries[0]?.outputTokens} tokens of ${read} pieces`)
})

t.test('what hides its model from the gateway, and perhaps not from a provider, is not passed on', async (t) => {
  const { url, upstream, entries } = await house(t)
  const text = bodyOf()
  const send = async (body: Buffer, more = {}): Promise<number> =>
    (await fetch(`${url}/v1/messages`, { method: 'POST', headers: { ...PLACEHOLDER, ...more }, body })).status
  t.equal(await send(gzipSync(text), { 'content-encoding': 'gzip' }), 400)
  t.equal(await send(Buffer.from(`\ufeff${text}`)), 400)
  t.equal(await send(Buffer.from(text, 'utf16le')), 400)
  t.equal(await send(Buffer.from(text, 'utf16le').swap16()), 400)
  t.equal(await send(Buffer.from(`{"stream":false${',"stream":false'.repeat(1_000)},${text.slice(1)}`)), 400)
  t.equal(upstream.seen.length, 0)
  t.equal(await send(Buffer.from(text), { 'content-encoding': 'identity' }), 200)
  t.same(
    entries.map(({ status }) => status),
    [400, 400, 400, 400, 400, 200],
  )
})

t.test("no spelling of a header puts another key beside the provider's", async (t) => {
  const { url, upstream } = await house(t)
  t.equal((await ask(url, bodyOf(), { x_api_key: 'evil', X_Forwarded_For: '1.2.3.4', 'X-Api_Key': 'evil' })).status, 200)
  t.same(
    Object.keys(upstream.seen[0]?.headers ?? {}).filter((name) => /_|forwarded/.test(name)),
    [],
  )
})

t.test('rooms are those lines in which a run will stand, and not what a client makes up', async (t) => {
  const { url, gateway, entries } = await house(t, { options: { pools: [{ models: [MODEL], rpm: 100 }] } })
  await ask(url, bodyOf())
  await ask(url, bodyOf({ model: 'no-such-model' }))
  await fetch(`${url}/v1/models`, { headers: PLACEHOLDER })
  await fetch(`${url}/v1/messages/count_tokens`, { method: 'POST', headers: PLACEHOLDER, body: bodyOf() })
  await until('the entries', () => entries.length === 3)
  t.ok(gateway.report().length >= 4)
  t.same(
    gateway.rooms().map(({ pool }) => pool),
    ['claude-opus-4'],
  )
})
