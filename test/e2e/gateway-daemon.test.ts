import { once } from 'node:events'
import { chmodSync, existsSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { createServer as createProvider } from 'node:http'
import { type AddressInfo, createServer } from 'node:net'
import { join } from 'node:path'
import t from 'tap'
import { KEY } from '../support/provider/provider.ts'
import { organisation } from './driver.ts'
import { alertOf, lettersOf, message, pause, until } from './files.ts'
import { type GatewayHouse, gatewayHouse, untilAsked } from './gateway-house.ts'

const pidOf = async (house: GatewayHouse): Promise<number> => Number((await house.standing())['pid'])
/** One that nobody has waited for yet is gone as well. */
const isAlive = (pid: number): boolean => existsSync(`/proc/${pid}`) && !/^State:\s+Z/m.test(readFileSync(`/proc/${pid}/status`, 'utf8'))
const ready = (house: GatewayHouse): Promise<unknown> => untilAsked('its doors are open', async () => (await house.standing())['state'] === 'ready')

t.test('without a provider no process is started, and status says how to add one', async (t) => {
  const org = await organisation(t)
  await org.up()
  const { status, out } = await org.penny(['gateway', 'status'])
  t.equal(status, 0)
  t.match(out, /no provider is configured.*policies/s)
  t.equal((await org.penny(['gateway', 'test'])).status, 66)
  t.notOk(existsSync(org.at('.penny/gateway')))
})

t.test('a key file is followed: missing, open to others, refused, replaced; requests wait meanwhile, and nothing is restarted', async (t) => {
  const house = await gatewayHouse(t)
  const { org, upstream, keyFile } = house
  await org.up()
  await ready(house)
  t.equal((await house.ask('legal')).status, 200)
  const pid = await pidOf(house)

  const told = async (what: string, mention: string): Promise<void> => {
    const changedMs = performance.now()
    const alert = await until(what, () => alertOf(org.root, 'provider-key', mention))
    t.ok(performance.now() - changedMs <= 2_000, `${what}: told within 2 s`)
    t.notMatch(alert.text, KEY)
  }
  rmSync(keyFile)
  await told('it is gone', 'is not there')
  const waits = house.ask('legal')
  writeFileSync(`${keyFile}.new`, `${KEY}\n`, { mode: 0o644 })
  renameSync(`${keyFile}.new`, keyFile)
  await told('others may read it', 'chmod 600')
  chmodSync(keyFile, 0o600)
  t.equal((await waits).status, 200, 'what waited is answered')
  await until('the alert is closed', () => !alertOf(org.root, 'provider-key'))

  upstream.control.removeKey(KEY)
  t.equal((await house.ask('legal')).status, 401, 'the provider has the word')
  await told('it is refused', 'refuses the one')
  const sent = upstream.seen.length
  const held = house.ask('legal')
  t.equal(await Promise.race([held, pause(1_000)]), undefined, 'it waits')
  upstream.control.addKey('sk-ant-second')
  // Rewritten in place, by a slow writer.
  writeFileSync(keyFile, 'sk-ant-')
  writeFileSync(keyFile, 'second\n', { flag: 'a' })
  t.equal((await held).status, 200)
  t.same([...new Set(upstream.seen.slice(sent).map(({ key }) => key))], ['sk-ant-second'], 'the refused key is not sent again, nor half of the new one')
  await until('the alert is closed', () => !alertOf(org.root, 'provider-key'))
  t.equal(await pidOf(house), pid)
  t.notMatch(org.log(), /sk-ant/)
})

t.test('its process is started again when it ends, and told everything anew; it ends with the daemon, however that ends', async (t) => {
  const house = await gatewayHouse(t)
  const { org } = house
  await org.up()
  await ready(house)
  const first = await pidOf(house)
  process.kill(first, 'SIGKILL')
  const second = await untilAsked('another one', async () => {
    const { pid, state } = await house.standing()
    return state === 'ready' && Number(pid) !== first && Number(pid)
  })
  t.equal((await house.ask('legal')).status, 200, 'with the same key and the same door')
  const { ms } = await org.end('SIGTERM')
  t.ok(ms <= 2_000, `the daemon stops within 2 s: ${ms}`)
  t.notOk(isAlive(second))
  await org.up()
  await ready(house)
  const third = await pidOf(house)
  await org.end('SIGKILL')
  await until('it ends without its daemon', () => !isAlive(third), 1_000)
})

t.test('one that hangs is killed and another takes its place', async (t) => {
  const house = await gatewayHouse(t)
  const { org } = house
  await org.up()
  await ready(house)
  const first = await pidOf(house)
  process.kill(first, 'SIGSTOP')
  await until('it is killed', () => !isAlive(first), 40_000)
  await untilAsked('another one', async () => {
    const { pid, state } = await house.standing()
    return state === 'ready' && pid !== first
  })
  t.equal((await house.ask('legal')).status, 200)
  t.match(org.log(), /it said nothing for 10 s, and was killed/)
  t.notOk(alertOf(org.root, 'gateway-down'), 'once is no alert')
})

t.test('a port that is taken, and a process that cannot stay, are told; both alerts close by themselves', async (t) => {
  const house = await gatewayHouse(t)
  const { org, port } = house
  const other = createServer().listen(port, '127.0.0.1')
  await once(other, 'listening')
  await org.up()
  await until('the port is told of', () => alertOf(org.root, 'gateway-down', String(port)))
  await ready(house)
  t.equal((await house.ask('legal')).status, 200, 'sockets work all the same')
  other.close()
  await until('the port is open', () => !alertOf(org.root, 'gateway-down'))
  for (let n = 0; n < 3; n++) {
    const pid = await untilAsked('it runs', async () => Number((await house.standing())['pid']) || undefined)
    process.kill(pid, 'SIGKILL')
    await until('it is gone', () => !isAlive(pid))
  }
  await until('it is told of', () => alertOf(org.root, 'gateway-down', 'in a row'))
  await until('it runs again', () => !alertOf(org.root, 'gateway-down'))
})

t.test('what only a person can mend is told, and closed by a test that is answered', async (t) => {
  const house = await gatewayHouse(t)
  const { org, upstream } = house
  await org.up()
  await ready(house)
  upstream.control.next({ kind: 'error', status: 403 })
  t.equal((await house.ask('legal')).status, 403)
  await until('it is told', () => alertOf(org.root, 'provider-refused', 'main'))
  const { out } = await org.penny(['doctor', '--online'])
  t.notMatch(out, /WRONG (owners|gateway)/)
  t.match(out, /ok +gateway +main: address and key are right/)
  const tested = await org.penny(['gateway', 'test'])
  t.match([tested.status, tested.out], [0, /ok .*main: address and key are right/])
  await until('it is closed', () => !alertOf(org.root, 'provider-refused'))
  upstream.control.next({ kind: 'error', status: 402 })
  t.equal((await house.ask('legal')).status, 402)
  await until('that money is spent is told, too', () => alertOf(org.root, 'provider-refused', 'is used up'))
  t.equal((await org.penny(['gateway', 'test'])).status, 0)
  await until('it is closed again', () => !alertOf(org.root, 'provider-refused'))
  upstream.control.removeKey(KEY)
  const bad = await org.penny(['gateway', 'test', 'main'])
  t.match([bad.status, bad.out], [1, /WRONG main: it refuses the key.*fix: penny alerts/s])
  t.equal((await org.penny(['gateway', 'test', 'mian'])).status, 66)
})

t.test('what a test was answered to an old key is not said of the one that came meanwhile', async (t) => {
  const keyFile = join(t.testdir(), 'slow')
  writeFileSync(keyFile, 'sk-ant-old\n', { mode: 0o600 })
  let asked = false
  let goOn = (): void => undefined
  const rotated = new Promise<void>((resolve) => (goOn = resolve))
  const slow = createProvider((_, res) => {
    asked = true
    void rotated.then(() => res.writeHead(401, { 'content-type': 'application/json' }).end('{"type":"error","error":{"type":"authentication_error"}}'))
  }).listen(0, '127.0.0.1')
  t.teardown(() => slow.close())
  await once(slow, 'listening')
  const url = `http://127.0.0.1:${(slow.address() as AddressInfo).port}`
  const house = await gatewayHouse(t, { policies: { 'providers/slow.yaml': `api: anthropic-messages\nbase_url: ${url}\nkey_file: ${keyFile}\n` } })
  const { org } = house
  await org.up()
  await ready(house)
  const tested = org.penny(['gateway', 'test', 'slow'])
  await until('it is asked', () => asked)
  writeFileSync(keyFile, 'sk-ant-new\n')
  await pause(1_500)
  goOn()
  t.match((await tested).out, /WRONG slow: it refuses the key/)
  t.same((await house.standing())['without_key'], [])
})

t.test('keys for programs outside a jail: shown once, kept as a digest, taken back', async (t) => {
  const house = await gatewayHouse(t)
  const { org } = house
  await org.up()
  await ready(house)
  const [made = {}] = await org.json(['gateway', 'key', 'legal'])
  const key = String(made['key'])
  t.equal((await house.ask('legal', key)).status, 200)
  t.equal((await house.ask('pmo', key)).status, 401, "it is not another one's")
  t.notMatch(readFileSync(org.at('.penny/state/gateway-keys.json'), 'utf8'), key)
  const [usage = {}] = await org.json(['usage'])
  t.match(usage, { agent: 'legal', requests: 1 })
  t.match(await org.json(['usage', '--by', 'day']), [{ requests: 1 }])
  t.match(await org.json(['usage', '--by', 'thread']), [{ thread: '-', requests: 1 }])
  t.equal((await org.penny(['gateway', 'key', 'legal', '--revoke'])).status, 0)
  await untilAsked('it is no key any more', async () => (await house.ask('legal', key)).status === 401)
  t.equal((await org.penny(['gateway', 'key', 'legal', '--revoke'])).status, 1)
  t.equal((await org.penny(['gateway', 'key', 'nobody'])).status, 66)
})

t.test('a request may name the message that it is for, if its agent holds that: usage by thread tells', async (t) => {
  const house = await gatewayHouse(t)
  const { org } = house
  await org.up()
  await ready(house)
  org.drop('spool/legal/task.md', message({ subject: 'Review it', priority: 'urgent' }))
  const { id } = await until('delivered', () => lettersOf(org.root, 'legal').find((one) => one.folder === 'new'))
  t.equal((await house.ask('legal', undefined, { 'x-penny-message': id })).status, 200)
  t.equal((await house.ask('pmo', undefined, { 'x-penny-message': id })).status, 200, 'it is not its own: an ordinary request')
  const rows = await org.json(['usage', '--by', 'thread'])
  t.match(
    rows.find(({ thread }) => thread === id),
    { subject: 'Review it', requests: 1 },
  )
  t.match(
    rows.find(({ thread }) => thread === '-'),
    { requests: 1 },
  )
  t.equal(rows.length, 2)
  await org.end()
  t.match((await org.penny(['usage'])).out, /legal +1 .*\npmo +1 /s, 'also while the daemon is down')
})

t.test('an agent over its budget is told of, until the budget is raised', async (t) => {
  const house = await gatewayHouse(t, { agents: { legal: 'budget: { tokens_per_day: 5 }\n', pmo: '' } })
  const { org } = house
  await org.up()
  await ready(house)
  t.equal((await house.ask('legal')).status, 200)
  await until('it is told', () => alertOf(org.root, 'over-budget', 'legal'))
  t.match(await house.standing(), { over_budget: ['legal'] })
  t.equal((await house.ask('legal')).status, 200, 'nothing is cut')
  org.drop('policies/agents/legal.new', '---\ntitle: legal\nbudget: { tokens_per_day: 5000000 }\n---\nYou are legal.\n')
  renameSync(org.at('policies/agents/legal.new'), org.at('policies/agents/legal.md'))
  await until('it is within', () => !alertOf(org.root, 'over-budget'))
})
