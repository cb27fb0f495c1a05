/** The way from a jail to the model gateway, in both modes. */

import { spawn } from 'node:child_process'
import { createHash } from 'node:crypto'
import { once } from 'node:events'
import { chmodSync, rmSync } from 'node:fs'
import { createServer, type IncomingMessage } from 'node:http'
import { type AddressInfo, connect, createServer as createPlainServer } from 'node:net'
import { buffer } from 'node:stream/consumers'
import t from 'tap'
import { run } from '../e2e/driver.ts'
import { exists, pause, until } from '../e2e/files.ts'
import { type Door, FORWARDER, HOST, MODES, makeDoor } from './door.ts'

t.setTimeout(240_000)

const sha = (bytes: Buffer): string => createHash('sha256').update(bytes).digest('hex')

for (const mode of MODES) {
  t.test(`${mode} mode: what is asked over TCP and over the socket arrives, byte for byte, and so does the answer`, async (t) => {
    const door = await makeDoor(t, mode)
    const big = 32 * 1024 ** 2
    await door.serve((req, res) => {
      void buffer(req).then((body) => res.end(req.url === '/big' ? Buffer.concat([Buffer.from(sha(body)), body]) : `${req.url} ${body.toString()}`))
    })
    const { out, err } = await door.script(`
      for (const over of ['tcp', 'socket']) console.log(String(await ask('/v1/messages', { body: over, over })))
      const many = await Promise.all(Array.from({ length: 50 }, (_, i) => ask('/' + i, { body: 'x'.repeat(i * 1000) })))
      console.log(many.every((answer, i) => String(answer) === '/' + i + ' ' + 'x'.repeat(i * 1000)), many.length)
      const body = (await import('node:crypto')).randomBytes(${big})
      const sha = (await import('node:crypto')).createHash('sha256').update(body).digest('hex')
      const answer = await ask('/big', { body })
      console.log(String(answer.subarray(0, 64)) === sha, answer.subarray(64).equals(body))
    `)
    t.equal(out, '/v1/messages tcp\n/v1/messages socket\ntrue 50\ntrue true\n', err)
  })

  t.test(`${mode} mode: a gateway that is started again under a running jail is reached, over both, and its absence is a wait`, async (t) => {
    const door = await makeDoor(t, mode)
    const first = createServer((_, res) => void res.end('first'))
    await door.listen(first)
    const begun = door.script(`
      console.log(String(await ask('/')), String(await ask('/', { over: 'socket' })))
      await import('node:fs').then(({ writeFileSync }) => writeFileSync('ready', ''))
      while (net) {
        const gone = await ask('/', { over: 'socket' }).then(() => false, () => true)
        if (gone) break
        await new Promise((done) => setTimeout(done, 20))
      }
      console.log(String(await ask('/')), String(await ask('/', { over: 'socket' })))
    `)
    await until('it has asked', () => exists(`${door.home}/ready`))
    first.closeAllConnections()
    first.close()
    rmSync(door.socket, { force: true })
    await pause(1_500)
    await door.serve((_, res) => void res.end('second'))
    const { out, err } = await begun
    t.equal(out, 'first first\nsecond second\n', err)
  })

  t.test(`${mode} mode: a stream comes as it is sent; who goes away is seen to go, on either side`, async (t) => {
    const door = await makeDoor(t, mode)
    let go: () => void = () => undefined
    const wanted = new Promise<void>((resolve) => (go = resolve))
    const lost = new Map<string, Promise<unknown>>()
    await door.serve((req, res) => {
      if (req.url === '/go') go()
      if (req.url === '/cut') {
        res.write('begun')
        setTimeout(() => res.destroy(), 50)
      } else if (req.url?.startsWith('/leave')) {
        lost.set(req.url, once(res, 'close'))
        res.write('begun')
      } else if (req.url === '/slow') {
        res.write('one ')
        void wanted.then(() => res.end('two'))
      } else res.end()
    })
    const { out, err } = await door.script(`
      let asked = false
      // The second half is sent when the first has come here: if anything kept it, neither would come.
      console.log(String(await ask('/slow', { take: (chunk) => asked || ((asked = true), ask('/go')) })))
      console.log(await ask('/leave/close', { take: (_, req) => req.destroy() }).then(() => 'whole', () => 'left'))
      console.log(await ask('/leave/reset', { take: (_, req) => req.socket.resetAndDestroy() }).then(() => 'whole', () => 'left'))
      console.log(await ask('/cut').then(() => 'whole', () => 'cut'))
      await new Promise((done) => setTimeout(done, 300))
    `)
    t.equal(out, 'one two\nleft\nleft\ncut\n', err)
    t.same([...lost.keys()], ['/leave/close', '/leave/reset'])
    await Promise.all(lost.values())
  })

  t.test(`${mode} mode: half-closes pass both ways, and who does not read is not sent more than fits between`, async (t) => {
    const door = await makeDoor(t, mode)
    let stalled: IncomingMessage['socket'] | undefined
    const server = createPlainServer({ allowHalfOpen: true }, (socket) => {
      socket.once('data', (first) => {
        if (first.toString().startsWith('stall')) {
          socket.pause()
          stalled = socket
        } else {
          socket.write('heard ')
          socket.on('end', () => socket.end('the end'))
        }
      })
    })
    await door.listen(server)
    const { out, err } = await door.script(`
      const one = net.connect({ port: Number(port), host: '127.0.0.1', allowHalfOpen: true })
      one.end('words')
      let heard = ''
      for await (const chunk of one) heard += chunk
      console.log(heard)
      const two = net.connect(Number(port), '127.0.0.1')
      await new Promise((done) => two.write('stall', done))
      let sent = 0
      for (let i = 0; i < 64; i++) two.write(Buffer.alloc(1024 ** 2), () => sent++)
      await new Promise((done) => setTimeout(done, 1000))
      console.log(sent < 32 ? 'waits' : 'took ' + sent + ' MB')
      two.destroy()
    `)
    t.equal(out, 'heard the end\nwaits\n', err)
    stalled?.destroy()
  })

  t.test(`${mode} mode: a program beside the forwarder has its own process, input, signals and exit status, and its end is the end`, async (t) => {
    const door = await makeDoor(t, mode)
    await door.serve((_, res) => void res.end('here'))
    const ends = async (argv: readonly string[], stdin = ''): Promise<unknown> => {
      const begun = await door.begin(argv, { stdin })
      const { code, out, err } = await begun.ended
      await until('nothing is left', () => begun.left().length === 0)
      return [code, out, err]
    }
    const shell = (script: string): Promise<unknown> => ends(['/bin/sh', '-c', script])
    t.same(await ends(['/bin/cat'], 'words\n'), [0, 'words\n', ''])
    t.same(await shell('wait; exit 7'), [7, '', ''])
    t.same(await shell('kill -TERM $$'), [143, '', ''])
    t.same(await shell('kill -KILL $$'), [137, '', ''])
    t.same(await shell('sleep 600 & setsid sleep 600 & echo over'), [0, 'over\n', ''], 'what it leaves behind')
    t.same(await shell('echo $$'), [0, '2\n', ''], 'the first of its jail')
    const [code] = (await ends(['/no/such/program'])) as [number]
    t.equal(code, 127)
  })

  t.test(`${mode} mode: who is told to end still reaches the gateway for its last words`, async (t) => {
    const door = await makeDoor(t, mode)
    const heard: string[] = []
    await door.serve((req, res) => {
      heard.push(req.url ?? '')
      res.end()
    })
    const words =
      "import http from 'node:http'; process.on('SIGTERM', () => http.get(process.env.ANTHROPIC_BASE_URL + '/last', () => process.exit(5))); setInterval(() => {}, 1000); console.log('on')"
    const begun = await door.begin(['node', '--input-type=module', '-e', words])
    await until('it runs', begun.out)
    begun.kill('SIGTERM')
    t.equal((await begun.ended).code, 5)
    t.same(heard, ['/last'])
  })

  t.test(`${mode} mode: an agent changes nothing about its socket, and sees no other's`, async (t) => {
    const door = await makeDoor(t, mode)
    await door.serve((_, res) => void res.end('here'))
    const { out, err } = await door.script(`
      import fs from 'node:fs'
      const attempt = async (what) => { try { await what(); return 'done' } catch ({ code }) { return code } }
      const listen = (path) => new Promise((resolve, reject) => net.createServer().on('error', reject).listen(path, resolve))
      for (const what of [
        () => fs.unlinkSync('/run/gateway.sock'),
        () => fs.unlinkSync('/run/gateway/gateway.sock'),
        () => fs.renameSync('/run/gateway/gateway.sock', '/run/gateway/other.sock'),
        () => fs.chmodSync('/run/gateway/gateway.sock', 0o777),
        () => fs.writeFileSync('/run/gateway/x', ''),
        () => listen('/run/gateway/mine.sock'),
        () => listen('/run/other.sock'),
        () => fs.renameSync('/run/gateway', '/run/was'),
      ]) process.stdout.write(await attempt(what) + ' ')
      console.log(fs.readdirSync('/run').join(), String(await ask('/')))
    `)
    t.match(out, /^((EROFS|EACCES|EPERM|EADDRINUSE|EBUSY) ){8}gateway,gateway\.sock here\n$/, err)
  })
}

t.test('system mode: outside a jail, too, a socket is its agent’s alone, and not even that agent can put another in its place', async (t) => {
  if (!MODES.some((mode) => mode === 'system')) return t.comment('needs root')
  const door: Door = await makeDoor(t, 'system')
  await door.serve((_, res) => void res.end('here'))
  chmodSync(`${door.folder}/..`, 0o711)
  const script = `
    const net = require('net'), fs = require('fs'), [path, folder] = process.argv.slice(1)
    const attempt = (what) => { try { what(); return 'done' } catch ({ code }) { return code } }
    const said = [() => fs.unlinkSync(path), () => fs.renameSync(path, path + '2'), () => fs.writeFileSync(folder + '/x', ''), () => fs.readdirSync(folder)].map(attempt)
    net.connect(path).on('connect', () => { console.log('connected', ...said); process.exit() }).on('error', ({ code }) => console.log(code, ...said))`
  const as = async (uid: number): Promise<string> =>
    (await run([process.execPath, '-e', script, door.socket, door.folder], { as: { uid, gid: uid }, cwd: '/', env: {} })).out.trim()
  t.equal(await as(door.uid), 'connected EACCES EACCES EACCES EACCES')
  t.equal(await as(door.uid + 1), 'EACCES EACCES EACCES EACCES EACCES')
})

t.test('where the forwarder cannot be started the run says so, and goes on with the socket', async (t) => {
  const [mode] = MODES
  const door = await makeDoor(t, mode)
  await door.serve((_, res) => void res.end('here'))
  const host = { ...HOST, program: HOST.program.filter(({ at }) => at.endsWith('/bin/node')) }
  const words = "require('http').get({ socketPath: process.env.PENNY_GATEWAY }, (res) => res.pipe(process.stdout))"
  const { code, out, err } = await (await door.begin(['node', '-e', words], { host })).ended
  t.same([code, out], [0, 'here'])
  t.match(err, /Cannot find module '\/opt\/pennypost\/dist\/jail\/forwarder\.cjs'/)
  const bare = await (await door.begin(['/bin/sh', '-c', 'ls /run'], { host: { ...HOST, program: [] } })).ended
  t.same(bare, { code: 0, out: 'gateway\ngateway.sock\n', err: '' }, 'no installation that a jail could show: no node for it')
})

t.test('a forwarder whose port is taken ends and says what leads there; one without a gateway resets its clients when its patience ends', async (t) => {
  const taken = createPlainServer()
  await once(taken.listen(0, '127.0.0.1'), 'listening')
  const { port } = taken.address() as AddressInfo
  const { status, err } = await run([process.execPath, FORWARDER, String(port), '/run/gateway.sock', '1'])
  t.equal(status, 1)
  t.match(err, /^penny: nothing leads from TCP to the model gateway in this run \(listen EADDRINUSE.*\); its socket, \/run\/gateway\.sock, does\n$/)
  await new Promise((done) => taken.close(done))

  const child = spawn(process.execPath, [FORWARDER, String(port), '/no/such.sock', '1'], { stdio: ['ignore', 'pipe', 'inherit'] })
  t.teardown(() => child.kill('SIGKILL'))
  await once(child.stdout.resume(), 'end')
  const since = performance.now()
  const client = connect(port, '127.0.0.1', () => client.write('GET / HTTP/1.1\r\n\r\n'))
  const [{ code }] = (await once(client, 'error')) as [NodeJS.ErrnoException]
  t.equal(code, 'ECONNRESET')
  t.ok(performance.now() - since >= 900, 'it waited')
  child.kill('SIGTERM')
  await pause(100)
  t.equal(child.exitCode ?? child.signalCode, null, 'a signal that ends the program does not end it')
})
