import { createHash } from 'node:crypto'
import { readdirSync, readFileSync, rmSync, statSync } from 'node:fs'
import { connect } from 'node:net'
import t from 'tap'
import type { Entry, GatewayStanding } from '../../src/gateway/index.ts'
import { pause } from '../e2e/files.ts'
import { bodyOf, call, MODEL, type Started, started } from './started.ts'

const ledgerOf = ({ folder }: Started): Entry[] =>
  readdirSync(`${folder}/gateway/ledger`).flatMap((day) =>
    readFileSync(`${folder}/gateway/ledger/${day}`, 'utf8')
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as Entry),
  )
const standing = async (house: Started): Promise<GatewayStanding> => (await house.ask({ what: 'status' })) as GatewayStanding
async function until(what: string, is: () => boolean | Promise<boolean>): Promise<void> {
  for (let n = 0; !(await is()); n++) {
    if (n > 500) throw new Error(`never: ${what}`)
    await pause(20)
  }
}

t.test('a caller comes through its own socket, and bytes go through as they are', async (t) => {
  const house = await started(t, { options: { keepBodies: true }, callers: [{ agent: 'legal' }, { agent: 'pmo' }] })
  const body = `{ "model" : "claude-opus-4-8","max_tokens": 50, "messages":[{"role":"user","content":"H\\u0065llo"}], "x": 12345678901234567890.10 }`
  const answer = await call({ socketPath: house.socketOf('legal') }, { body, path: '/v1/messages?beta=true', headers: { 'anthropic-beta': 'a,b' } })
  t.equal(answer.status, 200)
  const [seen] = house.upstream.seen
  t.equal(seen?.sha256, createHash('sha256').update(body).digest('hex'))
  t.equal(seen?.path, '/v1/messages?beta=true')
  t.match(seen?.headers, { 'x-api-key': 'sk-ant-test', 'anthropic-beta': 'a,b' })
  t.equal((await call({ socketPath: house.socketOf('pmo') }, { path: '/agents/pmo/v1/messages' })).status, 200, 'it may name itself')
  const other = await call({ socketPath: house.socketOf('pmo') }, { path: '/agents/legal/v1/messages' })
  t.equal(other.status, 404, 'and nobody else')
  t.match(JSON.parse(other.text), { type: 'error', error: { type: 'not_found_error' } })
  t.equal(statSync(house.socketOf('legal')).mode & 0o777, 0o660)
  t.equal(statSync(`${house.folder}/gateway/ledger`).mode & 0o777, 0o700)
  t.match(
    ledgerOf(house),
    [
      { agent: 'legal', status: 200 },
      { agent: 'pmo', status: 200 },
    ],
    'the ledger says who it was',
  )
})

t.test('a request is held until a key comes; one that is refused is sent no more until another comes', async (t) => {
  const house = await started(t, { key: undefined, options: { keys: { one: {}, two: {} } } })
  const socketPath = house.socketOf('legal')
  const early = call({ socketPath })
  await until('it waits', async () => (await standing(house)).providers[0]?.key === 'missing')
  t.equal(house.upstream.seen.length, 0)
  house.say({ tell: 'key', provider: 'main', key: 'one', turn: 7 })
  t.equal((await early).status, 200)
  await house.until('provider', ({ verdict }) => verdict === 'ok')
  house.upstream.control.removeKey('one')
  t.equal((await call({ socketPath })).status, 401, 'what the provider says is passed on')
  await house.until('provider', ({ verdict }) => verdict === 'bad-key')
  t.match(
    house.told.filter(({ tell }) => tell === 'provider'),
    [{ turn: 7 }],
    'it says of which',
  )
  const sent = house.upstream.seen.length
  const held = call({ socketPath })
  t.equal((await standing(house)).providers[0]?.key, 'refused')
  await pause(1_200)
  t.equal(house.upstream.seen.length, sent, 'nothing is sent with it')
  house.say({ tell: 'key', provider: 'main', key: 'two' })
  t.equal((await held).status, 200)
  await until('told that it is well', () => house.told.filter((line) => line.tell === 'provider').length === 3)
  house.say({ tell: 'key', provider: 'main', key: 'three' })
  t.equal((await call({ socketPath })).status, 401)
  await until('told again', () => house.told.filter((line) => line.tell === 'provider' && line.verdict === 'bad-key').length === 2)
})

t.test('requests have the rank of what their agent works on, or of the message they name', async (t) => {
  const house = await started(t, {
    options: { pools: [{ models: [MODEL], concurrency: 1 }], latencyMs: 50 },
    callers: [{ agent: 'legal' }, { agent: 'pmo' }, { agent: 'ceo' }],
    key: undefined,
  })
  house.say({ tell: 'work', work: { agent: 'legal', run: 'r1', message: 'm1', rank: 4 } })
  house.say({ tell: 'work', work: { agent: 'legal', run: 'r2', message: 'm2', rank: 2 } })
  house.say({ tell: 'work', work: { agent: 'legal', run: 'r3', message: 'm3', rank: 1 } })
  house.say({ tell: 'over', run: 'r3' })
  const of = (agent: string, message?: string): Promise<unknown> =>
    call({ socketPath: house.socketOf(agent) }, message === undefined ? {} : { headers: { 'x-penny-message': message } })
  // No key yet, so that all of them stand in line before the first is sent.
  const all = [of('legal'), of('legal', 'm1'), of('legal', 'm9'), of('pmo', 'held'), of('pmo', 'not'), of('ceo')]
  for (const message of ['held', 'not']) {
    const { id, agent } = await house.until('holds', (line) => line.message === message)
    t.equal(agent, 'pmo')
    house.say({ tell: 'answer', id, rank: message === 'held' ? 5 : undefined })
  }
  house.say({ tell: 'key', provider: 'main', key: 'sk-ant-test' })
  await Promise.all(all)
  await until('the ledger', () => ledgerOf(house).length === 6)
  const entries = ledgerOf(house).map(({ agent, message }) => `${agent} ${message ?? '-'}`)
  t.same([...entries].sort(), ['ceo -', 'legal m1', 'legal m2', 'legal m2', 'pmo -', 'pmo held'])
  t.notOk(
    house.told.some((line) => line.tell === 'holds' && line.agent === 'legal'),
    'in a run it cannot lay claim to another message',
  )
  t.notOk(house.upstream.seen.some(({ headers }) => 'x-penny-message' in headers))
  const before = house.told.length
  await of('pmo', 'held')
  t.notOk(
    house.told.slice(before).some((line) => line.tell === 'holds'),
    'what was answered is known for a while',
  )
})

t.test('when there is little room, the more urgent goes first', async (t) => {
  const house = await started(t, {
    options: { pools: [{ models: [MODEL], rpm: 60, burst: 0.02 }], latencyMs: 5 },
    callers: [{ agent: 'legal' }, { agent: 'pmo' }, { agent: 'ceo' }],
  })
  for (const [agent, rank] of [
    ['legal', 4],
    ['pmo', 3],
    ['ceo', 1],
  ] as const)
    house.say({ tell: 'work', work: { agent, run: agent, message: agent, rank } })
  const ask = (agent: string): Promise<unknown> => call({ socketPath: house.socketOf(agent) })
  await ask('pmo')
  await Promise.all([ask('legal'), ask('pmo'), ask('ceo')])
  await until('the ledger', () => ledgerOf(house).length === 4)
  t.same(
    ledgerOf(house)
      .slice(1)
      .map(({ agent }) => agent),
    ['ceo', 'pmo', 'legal'],
  )
})

t.test('doors follow the settings; one that cannot be opened is told, and opened later', async (t) => {
  const house = await started(t, { callers: [{ agent: 'legal' }, { agent: 'pmo' }, { agent: 'ceo' }], options: { latencyMs: 300 } })
  const [legal, pmo, ceo] = house.settings().callers
  if (!legal || !pmo || !ceo) throw new Error('three callers')
  const slow = call({ socketPath: house.socketOf('pmo') })
  await until('it was sent', () => house.upstream.seen.length === 1)
  rmSync(`${house.folder}/sockets/ceo`, { recursive: true })
  house.set({ callers: [pmo, { ...ceo, socket: `${house.folder}/sockets/none/gateway.sock` }] })
  const door = await house.until('door', ({ about }) => about === 'ceo')
  t.match(door.why, /ENOENT|EACCES/)
  t.match((await standing(house)).doors, [{ about: 'ceo' }])
  await t.rejects(call({ socketPath: house.socketOf('legal') }), { code: 'ENOENT' }, 'one that is no caller any more has no door')
  t.equal((await slow).status, 200, 'the others are not touched')
  house.set({ callers: [pmo, legal] })
  await house.until('door', ({ about, why }) => about === 'ceo' && why === undefined)
  await until('it is open', () => existsSocket(house.socketOf('legal')))
  t.equal((await call({ socketPath: house.socketOf('legal') })).status, 200)
  rmSync(house.socketOf('legal'))
  await until('somebody took it away: it comes again', () => existsSocket(house.socketOf('legal')))
  t.equal((await call({ socketPath: house.socketOf('legal') })).status, 200)
})

const existsSocket = (path: string): boolean => statSync(path, { throwIfNoEntry: false })?.isSocket() === true

t.test('the standing, the room, a test of the provider', async (t) => {
  const house = await started(t, {
    options: { pools: [{ models: [MODEL], rpm: 100 }] },
    callers: [{ agent: 'legal', budget: { usdPerDay: undefined, tokensPerDay: 1 } }, { agent: 'pmo' }],
  })
  await call({ socketPath: house.socketOf('legal') })
  const over = await house.until('budget')
  t.match(over, { agent: 'legal', state: { over: 'tokens' } })
  const rooms = await house.until('room')
  t.match(rooms.rooms, [{ provider: 'main', waiting: 0 }])
  t.ok((rooms.rooms[0]?.room ?? -1) >= 0)
  const now = await standing(house)
  t.match(now, {
    providers: [{ provider: 'main', key: 'there', verdict: 'ok', fallback: [] }],
    pools: [{ provider: 'main', report: { meters: { requests: { learned: 100 } }, breaker: { state: 'closed' } } }],
    agents: [
      { agent: 'legal', requests: 1, share: 1, budget: { over: 'tokens' } },
      { agent: 'pmo', requests: 0, share: 0 },
    ],
    doors: [],
    ledger: { waiting: 0, lost: 0 },
  })
  const before = house.upstream.seen.length
  t.match(await house.ask({ what: 'test', provider: 'main' }), { kind: 'answered', status: 200, verdict: 'ok', requestId: /./ })
  t.equal(house.upstream.seen.at(-1)?.path, '/v1/models')
  t.equal(house.upstream.seen.length, before + 1)
  t.same(await house.ask({ what: 'test', provider: 'other' }), { kind: 'no-provider' })
  house.say({ tell: 'key', provider: 'main', key: 'wrong' })
  t.match(await house.ask({ what: 'test', provider: 'main' }), { kind: 'answered', status: 401, verdict: 'bad-key' })
  t.same(await house.ask({ what: 'test', provider: 'main' }), { kind: 'no-key' }, 'it is not sent again')
  house.say({ tell: 'key', provider: 'main', key: 'sk-ant-test' })
  await house.upstream.close()
  t.match(await house.ask({ what: 'test', provider: 'main' }), { kind: 'unreachable', why: /^ECONNRE(FUSED|SET)$/ })
})

t.test('what was used today counts after a restart, too', async (t) => {
  const first = await started(t)
  await call({ socketPath: first.socketOf('legal') })
  first.kill('SIGTERM')
  await first.ended
  const used = ledgerOf(first)
  const again = await started(t, { ledger: used, callers: [{ agent: 'legal', budget: { usdPerDay: undefined, tokensPerDay: 1 } }] })
  t.match(await again.until('budget'), { agent: 'legal', state: { over: 'tokens' } })
  t.match((await standing(again)).agents, [{ agent: 'legal', requests: 1 }])
  again.set({ callers: again.settings().callers.map((one) => ({ ...one, budget: undefined })) })
  await again.until('budget', ({ state }) => state === undefined)
  t.equal((await call({ socketPath: again.socketOf('legal') })).status, 200)
  t.match((await standing(again)).agents, [{ agent: 'legal', requests: 2 }])
})

t.test('a line that it does not know is passed over, and said', async (t) => {
  const house = await started(t)
  house.say({ tell: 'weather', is: 'fine' })
  house.daemon.write('{"tell": half\n')
  t.equal((await call({ socketPath: house.socketOf('legal') })).status, 200)
  t.match(house.err(), /"word":"weather"/)
  t.match(house.err(), /no JSON/)
})

for (const [how, stop] of [
  ['SIGTERM', (house: Started) => house.kill('SIGTERM')],
  ['the end of the daemon', (house: Started) => void house.daemon.destroy()],
] as const) {
  t.test(`${how} ends it: what is under way is cut on both sides and recorded`, async (t) => {
    const house = await started(t, { options: { latencyMs: 20_000 } })
    const cut = call({ socketPath: house.socketOf('legal') })
    await until('it was sent', () => house.upstream.seen.length === 1)
    stop(house)
    await t.rejects(cut, { code: 'ECONNRESET' })
    t.same(await house.ended, { code: 0, signal: null })
    await until('the provider sees it', () => house.upstream.seen[0]?.end === 'left')
    t.match(ledgerOf(house), [{ agent: 'legal', status: 499 }])
  })
}

t.test('it is gone within half a second after SIGTERM, also with requests under way', async (t) => {
  const took: number[] = []
  // The machine may be at something else: what counts is what it can do.
  for (let n = 0; n < 3; n++) {
    const house = await started(t, { options: { latencyMs: 20_000 } })
    const cut = Promise.allSettled(Array.from({ length: 10 }, () => call({ socketPath: house.socketOf('legal') })))
    await until('one was sent', () => house.upstream.seen.length > 0)
    const startedMs = performance.now()
    house.kill('SIGTERM')
    await house.ended
    took.push(performance.now() - startedMs)
    await cut
  }
  t.ok(Math.min(...took) <= 500, String(took))
})

t.test('it tells in which pool an agent was answered last', async (t) => {
  const house = await started(t, { callers: [{ agent: 'legal' }, { agent: 'pmo' }] })
  await call({ socketPath: house.socketOf('legal') })
  const opus = await house.until('pool')
  t.match(opus, { agent: 'legal', provider: 'main' })
  t.ok(
    (await standing(house)).pools.some(({ pool }) => pool === opus.pool),
    'by the name that the pool has in reports',
  )
  await call({ socketPath: house.socketOf('legal') }, { body: bodyOf({ model: 'claude-haiku-5-5' }) })
  const haiku = await house.until('pool', ({ pool }) => pool !== opus.pool)
  t.equal(haiku.agent, 'legal')
  house.upstream.control.next({ kind: 'error', status: 400 })
  await call({ socketPath: house.socketOf('pmo') })
  await pause(1_500)
  t.same(
    house.told.filter(({ tell }) => tell === 'pool'),
    [opus, haiku],
    'once for each change; a refusal is no use',
  )
})

t.test('asked whether it is alive it says so', async (t) => {
  const house = await started(t)
  t.same(await house.ask({ what: 'alive' }), { kind: 'alive' })
})

t.test('a client that is gone takes its request along', async (t) => {
  const house = await started(t, { options: { latencyMs: 20_000 } })
  const gone = new AbortController()
  const asked = call({ socketPath: house.socketOf('legal') }, { signal: gone.signal })
  await until('it was sent', () => house.upstream.seen.length === 1)
  gone.abort()
  await t.rejects(asked)
  await until('the provider sees it', () => house.upstream.seen[0]?.end === 'left')
  // Half of a request, and then nothing: its connection is closed, and the door is open for others.
  const half = connect(house.socketOf('legal'))
  half.write('POST /v1/messages HTTP/1.1\r\nhost: x\r\ncontent-length: 1000\r\n\r\nhalf')
  await pause(50)
  half.destroy()
  house.upstream.control.set({ latencyMs: 5 })
  t.equal((await call({ socketPath: house.socketOf('legal') }, { body: bodyOf() })).status, 200)
})
