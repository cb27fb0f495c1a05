import { once } from 'node:events'
import { createServer, get, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { type Test, test } from 'tap'
import { piecesOf } from '../../src/system/pieces.ts'

async function answered(t: Test, answer: (res: ServerResponse) => void): Promise<IncomingMessage> {
  const server = createServer((_req, res) => answer(res)).listen(0, '127.0.0.1')
  t.teardown(() => {
    server.closeAllConnections()
    return new Promise((resolve) => void server.close(resolve))
  })
  await once(server, 'listening')
  const sent = get({ host: '127.0.0.1', port: (server.address() as AddressInfo).port })
  sent.on('error', () => undefined)
  const [message] = (await once(sent, 'response')) as [IncomingMessage]
  return message
}

async function read(message: IncomingMessage): Promise<string> {
  let text = ''
  for await (const piece of piecesOf(message)) text += piece.toString('latin1')
  return text
}

test('a body comes whole, however it is cut into pieces', async (t) => {
  const large = 'x'.repeat(1_000_000)
  t.equal(await read(await answered(t, (res) => res.end(large))), large)
  t.equal(await read(await answered(t, (res) => res.end())), '', 'and an empty one')
  const slow = await answered(t, (res) => {
    res.write('one ')
    setTimeout(() => res.write('two '), 20)
    setTimeout(() => res.end('three'), 40)
  })
  t.equal(await read(slow), 'one two three')
})

test('its end is told with its last bytes, without a turn of the event loop', async (t) => {
  const pieces = piecesOf(await answered(t, (res) => res.end('all')))[Symbol.asyncIterator]()
  const first = await pieces.next()
  let isTurned = false
  setImmediate(() => {
    isTurned = true
  })
  t.match([first.value?.toString(), await pieces.next()], ['all', { done: true }])
  t.notOk(isTurned)
})

test('one that is cut is an error, after what came of it', async (t) => {
  for (const head of [{}, { 'content-length': '1000' }]) {
    const message = await answered(t, (res) => {
      res.writeHead(200, head).write('half')
      setTimeout(() => res.destroy(), 50)
    })
    let text = ''
    const reading = async (): Promise<void> => {
      for await (const piece of piecesOf(message)) text += piece.toString()
    }
    await t.rejects(reading(), { code: 'ECONNRESET' })
    t.equal(text, 'half')
  }
})

test('whoever leaves it before its end ends the connection', async (t) => {
  let closed: Promise<unknown> | undefined
  const message = await answered(t, (res) => {
    closed = once(res, 'close')
    res.write('half')
  })
  for await (const _ of piecesOf(message)) break
  await closed
  t.ok(message.destroyed)
})
