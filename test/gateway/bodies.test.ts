import { once } from 'node:events'
import { createServer, type IncomingMessage, request } from 'node:http'
import type { AddressInfo } from 'node:net'
import { Readable } from 'node:stream'
import t from 'tap'
import type { Name } from '../../src/core/names.ts'
import { createBodies, type Place } from '../../src/gateway/bodies.ts'
import { readBody } from '../../src/gateway/read.ts'
import { realClock } from '../../src/system/clock.ts'
import type { Clock } from '../../src/system/types.ts'
import { makeHandClock } from '../hand-clock.ts'
import { house } from './house.ts'

const MB = 1024 ** 2
const name = (word: string): Name => word as Name
/** Each of the eight is below its own bound; together they hold all that there is. */
async function fill(bodies: ReturnType<typeof createBodies>): Promise<Place[]> {
  const places = await Promise.all(Array.from({ length: 8 }, (_, n) => bodies.take(name(`a${n}`), 32 * MB)))
  return places.flatMap((place) => place ?? [])
}
const settled = async (what: Promise<unknown>): Promise<boolean> => (await Promise.race([what.then(() => true), new Promise(setImmediate)])) === true

t.test('an agent holds so much and waits with the rest, in its order; the others do not', async (t) => {
  const bodies = createBodies(makeHandClock(0))
  const [first, second] = [await bodies.take(name('legal'), 32 * MB), await bodies.take(name('legal'), 32 * MB)]
  const third = bodies.take(name('legal'), 32 * MB)
  const small = bodies.take(name('legal'), 1)
  t.notOk(await settled(third))
  t.notOk(await settled(small), 'a small one of its own does not overtake')
  t.ok(await bodies.take(name('pmo'), 32 * MB))
  first?.leave()
  first?.leave()
  t.ok(await third, 'the first has left')
  t.notOk(await settled(small))
  second?.leave()
  t.ok(await small)
})

t.test('when all is held, a small part is still there for each; what waits too long is told so', async (t) => {
  const clock = makeHandClock(0)
  const bodies = createBodies(clock)
  const places = await fill(bodies)
  t.equal(places.length, 8)
  t.ok(await bodies.take(name('pmo'), 8 * MB))
  const large = bodies.take(name('ceo'), 9 * MB)
  const late = bodies.take(name('legal'), 9 * MB)
  t.notOk(await settled(large))
  places[0]?.leave()
  t.ok(await large)
  t.ok(await late)
  const never = bodies.take(name('ceo'), 32 * MB)
  await clock.turn(60_000)
  t.equal(await never, undefined)
})

t.test('a body whose length nobody told has room as it comes, or none', async (t) => {
  const bodies = createBodies(makeHandClock(0))
  const open = await bodies.take(name('legal'), 0)
  t.ok(open?.mayKeep(40 * MB))
  t.ok(open?.mayKeep(24 * MB))
  t.notOk(open?.mayKeep(1))
  const told = await bodies.take(name('pmo'), 64 * MB)
  t.ok(told?.mayKeep(64 * MB), 'what was told has its room already')
  t.notOk(told?.mayKeep(1))
})

t.test('whoever goes while it waits waits no more, and keeps nobody behind it', async (t) => {
  const bodies = createBodies(makeHandClock(0))
  for (let n = 0; n < 2; n++) await bodies.take(name('legal'), 32 * MB)
  let go = (): void => undefined
  const large = bodies.take(name('legal'), 32 * MB, (call) => {
    go = call
  })
  t.notOk(await settled(large))
  go()
  t.equal(await large, undefined)
  const places = await bodies.take(name('pmo'), 1)
  places?.leave()
  t.ok(await settled(bodies.take(name('legal'), 0)), 'nothing of it stands in line')
})

t.test('a body is put together from its pieces; one that comes byte by byte is left', async (t) => {
  let made = 0
  function* pieces(count: number, bytes: number): Generator<Buffer> {
    for (made = 0; made < count; made++) yield Buffer.alloc(bytes, made)
  }
  const read = (count: number, bytes: number, most = 32 * MB, mayKeep = true) =>
    readBody(Readable.from(pieces(count, bytes)) as IncomingMessage, most, () => mayKeep)
  for (const [count, bytes] of [
    [3_000, 1],
    [10_000, 100],
    [3, MB],
  ] as const) {
    t.same(await read(count, bytes), Buffer.concat([...pieces(count, bytes)]), `${count} of ${bytes} bytes`)
  }
  t.equal(await read(3_000, 1, 2_000), 'too-large')
  t.equal(await read(3_000, 1, MB, false), 'no-room')
  t.equal(await read(1_000_000, 1), 'gone')
  t.ok(made < 10_000, 'it is not heard out')
})

t.test('requests that end leave no room taken, however they end', async (t) => {
  const it = await house(t)
  const large = JSON.stringify({ model: 'x', pad: 'x'.repeat(31 * MB) })
  for (let n = 0; n < 4; n++) {
    const answer = await fetch(`${it.url}/v1/messages`, { method: 'POST', headers: { 'anthropic-version': '2023-06-01' }, body: large })
    t.not(answer.status, 429)
    await answer.arrayBuffer()
  }
})

t.test('whoever has gone before it is asked for its body stands in no line', async (t) => {
  const clock: Clock = { ...realClock, after: (ms, call) => (ms < 60_000 ? realClock.after(ms, call) : () => undefined) }
  const { gateway } = await house(t, { clock })
  const caller = { agent: name('legal'), holdMs: 10_000, rank: 3 }
  const route = { kind: 'messages', path: '/v1/messages', agent: undefined } as const
  let count = 0
  const server = createServer((req, res) => {
    // The third finds the room of its agent taken.
    if (++count < 3) return void gateway.handle(caller, route, req, res)
    res.once('close', () => void gateway.handle(caller, route, req, res).then(() => server.emit('handled')))
    server.emit('came')
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.teardown(() => {
    server.closeAllConnections()
    server.close()
  })
  const { port } = server.address() as AddressInfo
  const [came, handled] = [once(server, 'came'), once(server, 'handled')]
  const open = async (): Promise<ReturnType<typeof request>> => {
    const asked = request({ host: '127.0.0.1', port, method: 'POST', headers: { 'content-length': 32 * MB } }).on('error', () => undefined)
    asked.flushHeaders()
    await once(asked, 'socket')
    return asked
  }
  for (let n = 0; n < 2; n++) await open()
  const third = await open()
  await came
  third.destroy()
  await t.resolves(handled)
})
