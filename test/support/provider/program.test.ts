import { spawn } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { request } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import Anthropic from '@anthropic-ai/sdk'
import t, { type Test } from 'tap'
import { ask, failure } from './client.ts'
import { KEY } from './provider.ts'

type Line = Readonly<Record<string, unknown>>

/** The program beside this test, however both are compiled. */
async function run(t: Test, ...words: string[]): Promise<{ next: () => Promise<Line>; tell: (order: object) => void }> {
  const main = (process.argv[1] ?? '').replace('program.test', 'main')
  const child = spawn(process.execPath, [...process.execArgv, main, ...words], { stdio: ['pipe', 'pipe', 'inherit'] })
  const ended = new Promise((resolve) => child.once('close', resolve))
  t.teardown(async () => {
    child.kill()
    await ended
  })
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]()
  return {
    next: async () => JSON.parse(String((await lines.next()).value)) as Line,
    tell: (order) => child.stdin.write(`${JSON.stringify(order)}\n`),
  }
}

t.test('as a program it answers, follows a script, and takes control from its standard input', async (t) => {
  const script = join(t.testdir({}), 'script.mjs')
  writeFileSync(script, `export default ({ n }) => ({ kind: 'answer', content: 'answer ' + n })`)
  const program = await run(t, '--script', script, '--options', JSON.stringify({ seed: 3, pools: [{ models: ['claude-*'], rpm: 100 }] }), '--log')
  const { url } = await program.next()
  const client = new Anthropic({ apiKey: KEY, authToken: null, baseURL: String(url), maxRetries: 0 })
  const { data, response } = await client.messages.create(ask()).withResponse()
  t.match(data.content, [{ text: 'answer 0' }])
  t.equal(response.headers.get('anthropic-ratelimit-requests-limit'), '100')
  t.match(await program.next(), { seen: { n: 0, status: 200, key: KEY, end: 'whole', usage: { outputTokens: Number } } })

  program.tell({ set: { overloadedRate: 1 } })
  t.same(await program.next(), { done: 'set' })
  t.equal((await failure(client.messages.create(ask()))).status, 529)
  t.match(await program.next(), { seen: { status: 529, type: 'overloaded_error' } })
  program.tell({ nonsense: 1 })
  t.same(await program.next(), { wrong: 'there is no nonsense' })
  program.tell({ set: { overloadedRate: 0 } })
  program.tell({ next: [{ kind: 'answer', content: 'once' }] })
  t.same([await program.next(), await program.next()], [{ done: 'set' }, { done: 'next' }])
  t.match((await client.messages.create(ask())).content, [{ text: 'once' }])
  await program.next()
  program.tell({ seen: true })
  t.match(await program.next(), { seen: [{ status: 200 }, { status: 529 }, { status: 200 }] })
})

t.test('it answers on a unix socket as well', async (t) => {
  // sun_path of unix(7) has room for 107 bytes: a folder of the test's own may be longer.
  const folder = mkdtempSync(join(tmpdir(), 'penny-provider-'))
  t.teardown(() => rmSync(folder, { recursive: true }))
  const socketPath = join(folder, 's')
  const program = await run(t, '--socket', socketPath)
  t.match(await program.next(), { url: 'http://localhost', port: 0 })
  const status = await new Promise((resolve, reject) => {
    const headers = { 'x-api-key': KEY, 'anthropic-version': '2023-06-01' }
    const req = request({ socketPath, path: '/v1/messages?beta=true', method: 'POST', headers }, (res) => resolve(res.resume().statusCode))
    req.on('error', reject)
    req.end(JSON.stringify(ask()))
  })
  t.equal(status, 200)
})
