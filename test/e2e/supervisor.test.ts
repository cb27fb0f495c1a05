import { spawn, spawnSync } from 'node:child_process'
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { organisation } from './driver.ts'
import { pause, until } from './files.ts'

const has = (program: string): boolean => spawnSync(program, ['--version'], { stdio: 'ignore' }).status === 0
const skip = has('python3') ? false : 'needs python3, for datagrams of unix sockets'

/** A supervisor's ear: for each datagram who the kernel says sent it, and what, as JSON. */
const EAR = `import array, json, os, socket, struct, sys
name = sys.argv[1]
ear = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
ear.setsockopt(socket.SOL_SOCKET, socket.SO_PASSCRED, 1)
ear.bind('\\0' + name[1:] if name[0] == '@' else name)
print('null', flush=True)
while True:
    data, about, *_ = ear.recvmsg(4096, 4096)
    for level, kind, value in about:
        if kind == socket.SCM_CREDENTIALS: pid = struct.unpack('3i', value[:12])[0]
        # systemd-notify waits until its descriptor is closed
        if kind == socket.SCM_RIGHTS: [os.close(fd) for fd in array.array('i', value)]
    lines = data.decode().strip().split('\\n')
    if lines != ['BARRIER=1']: print(json.dumps({'pid': pid, 'lines': lines}), flush=True)
`
/** On SIGUSR2 the event loop turns no more. */
const HANG = `process.on('SIGUSR2', () => { for (;;) {} })`
const WITHOUT_KOFFI = `import { register } from 'node:module'
register('data:text/javascript,' + encodeURIComponent(${JSON.stringify(`export async function resolve(word, context, next) {
  if (word === 'koffi') throw Object.assign(new Error('Cannot find module koffi'), { code: 'ERR_MODULE_NOT_FOUND' })
  return next(word, context)
}`)}))`

type Heard = Readonly<{ pid: number; lines: readonly string[] }>

/** Until the test ends, what is started is told of this supervisor. */
async function supervisor(t: Test, given: Readonly<{ socket?: string; watchdogMs: number; preload?: string }>) {
  const folder = mkdtempSync(join(tmpdir(), 'penny-supervisor-'))
  const socket = given.socket ?? join(folder, 'notify')
  const said = join(folder, 'said')
  writeFileSync(join(folder, 'ear.py'), EAR)
  writeFileSync(join(folder, 'preload.mjs'), given.preload ?? '')
  const ear = spawn('/bin/sh', ['-c', 'exec python3 "$0/ear.py" "$1" > "$0/said"', folder, socket], { stdio: 'inherit' })
  const environment: Record<string, string> = {
    NOTIFY_SOCKET: socket,
    WATCHDOG_USEC: String(given.watchdogMs * 1000),
    NODE_OPTIONS: `--import=${join(folder, 'preload.mjs')}`,
  }
  const before = Object.keys(environment).map((name) => [name, process.env[name]] as const)
  Object.assign(process.env, environment)
  t.teardown(() => {
    for (const [name, value] of before) if (value === undefined) delete process.env[name]
    for (const [name, value] of before) if (value !== undefined) process.env[name] = value
    ear.kill()
    rmSync(folder, { recursive: true, force: true })
  })
  const heard = (): Heard[] =>
    readFileSync(said, 'utf8')
      .split('\n')
      .slice(1, -1)
      .map((line) => JSON.parse(line) as Heard)
  await until('somebody listens', () => existsSync(said) && readFileSync(said, 'utf8') !== '')
  return { folder, heard, count: (line: string) => heard().filter(({ lines }) => lines[0] === line).length }
}

/** The first line of each datagram, without the pings in between. */
const words = (heard: readonly Heard[]): string[] => heard.flatMap(({ lines }) => lines[0] ?? []).filter((line) => line !== 'WATCHDOG=1')

for (const [kind, socket] of [
  ['a path', undefined],
  ['an abstract name', `@penny-test-${process.pid}`],
] as const)
  t.test(`a supervisor on ${kind} hears from the daemon itself that it is ready, lives, reloads and stops`, { skip }, async (t) => {
    const ear = await supervisor(t, { watchdogMs: 200, ...(socket === undefined ? {} : { socket }) })
    const org = await organisation(t)
    await org.up()
    const pid = org.pid()
    await until('ready', () => ear.count('READY=1') === 1)
    const alive = ear.count('WATCHDOG=1')
    await until('it goes on telling that it lives', () => ear.count('WATCHDOG=1') > alive + 3)
    process.kill(pid, 'SIGHUP')
    await until('ready again', () => ear.count('READY=1') === 2)
    t.equal((await org.end()).status, 0)
    await until('the stop', () => ear.count('STOPPING=1') === 1)

    const heard = ear.heard()
    t.same(words(heard), ['STATUS=starting: what is there is being read', 'READY=1', 'RELOADING=1', 'READY=1', 'STOPPING=1'])
    t.same(
      heard.filter((one) => one.pid !== pid),
      [],
      'NotifyAccess=main is enough',
    )
    t.same(heard.find(({ lines }) => lines[0] === 'READY=1')?.lines, ['READY=1', 'STATUS=acme admits mail'])
    t.match(heard.find(({ lines }) => lines[0] === 'RELOADING=1')?.lines[1], /^MONOTONIC_USEC=[1-9]\d*$/)
    t.same(heard.find(({ lines }) => lines[0] === 'STOPPING=1')?.lines, ['STOPPING=1', 'STATUS=stopping'])
    t.notMatch(org.log(), /the supervisor may not know/)
  })

t.test('a daemon whose event loop hangs is silent, so that its supervisor ends it', { skip }, async (t) => {
  const ear = await supervisor(t, { watchdogMs: 200, preload: HANG })
  const org = await organisation(t)
  await org.up()
  await until('it lives', () => ear.count('WATCHDOG=1') > 3)
  process.kill(org.pid(), 'SIGUSR2')
  // Whatever was on its way when the signal came is in after this.
  await pause(500)
  const last = ear.count('WATCHDOG=1')
  await pause(2_000)
  t.equal(ear.count('WATCHDOG=1'), last)
  t.ok(org.running(), 'it is there, and hangs')
  await org.end('SIGKILL')
})

t.test('a watchdog that is meant for another process is not answered, and an empty name is no supervisor', { skip }, async (t) => {
  const ear = await supervisor(t, { watchdogMs: 100 })
  process.env['WATCHDOG_PID'] = '1'
  t.teardown(() => delete process.env['WATCHDOG_PID'])
  const org = await organisation(t)
  await org.up()
  await until('ready', () => ear.count('READY=1') === 1)
  await pause(500)
  t.equal(ear.count('WATCHDOG=1'), 0)
  await org.end()
  await until('the stop', () => ear.count('STOPPING=1') === 1)
  const all = ear.heard().length
  process.env['NOTIFY_SOCKET'] = ''
  await org.up()
  await org.end()
  t.equal(ear.heard().length, all)
  t.notMatch(org.log(), /the supervisor may not know/)
})

t.test('a stop that lets runs end is none yet: its time is not for the supervisor to count', { skip }, async (t) => {
  const ear = await supervisor(t, { watchdogMs: 200 })
  const org = await organisation(t)
  await org.up()
  t.equal((await org.penny(['down', '--drain', '10m'])).status, 0)
  await until('the status', () => ear.count('STATUS=stopping once runs have ended') === 1)
  t.equal(ear.count('STOPPING=1'), 0)
})

t.test('nothing that the daemon starts, and no daemon in the background, can speak in its name', { skip }, async (t) => {
  const ear = await supervisor(t, { watchdogMs: 60_000 })
  const env = join(ear.folder, 'env')
  spawnSync('chmod', ['0777', ear.folder])
  const show = `#!/bin/sh\nenv > ${env}.part\nmv ${env}.part ${env}\n`
  writeFileSync(join(ear.folder, 'show'), show, { mode: 0o755 })
  const org = await organisation(t, { org: `notify: [["${join(ear.folder, 'show')}"]]\n` })
  await org.up()
  await until('ready', () => ear.count('READY=1') === 1)
  org.drop('spool/no-recipient.md', 'to nobody')
  const seen = await until('the command has run', () => existsSync(env) && readFileSync(env, 'utf8'))
  t.match(seen, /^PATH=/m)
  t.notMatch(seen, /NOTIFY_SOCKET|WATCHDOG/)
  await org.end()
  await until('the stop', () => ear.count('STOPPING=1') === 1)

  const all = ear.heard().length
  t.equal((await org.penny(['up', '--detach'])).status, 0)
  t.equal((await org.penny(['down'])).status, 0)
  t.equal(ear.heard().length, all)
})

t.test(
  'without koffi systemd-notify speaks for it, and the log says what the unit needs then',
  { skip: skip || (has('systemd-notify') ? false : 'needs systemd-notify') },
  async (t) => {
    const ear = await supervisor(t, { watchdogMs: 400, preload: WITHOUT_KOFFI })
    const org = await organisation(t)
    await org.up()
    await until('ready', () => ear.count('READY=1') === 1)
    await until('it lives', () => ear.count('WATCHDOG=1') > 3)
    await org.end()
    await until('the stop', () => ear.count('STOPPING=1') === 1)
    t.same(words(ear.heard()), ['STATUS=starting: what is there is being read', 'READY=1', 'STOPPING=1'])
    t.match(org.log(), /systemd-notify speaks for the daemon: the unit must say NotifyAccess=all/)
  },
)

t.test('a supervisor that is not there is named once in the log, and the mail goes on', { skip }, async (t) => {
  const ear = await supervisor(t, { watchdogMs: 200 })
  process.env['NOTIFY_SOCKET'] = join(ear.folder, 'gone')
  const org = await organisation(t)
  await org.up()
  await pause(1_000)
  t.equal(org.log().match(/the supervisor may not know/g)?.length, 1)
  t.match(org.log(), /ENOENT: sendto/)
  await org.end()
})
