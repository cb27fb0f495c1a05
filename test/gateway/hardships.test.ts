import { once } from 'node:events'
import { createServer, request, type Server } from 'node:http'
import { type AddressInfo, createServer as createNetServer } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Test } from 'tap'
import t from 'tap'
import { realClock } from '../../src/system/clock.ts'
import type { Clock } from '../../src/system/types.ts'
import { type House, house, MODEL } from './house.ts'

const HEADERS = { 'x-api-key': 'placeholder', 'anthropic-version': '2023-06-01', 'content-type': 'application/json' }
const bodyOf = (more: object = {}): string => JSON.stringify({ model: MODEL, max_tokens: 100, messages: [{ role: 'user', content: 'Hello' }], ...more })
const ask = (url: string, body = bodyOf(), signal?: AbortSignal): Promise<Response> =>
  fetch(`${url}/v1/messages`, { method: 'POST', headers: HEADERS, body, ...(signal ? { signal } : {}) })
/** Ten times as fast as it says. */
const FAST: Clock = { ...realClock, after: (ms, call) => realClock.after(ms / 10, call) }

async function until(what: string, is: () => boolean | Promise<boolean>): Promise<void> {
  for (let n = 0; !(await is()); n++) {
    if (n > 1_000) throw new Error(`never: ${what}`)
    await sleep(10)
  }
}
const isIdle = ({ gateway }: House): boolean => gateway.report().every(({ report }) => report.inFlight === 0 && report.waiting === 0)

t.test('a stream that begins with nothing but silence reaches its client all the same', async (t) => {
  const it = await house(t, { clock: FAST })
  it.upstream.control.next({ kind: 'hang', afterEvents: 1 })
  const going = new AbortController()
  const answer = await ask(it.url, bodyOf({ stream: true }), going.signal)
  t.equal(answer.status, 200)
  const first = await answer.body?.getReader().read()
  t.match(Buffer.from(first?.value ?? []).toString(), /^event: message_start/)
  going.abort()
  await until('nothing of it is left', () => isIdle(it) && it.entries.length === 1)
})

t.test('a client that reads slowly gets all of it, and leaves nothing behind; one that stops and goes ends it', async (t) => {
  const it = await house(t, { options: { outputTokens: 400_000 } })
  const warnings: string[] = []
  const warn = ({ name }: Error): void => void warnings.push(name)
  process.on('warning', warn)
  t.teardown(() => process.off('warning', warn))
  const { port } = new URL(it.url)
  const open = async () => {
    const asked = request({ host: '127.0.0.1', port, method: 'POST', path: '/v1/messages', headers: HEADERS })
    asked.on('error', () => undefined)
    const [answer] = await once(asked.end(bodyOf({ stream: true, max_tokens: 2_000_000 })), 'response')
    return { asked, answer }
  }
  const slow = await open()
  let bytes = 0
  let tail = ''
  for await (const piece of slow.answer as AsyncIterable<Buffer>) {
    bytes += piece.length
    tail = (tail + piece.toString()).slice(-200)
    if (bytes % 7 === 0) await sleep(1)
  }
  t.match(tail, /event: message_stop/)
  await until('the entry', () => it.entries.length === 1)
  t.equal(it.entries[0]?.outputTokens, 400_000)
  t.same(warnings, [], 'no listener was added for each pause')

  // More than fits between them.
  it.upstream.control.next({ kind: 'answer', outputTokens: 2_000_000 })
  const stopped = await open()
  stopped.answer.on('error', () => undefined)
  await once(stopped.answer, 'readable')
  await sleep(200)
  t.notOk(it.upstream.seen[1]?.end, 'it is not read on')
  stopped.asked.destroy()
  await until('nothing of it is left', () => isIdle(it) && it.entries.length === 2)
  await until('the call upstream is ended', () => it.upstream.seen[1]?.end !== undefined)
})

t.test('who leaves an answer that is no stream before its end, where usage stands, has used what came', async (t) => {
  const it = await house(t)
  it.upstream.control.next({ kind: 'answer', outputTokens: 2_000_000 }, { kind: 'cut', afterEvents: 1, outputTokens: 2_000 })
  const { port } = new URL(it.url)
  const asked = request({ host: '127.0.0.1', port, method: 'POST', path: '/v1/messages', headers: HEADERS })
  asked.on('error', () => undefined)
  const [answer] = await once(asked.end(bodyOf({ max_tokens: 2_000_000 })), 'response')
  answer.on('error', () => undefined)
  for (let bytes = 0; bytes < 350_000; bytes += answer.read()?.length ?? 0) await sleep(1)
  asked.destroy()
  await until('the entry', () => it.entries.length === 1)
  const [entry] = it.entries
  t.ok((entry?.outputTokens ?? 0) >= 100_000, `${entry?.outputTokens} tokens of output`)
  t.ok((entry?.inputTokens ?? 0) > 0 && (entry?.usd ?? 0) > 1, `${entry?.inputTokens} of input, USD ${entry?.usd}`)
  await ask(it.url, bodyOf({ max_tokens: 10_000 })).then((cut) => cut.text().catch(() => undefined))
  await until('another', () => it.entries.length === 2)
  t.match(it.entries[1], { status: 200 })
  t.ok((it.entries[1]?.outputTokens ?? 0) > 500, 'a provider that breaks off has been heard that far')
  t.ok(isIdle(it))
})

t.test('the key that is sent is the one that is there when it is sent', async (t) => {
  const it = await house(t, { options: { pools: [{ models: ['*'], rpm: 120, burst: 0.001 }] } })
  t.equal((await ask(it.url)).status, 200)
  const waiting = ask(it.url)
  await sleep(100)
  it.upstream.control.addKey('sk-ant-new')
  it.upstream.control.removeKey('sk-ant-test')
  it.keys.set('main', 'sk-ant-new')
  t.equal((await waiting).status, 200)
  const gone = ask(it.url)
  await sleep(100)
  it.keys.delete('main')
  await sleep(900)
  t.equal(it.upstream.seen.length, 2, 'without a key nothing is sent')
  t.equal(it.gateway.report()[0]?.report.inFlight, 0)
  it.keys.set('main', 'sk-ant-new')
  t.equal((await gone).status, 200)
  t.same(it.upstream.seen.map(({ key }) => key), ['sk-ant-test', 'sk-ant-new', 'sk-ant-new']) // biome-ignore format: one row
})

t.test('a refusal that comes when the request has been held long enough is told in our words, its place kept', async (t) => {
  const it = await house(t, { caller: { holdMs: 200 } })
  it.upstream.control.script(async () => {
    await sleep(400)
    return { kind: 'error', status: 429, retryAfterS: 7 }
  })
  const answer = await ask(it.url)
  t.equal(answer.status, 429)
  t.equal(answer.headers.get('retry-after'), '1')
  t.match(await answer.json(), { error: { type: 'rate_limit_error', message: /its place in the line is kept/ } })
  t.ok(isIdle(it))
})

t.test('a provider that had no room is asked again once it may have some, though another stands in for it', async (t) => {
  const other = await house(t)
  const it = await house(t, {
    options: { overloadedRate: 1 },
    providers: (at) => [
      { name: 'main', baseUrl: at, fallback: ['second'] },
      { name: 'second', baseUrl: other.upstream.url },
    ],
  })
  t.equal((await ask(it.url)).status, 200)
  t.equal(other.upstream.seen.length, 1)
  it.upstream.control.set({ overloadedRate: 0 })
  await until('the first is asked again', async () => {
    t.equal((await ask(it.url)).status, 200)
    return it.upstream.seen.some(({ status }) => status === 200)
  })
})

t.test('a request that is too long is told so, although it is still being written', async (t) => {
  const it = await house(t)
  const answer = await ask(it.url, bodyOf({ metadata: { user_id: 'x'.repeat(33 * 1024 ** 2) } }))
  t.equal(answer.status, 413)
  t.match(await answer.json(), { error: { type: 'request_too_large' } })
  t.same(it.upstream.seen, [])
  t.match(it.entries, [{ agent: 'legal', status: 413, tries: 0, inputTokens: 0 }], 'and is in the ledger, as whatever an agent was answered')
})

async function serverOf(t: Test, take: Parameters<typeof createServer>[1]): Promise<string> {
  const server: Server = createServer(take as never)
  await once(server.listen(0, '127.0.0.1'), 'listening')
  t.teardown(() => {
    server.closeAllConnections()
    server.close()
  })
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`
}

t.test('an error that is cut off is no answer', async (t) => {
  let asked = 0
  const url = await serverOf(t, (req, res) => {
    req.resume()
    if (asked++ > 0) return void res.writeHead(200, { 'content-type': 'application/json' }).end('{}')
    res.writeHead(400, { 'content-length': 100 })
    res.write('{"type":"error"', () => res.destroy())
  })
  const it = await house(t, { providers: () => [{ baseUrl: url }] })
  const answer = await ask(it.url)
  t.equal(answer.status, 200)
  t.equal(await answer.text(), '{}')
  t.equal(asked, 2)
})

t.test('a request that the provider breaks off at, while it answers others, is told so, and holds nobody up for long', async (t) => {
  const it = await house(t)
  it.upstream.control.script(({ body }) => (JSON.stringify(body).includes('poison') ? { kind: 'cut' } : undefined))
  let isOver = false
  const bad = ask(it.url, bodyOf({ metadata: { user_id: 'poison' } })).finally(() => {
    isOver = true
  })
  while (!isOver) t.equal((await ask(it.url)).status, 200)
  const answer = await bad
  t.equal(answer.status, 502)
  t.match(await answer.json(), { type: 'error', error: { type: 'api_error' } })
  await until('nothing of it is left', () => isIdle(it))
  const sent = it.upstream.seen.length
  t.equal((await ask(it.url)).status, 200)
  t.equal(it.upstream.seen.length, sent + 1, 'it is sent no more')
})

t.test('a key that comes, and a provider that trips, are seen at once', async (t) => {
  // A look each second would come after the end of the test.
  const clock: Clock = { ...realClock, after: (ms, call) => realClock.after(ms === 1_000 ? 3_600_000 : ms, call) }
  const it = await house(t, { clock, providers: () => [{ name: 'main', fallback: ['second'] }, { name: 'second' }] })
  it.keys.clear()
  const held = ask(it.url)
  await sleep(50)
  it.keys.set('main', 'sk-ant-test')
  it.gateway.wake()
  t.equal((await held).status, 200)
  it.keys.set('second', 'second')
  it.upstream.control.addKey('second')
  it.upstream.control.script(({ key }) => (key === 'second' ? undefined : { kind: 'error', status: 529 }))
  for (const { status } of await Promise.all(Array.from({ length: 10 }, () => ask(it.url)))) t.equal(status, 200)
})

t.test('a client that does not read at all keeps its place at the provider for so long, and no longer', async (t) => {
  const it = await house(t, {
    options: { outputTokens: 2_000_000 },
    clock: { ...realClock, after: (ms, call) => realClock.after(ms / 100, call) },
    caller: { holdMs: 10_000_000 },
  })
  const { port } = new URL(it.url)
  const asked = request({ host: '127.0.0.1', port, method: 'POST', path: '/v1/messages', headers: HEADERS })
  asked.on('error', () => undefined)
  const [answer] = await once(asked.end(bodyOf({ stream: true, max_tokens: 4_000_000 })), 'response')
  answer.on('error', () => undefined)
  await until('it is cut off', () => isIdle(it) && it.entries.length === 1)
  t.ok((it.entries[0]?.outputTokens ?? 0) > 100)
  await until('and the call upstream is ended', () => it.upstream.seen[0]?.end !== undefined)
})

t.test('a status that is none of HTTP is as a connection that broke off', async (t) => {
  let asked = 0
  const odd = createNetServer((socket) => {
    socket.on('error', () => undefined)
    socket.once('data', () => socket.end(`HTTP/1.1 ${asked++ === 0 ? '007' : '099'} X\r\ncontent-length: 0\r\n\r\n`))
  })
  await new Promise<void>((resolve) => void odd.listen(0, '127.0.0.1', resolve))
  t.teardown(() => void odd.close())
  const { port } = odd.address() as AddressInfo
  const it = await house(t, { providers: () => [{ baseUrl: `http://127.0.0.1:${port}` }], caller: { holdMs: 1_000 } })
  t.equal((await ask(it.url)).status, 429)
  t.ok(asked > 1, 'it is tried again')
})
