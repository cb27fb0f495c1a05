/** What bounds a way in, whoever is at it. */
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { connect, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Test } from 'tap'
import t from 'tap'
import { type Serving, serveFor } from '../../src/system/serve.ts'

const PATIENCE = { headersMs: 200, requestMs: 400, restMs: 200, lookMs: 50 }
const ASK = 'POST /v1/messages HTTP/1.1\r\nhost: x\r\ncontent-length: 2\r\n\r\n{}'
const HELLO = 'HEAD / HTTP/1.1\r\nhost: x\r\n\r\n'

async function door(t: Test, answer: Serving['answer'], mostConnections = 100, patience = PATIENCE): Promise<() => Socket> {
  const folder = mkdtempSync(join(tmpdir(), 'penny-door-'))
  t.teardown(() => rmSync(folder, { recursive: true, force: true }))
  const path = `${folder}/door.sock`
  const served = await serveFor({ address: { path }, mostConnections, answer }, patience)
  t.teardown(() => served.close('now'))
  return () => {
    const socket = connect(path)
    socket.on('error', () => undefined)
    t.teardown(() => socket.destroy())
    return socket.resume()
  }
}

t.test('a connection has one request at a time, so that connections bound what is held', async (t) => {
  let held = 0
  const come = await door(t, () => void held++)
  const greedy = come()
  greedy.write(ASK.repeat(1_000))
  await once(greedy, 'close')
  t.equal(held, 1)
})

t.test('one after the other it has as many as it likes, also where a body was not waited for', async (t) => {
  let answered = 0
  const come = await door(t, (_, res) => {
    answered++
    res.writeHead(404, { 'content-length': 0 }).end()
  })
  const client = come()
  let heard = 0
  client.on('data', (chunk) => {
    heard += chunk.toString().match(/HTTP\/1\.1 404/g)?.length ?? 0
    if (heard < 200) client.write(ASK)
    else client.end()
  })
  client.write(ASK)
  await once(client, 'close')
  t.equal(answered, 200)
})

t.test('no more connections than there may be; one that ends leaves its place', async (t) => {
  const come = await door(t, (_, res) => void res.end(), 3, { ...PATIENCE, headersMs: 60_000, requestMs: 60_000 })
  const here = [come(), come(), come()]
  await Promise.all(here.map((one) => once(one, 'connect')))
  await once(come(), 'close')
  t.ok(here.every(({ destroyed }) => !destroyed))
  here[0]?.destroy()
  await sleep(100)
  const next = come()
  next.write(HELLO)
  const [answer] = await once(next, 'data')
  t.match(String(answer), /^HTTP\/1\.1 200/)
})

t.test('whoever says nothing, a header without an end, or a body drop by drop, is sent away; whoever waits for an answer is not', async (t) => {
  let waiting = 0
  const come = await door(t, () => void waiting++)
  const patient = come()
  patient.write(ASK)
  const slow = come()
  slow.write('POST /v1/messages HTTP/1.1\r\nhost: x\r\ncontent-length: 1000\r\n\r\n')
  const dripping = setInterval(() => slow.write('x'), 20)
  t.teardown(() => clearInterval(dripping))
  const silent = come()
  const endless = come()
  endless.write('POST /v1/messages HTTP/1.1\r\nx: ')
  await Promise.all([slow, silent, endless].map((one) => once(one, 'close')))
  await sleep(PATIENCE.requestMs)
  t.notOk(patient.destroyed)
  t.equal(waiting, 2)
})

t.test('headers larger than any client has are refused, and so are two lengths', async (t) => {
  const come = await door(t, (_, res) => void res.end())
  const refused = async (text: string): Promise<string> => {
    const one = come()
    one.write(text)
    const [answer] = await once(one, 'data')
    return String(answer).split('\r\n')[0] ?? ''
  }
  t.match(await refused(`${HELLO.slice(0, -2)}x: ${'y'.repeat(100_000)}\r\n\r\n`), / 431 /)
  t.match(await refused(ASK.replace('content-length: 2', 'content-length: 2\r\ncontent-length: 3')), / 400 /)
  t.match(await refused(ASK.replace('content-length: 2', 'content-length: 2\r\ntransfer-encoding: chunked')), / 400 /)
})
