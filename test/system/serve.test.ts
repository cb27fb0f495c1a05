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

async function door(t: Test, answer: Serving['answer'], most = 100, patience = PATIENCE): Promise<() => Socket> {
  const folder = mkdtempSync(join(tmpdir(), 'penny-door-'))
  t.teardown(() => rmSync(folder, { recursive: true, force: true }))
  const path = `${folder}/door.sock`
  const served = await serveFor({ address: { path }, bounds: () => ({ mostUnknown: most, mostOfEach: most }), answer }, patience)
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

t.test('when a door is full, the connection goes that has been silent the longest, and none that showed whose it is', async (t) => {
  const come = await door(t, (_, res, isOf) => void res.writeHead(isOf('legal') ? 200 : 429).end(), 3, { ...PATIENCE, headersMs: 60_000, requestMs: 60_000 })
  const said = async (socket: Socket): Promise<string> => {
    socket.write(HELLO)
    const [answer] = await once(socket, 'data')
    return String(answer).split(' ')[1] ?? ''
  }
  const holder = come()
  t.equal(await said(holder), '200')
  const oldest = come()
  await once(oldest, 'connect')
  const crowd = Array.from({ length: 50 }, come)
  await Promise.all([oldest, ...crowd.slice(0, 47)].map((one) => once(one, 'close')))
  t.ok(crowd.slice(47).every(({ destroyed }) => !destroyed))
  t.equal(await said(holder), '200', 'it is where it was')
  const [second, third] = [come(), come()]
  t.same([await said(second), await said(third)], ['200', '200'], 'and others come in that show the same')
  const late = come()
  t.equal(await said(late), '429', 'as many as there may be of each')
  t.equal(await said(second), '200')
  second.destroy()
  await sleep(100)
  t.equal(await said(late), '200', 'one that ends leaves its place')
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
