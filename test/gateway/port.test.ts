/** What comes through the port of the loopback, and what leaves the process by any way. */
import { execFile, spawnSync } from 'node:child_process'
import { chmodSync, readdirSync, readFileSync, statSync } from 'node:fs'
import { connect } from 'node:net'
import { promisify } from 'node:util'
import t from 'tap'
import { AM_ROOT, ORDINARY, REACHABLE } from '../e2e/driver.ts'
import { pause } from '../e2e/files.ts'
import { call, keyHash, type Started, started } from './started.ts'

const KEYS = { legal: 'pk-legal', pmo: 'pk-pmo' }
const withKeys = [
  { agent: 'legal', keys: [keyHash('pk-old'), keyHash(KEYS.legal)] },
  { agent: 'pmo', keys: [keyHash(KEYS.pmo)], socket: undefined },
]

t.test('a key of its own leads an agent in; any other is refused in the form of the API', async (t) => {
  const house = await started(t, { callers: withKeys })
  const { port } = house
  t.equal((await call({ port, agent: 'legal', key: KEYS.legal })).status, 200)
  t.equal((await call({ port, agent: 'legal' }, { headers: { authorization: `Bearer ${KEYS.legal}` } })).status, 200)
  t.equal((await call({ port, agent: 'pmo', key: KEYS.pmo }, { path: '/v1/models', method: 'GET' })).status, 200, 'without a socket, too')
  t.notOk(
    house.upstream.seen.some(({ headers }) => JSON.stringify(headers).includes('pk-')),
    'the provider sees none of them',
  )
  const wrong = [
    await call({ port, agent: 'legal' }),
    await call({ port, agent: 'legal', key: KEYS.pmo }),
    await call({ port, agent: 'nobody', key: KEYS.pmo }),
    await call({ port, agent: 'legal', key: keyHash(KEYS.legal) }),
    await call({ port, agent: 'legal', key: 'pk-wrong' }, { body: Buffer.alloc(3_000_000, 32) }),
  ]
  for (const { status, text } of wrong) {
    t.equal(status, 401)
    t.match(JSON.parse(text), { type: 'error', error: { type: 'authentication_error' } })
  }
  t.equal(new Set(wrong.map(({ text }) => text)).size, 1, 'nobody learns which agents there are')
  t.equal(house.err().match(/turned a caller away/g)?.length, 1, 'said once a minute')
  t.notMatch(house.err(), /pk-/)
  house.set({ callers: house.settings().callers.map((one) => ({ ...one, keys: [] })) })
  // Answered after the settings were heard.
  await house.ask({ what: 'status' })
  t.equal((await call({ port, agent: 'legal', key: KEYS.legal })).status, 401, 'a key that was revoked')
})

t.test('whether somebody is there can be asked without a key; what is not passed on is said', async (t) => {
  const { port } = await started(t, { callers: withKeys })
  t.equal((await call({ port, agent: 'legal' }, { method: 'HEAD', path: '' })).status, 200)
  const { status, text } = await call({ port, agent: 'legal', key: KEYS.legal }, { path: '/v1/files' })
  t.equal(status, 404)
  t.match(text, /agents/)
})

t.test("a key counts for its agent's own user alone", { skip: !AM_ROOT && 'only root can act as another user' }, async (t) => {
  const house = await started(t, { callers: [{ agent: 'legal', uid: 4_321, keys: [keyHash(KEYS.legal)] }], as: { uid: 4_320, gid: 4_320 } })
  const script = `require('node:http').request({ host: process.argv[1], port: ${house.port}, method: 'GET', path: '/agents/legal/v1/models',
    headers: { 'x-api-key': '${KEYS.legal}', 'anthropic-version': '2023-06-01' } }, (answer) => { console.log(answer.statusCode); answer.resume() }).end()`
  const as = async (uid: number, host = '127.0.0.1'): Promise<string> =>
    (await promisify(execFile)(process.execPath, ['-e', script, host], { uid, gid: uid, cwd: '/', env: {} })).stdout.trim()
  t.equal(await as(4_321), '200')
  t.equal(await as(4_321, '::ffff:127.0.0.1'), '200', 'from a socket of IPv6')
  t.equal(await as(4_322), '401')
  t.equal(await as(4_322, '::ffff:127.0.0.1'), '401')
  t.equal(await as(0), '200')
  t.match(house.err(), /"uid":4322/)
  house.set({ operatorUids: [4_322] })
  await house.ask({ what: 'status' })
  t.equal(await as(4_322), '200', 'an operator may use the keys that operators make')
  t.equal(await as(4_323), '401')
})

t.test('Prometheus is told figures', async (t) => {
  const house = await started(t, { callers: withKeys })
  await call({ port: house.port, agent: 'legal', key: KEYS.legal })
  const text = await (await fetch(`http://127.0.0.1:${house.port}/metrics`)).text()
  t.match(text, /^penny_gateway_requests_total\{agent="legal",provider="main",status="200"\} 1$/m)
  t.match(text, /^penny_gateway_provider_key_present\{provider="main"\} 1$/m)
})

t.test('whoever says nothing whole does not keep the door, and one port in use is told', async (t) => {
  const house = await started(t, { callers: withKeys })
  const silent = Array.from({ length: 50 }, () => connect(house.port, '127.0.0.1'))
  t.equal((await call({ port: house.port, agent: 'legal', key: KEYS.legal })).status, 200)
  for (const one of silent) one.destroy()
  const { port } = new URL(house.upstream.url)
  house.set({ listen: { host: '127.0.0.1', port: Number(port) } })
  t.match((await house.until('door')).why, /EADDRINUSE/)
  t.equal((await call({ socketPath: house.socketOf('legal') })).status, 200, 'the sockets are open all the same')
  await house.upstream.close()
  t.equal((await house.until('door', ({ why }) => why === undefined)).about, `127.0.0.1:${port}`)
})

/** Of a process that was asked everything. */
/** What its own user may read of it: nothing, for the kernel keeps all of such a process to root. */
function environOf(pid: number): string {
  try {
    return readFileSync(`/proc/${pid}/environ`, 'latin1')
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code !== 'EACCES' || process.getuid?.() === 0) throw cause
    return ''
  }
}

async function traces(house: Started, canary: string): Promise<string[]> {
  const errors = [
    await call({ socketPath: house.socketOf('legal') }, { path: '/v1/nothing' }),
    await call({ socketPath: house.socketOf('legal') }, { body: 'no JSON' }),
    await call({ port: house.port, agent: 'legal', key: 'wrong' }),
    await call({ socketPath: house.socketOf('legal') }),
  ]
  const places: Record<string, string> = {
    environ: environOf(house.pid),
    cmdline: readFileSync(`/proc/${house.pid}/cmdline`, 'latin1'),
    answers: JSON.stringify(errors),
    told: JSON.stringify([house.told, await house.ask({ what: 'test', provider: 'main' }), await house.ask({ what: 'status' })]),
    metrics: await (await fetch(`http://127.0.0.1:${house.port}/metrics`)).text(),
    ledger: readdirSync(`${house.folder}/gateway/ledger`)
      .map((day) => readFileSync(`${house.folder}/gateway/ledger/${day}`, 'utf8'))
      .join(''),
    log: house.err(),
  }
  return Object.entries(places).flatMap(([place, text]) => (text.includes(canary) ? [place] : []))
}

t.test("the provider's key is in no answer, log, ledger, argument or environment", async (t) => {
  const canary = 'sk-ant-canary-7f3a'
  const house = await started(t, { key: canary, options: { keys: { [canary]: {} } } })
  t.equal((await call({ socketPath: house.socketOf('legal') })).status, 200)
  t.equal(house.upstream.seen.at(-1)?.key, canary, 'it is used')
  t.same(await traces(house, canary), [])
  house.upstream.control.removeKey(canary)
  t.equal((await call({ socketPath: house.socketOf('legal') })).status, 401)
  house.say({ tell: 'key', provider: 'main', key: `${canary}\nx` })
  t.equal(((await house.ask({ what: 'test', provider: 'main' })) as { kind: string }).kind, 'no-key', 'one that no header can hold is none')
  house.say({ tell: 'key', provider: 'main', key: canary })
  t.same(await traces(house, canary), [])
})

t.test('a socket has the group of its folder: that of its agent', { skip: !AM_ROOT && 'only root can act as another user' }, async (t) => {
  const agent = { uid: 4_331, gid: 4_331 }
  const house = await started(t, { as: { uid: 4_330, gid: 4_330 }, groups: { legal: agent.gid }, callers: [{ agent: 'legal' }, { agent: 'pmo' }] })
  chmodSync(house.folder, 0o711)
  const socket = statSync(house.socketOf('legal'))
  t.match({ uid: socket.uid, gid: socket.gid, mode: socket.mode & 0o777 }, { uid: 4_330, gid: 4_331, mode: 0o660 })
  const script = `const s = require('node:net').connect(process.argv[1]); s.on('connect', () => { console.log('in'); s.end() }); s.on('error', ({ code }) => console.log(code))`
  const as = async (name: string): Promise<string> =>
    (await promisify(execFile)(process.execPath, ['-e', script, house.socketOf(name)], { ...agent, cwd: '/', env: {} })).stdout.trim()
  t.equal(await as('legal'), 'in')
  t.equal(await as('pmo'), 'EACCES')
})

t.test('nobody of its own user can look into it', { skip: !(AM_ROOT && REACHABLE) && 'only root can act as another user' }, async (t) => {
  const house = await started(t, { as: ORDINARY })
  const mayRead = (file: string): boolean =>
    spawnSync('cat', [`/proc/${house.pid}/${file}`], { uid: ORDINARY.uid, gid: ORDINARY.gid, maxBuffer: 1024 }).stderr.toString() === ''
  t.notOk(mayRead('environ'))
  t.notOk(mayRead('maps'))
  t.ok(mayRead('cmdline'), 'what everybody may know')
  t.match(readFileSync(`/proc/${house.pid}/limits`, 'utf8'), /^Max core file size +0 +0 /m)
  house.kill('SIGUSR1')
  t.equal((await call({ socketPath: house.socketOf('legal') })).status, 200)
  await pause(100)
  t.notMatch(house.err(), /[Dd]ebugger/, 'and no debugger is opened')
})
