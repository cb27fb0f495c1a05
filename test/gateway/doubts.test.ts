/** A 401 that a request provokes, and one that the key deserves. */
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import t from 'tap'
import { pause } from '../e2e/files.ts'
import { call, type Started, started } from './started.ts'

const keyOf = async (house: Started): Promise<string | undefined> =>
  ((await house.ask({ what: 'status' })) as { providers: { key: string }[] }).providers[0]?.key
const ownOf = ({ upstream }: Started): number => upstream.seen.filter(({ path }) => path === '/v1/models').length

t.test('a request that is answered 401 stops nobody else, however often it comes; the key is asked about at most once a second', async (t) => {
  const house = await started(t, { callers: [{ agent: 'legal' }, { agent: 'pmo' }] })
  house.upstream.control.script(({ headers }) => (headers['anthropic-odd'] === undefined ? undefined : { kind: 'error', status: 401, message: 'odd' }))
  const begunMs = performance.now()
  for (let n = 0; n < 20; n++) {
    const odd = await call({ socketPath: house.socketOf('legal') }, { headers: { 'anthropic-odd': 'x' } })
    t.equal(odd.status, 401, 'its own answer')
    t.equal((await call({ socketPath: house.socketOf('pmo') })).status, 200)
  }
  const seconds = (performance.now() - begunMs) / 1_000
  await pause(1_200)
  t.equal(await keyOf(house), 'there')
  t.ok(ownOf(house) >= 1 && ownOf(house) <= seconds + 3, `${ownOf(house)} in ${seconds} s`)
  t.notOk(house.told.some((line) => line.tell === 'provider' && line.verdict === 'bad-key'))
  house.upstream.control.removeKey('sk-ant-test')
  t.equal((await call({ socketPath: house.socketOf('legal') })).status, 401)
  await house.until('provider', ({ verdict }) => verdict === 'bad-key')
  t.equal(await keyOf(house), 'refused', 'a key that is refused is found out all the same')
})

t.test('where a provider has no list of models, what a request was told counts', async (t) => {
  const house = await started(t)
  const server = createServer((req, res) => void res.writeHead(req.method === 'POST' ? 401 : 404).end())
  await new Promise<void>((resolve) => void server.listen(0, '127.0.0.1', resolve))
  t.teardown(() => void server.close())
  house.set({ providers: house.settings().providers.map((one) => ({ ...one, baseUrl: `http://127.0.0.1:${(server.address() as AddressInfo).port}` })) })
  t.equal((await call({ socketPath: house.socketOf('legal') })).status, 401)
  await house.until('provider', ({ verdict }) => verdict === 'bad-key')
  t.equal(await keyOf(house), 'refused')
})
