/** A key planted as the provider's: while thirty agents run and fail, and provider, gateway and daemon break, it must be nowhere but in its file. */
import { spawn } from 'node:child_process'
import { readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import t, { type Test } from 'tap'
import type { Behaviour, Script } from '../support/provider/provider.ts'
import { AM_ROOT, type Ended } from './driver.ts'
import { alertOf, lettersOf, message, pause, until } from './files.ts'
import { type Answered, type GatewayHouse, gatewayHouse, untilAsked } from './gateway-house.ts'
import { lookFor } from './looking.ts'

/** The second one takes the place of the first. */
const [FIRST, SECOND] = ['sk-ant-canary-3f9c1b7e5d2a4860', 'sk-ant-canary-90b4d86e2c7f1a35']
const look = lookFor([FIRST, SECOND])

/** What an agent's run does, and what the provider says to it. Who hangs is ended by its timeout. */
const WAYS = ['well', 'exit', 'hang', 'kill', '400', '403', '429', '500', '529', 'cut'] as const
const AGENTS = Array.from({ length: 30 }, (_, n) => `a${String(n).padStart(2, '0')}`)
/** As root some of them have no jail, and see all processes. */
const isLoose = (n: number): boolean => AM_ROOT && n % 11 === 0

/** Says whatever it can find out, and what it is answered. */
const RUNNER = `#!/usr/bin/env node
import { execSync } from 'node:child_process'
import fs from 'node:fs'
import http from 'node:http'
const { PENNY_MESSAGE, PENNY_GATEWAY } = process.env
const way = /way: (\\w+)/.exec(fs.readFileSync(PENNY_MESSAGE, 'utf8'))[1]
console.log(execSync('env; cat /proc/*/environ /proc/*/cmdline 2>/dev/null | tr "\\\\0" "\\\\n"; ls -laR /run /ws 2>/dev/null; true', { maxBuffer: 1e8 }).toString())
const body = JSON.stringify({ model: 'claude-opus-4-8', max_tokens: 50, stream: way === 'cut', messages: [{ role: 'user', content: 'way: ' + way }] })
const headers = { 'x-api-key': 'none', 'anthropic-version': '2023-06-01', 'content-type': 'application/json', 'content-length': body.length }
const answer = await new Promise((done) => {
  const req = http.request({ socketPath: PENNY_GATEWAY, path: '/v1/messages', method: 'POST', headers, agent: false }, (res) => {
    let text = JSON.stringify(res.rawHeaders)
    res.on('data', (chunk) => { text += chunk }).on('error', () => done(text)).on('end', () => done(text))
  })
  req.on('error', (why) => done(String(why))).end(body)
})
console.log(answer)
fs.writeFileSync('answer', answer)
if (way === 'hang') await new Promise((done) => setTimeout(done, 600_000))
if (way === 'kill') process.kill(process.pid, 'SIGKILL')
process.exit(way === 'exit' ? 3 : 0)
`

const BREAKS: Readonly<Record<string, Behaviour>> = {
  400: { kind: 'error', status: 400, message: 'what is this' },
  403: { kind: 'error', status: 403 },
  429: { kind: 'error', status: 429, retryAfterS: 1 },
  500: { kind: 'error', status: 500 },
  529: { kind: 'error', status: 529 },
  cut: { kind: 'cut', afterEvents: 2 },
}

/** Each breaks twice: what the gateway bears by itself is answered in the end. */
function weather(): Script {
  const left = new Map(Object.keys(BREAKS).map((way) => [way, 2]))
  return ({ body }) => {
    const way = /way: (\w+)/.exec(JSON.stringify(body))?.[1] ?? ''
    const times = left.get(way) ?? 0
    left.set(way, times - 1)
    return times > 0 ? BREAKS[way] : undefined
  }
}

const gatewayPid = async (house: GatewayHouse): Promise<number> => Number((await house.standing())['pid'])
const ready = (house: GatewayHouse): Promise<unknown> => untilAsked('its doors are open', async () => (await house.standing())['state'] === 'ready')
const countSettled = ({ org }: GatewayHouse): number => AGENTS.flatMap((name) => lettersOf(org.root, name)).filter(({ folder }) => folder === 'done').length

/** Replaces the key file in one step. */
function put(file: string, text: string, mode = 0o600): void {
  writeFileSync(`${file}.new`, text, { mode })
  renameSync(`${file}.new`, file)
}

/** The gateway is killed, its key rotated and the daemon killed, while requests of thirty runs are under way. */
async function storm(house: GatewayHouse, looked: () => void): Promise<void> {
  const { org, upstream, keyFile } = house
  const begin = (names: readonly string[], task: string): void => {
    for (const [n, name] of names.entries()) org.drop(`spool/${name}/${task}.md`, message({ subject: task }, `way: ${WAYS[n % WAYS.length]}\n`))
  }
  begin(AGENTS, 'first')
  await until('some have asked', () => upstream.seen.length >= 5)
  looked()
  process.kill(await gatewayPid(house), 'SIGKILL')
  await ready(house)
  upstream.control.addKey(SECOND)
  put(keyFile, `${SECOND}\n`)
  await untilAsked('the second key is used', async () => {
    // The runs may all be over by now.
    await house.ask('a01').catch(() => undefined)
    return upstream.seen.some(({ key }) => key === SECOND)
  })
  upstream.control.removeKey(FIRST)
  const before = upstream.seen.length
  begin(AGENTS.slice(0, WAYS.length), 'second')
  await until('some have asked', () => upstream.seen.length > before)
  looked()
  await org.end('SIGKILL')
  looked()
  await org.up()
  await ready(house)
  await until('each has had its run', () => countSettled(house) === AGENTS.length + WAYS.length, 60_000)
  looked()
  // Whose request was cut off by a kill was not asked: now each way comes to its end.
  upstream.control.script(weather())
  begin(AGENTS.slice(0, WAYS.length), 'third')
  await until('each has had its run again', () => countSettled(house) === AGENTS.length + 2 * WAYS.length, 60_000)
  looked()
}

/** Its file goes wrong in every way, and the provider refuses what lies in it. */
async function spoil({ org, upstream, keyFile, ask }: GatewayHouse): Promise<Answered> {
  put(keyFile, `${SECOND} ${SECOND}\n`)
  await until('two words are told', () => alertOf(org.root, 'provider-key', 'more than one word'))
  put(keyFile, `${SECOND}\n`, 0o644)
  await until('it is open to all', () => alertOf(org.root, 'provider-key', 'chmod 600'))
  rmSync(keyFile)
  await until('it is gone', () => alertOf(org.root, 'provider-key', 'is not there'))
  put(keyFile, `${SECOND}\n`)
  await until('it is right again', () => !alertOf(org.root, 'provider-key'))
  upstream.control.removeKey(SECOND)
  const refused = await ask('a00')
  await until('it is refused', () => alertOf(org.root, 'provider-key', 'refuses the one'))
  return refused
}

async function whatCommandsShow({ org }: GatewayHouse): Promise<Ended[]> {
  const all = ['gateway status', 'gateway status --json', 'gateway test', 'status --json', 'doctor --online', 'alerts', 'usage', 'events --since 1h']
  const shown: Ended[] = []
  for (const words of all) shown.push(await org.penny(words.split(' ')))
  return shown
}

const PRY = `for one in mem environ maps; do head -c 1 "/proc/$1/$one" && echo open; done
for one in fd cwd; do ls "/proc/$1/$one/" && echo open; done; true`

/** An agent without a jail sees both processes, and nothing of what is in them. */
async function judgeWalls(t: Test, house: GatewayHouse): Promise<void> {
  const pid = await gatewayPid(house)
  t.match(readFileSync(`/proc/${pid}/limits`, 'utf8'), /^Max core file size +0 +0 /m, 'it leaves no core')
  if (!AM_ROOT) return
  for (const one of [pid, house.org.pid()]) {
    const seen = await house.org.as('a00', `exec 2>&1; ${PRY}`, String(one))
    t.equal(seen.match(/Permission denied/g)?.length, 5, seen)
    t.notMatch(seen, /open\n/)
  }
}

t.test("the provider's key is in no process, log, journal, alert, error, workspace or file of the daemon's, whatever fails", async (t) => {
  const policy = (n: number): string =>
    `${isLoose(n) ? 'jail: none\n' : ''}runner: { command: [./ask.mjs], max_attempts: 1, timeout: ${WAYS[n % WAYS.length] === 'hang' ? '3s' : '30s'} }\n`
  const house = await gatewayHouse(t, {
    key: FIRST,
    provider: { keys: { [FIRST]: {} } },
    agents: Object.fromEntries(AGENTS.map((name, n) => [name, policy(n)])),
    org: 'wake: { concurrency: 30, stagger: 0s }\n',
    policies: { 'runners/ask.mjs': RUNNER },
  })
  const { org, upstream, keyFile } = house
  upstream.control.script(weather())
  await org.up()
  await ready(house)
  const told: string[] = []
  await storm(house, () => void told.push(...look.inProcesses()))
  await judgeWalls(t, house)

  const key = String((await org.json(['gateway', 'key', 'a00']))[0]?.['key'])
  const answers = [await house.ask('a00', key), await house.ask('a00', SECOND), await spoil(house)]
  const shown = await whatCommandsShow(house)
  const metrics = await (await fetch(`http://127.0.0.1:${house.port}/metrics`)).text()
  process.kill(await gatewayPid(house), 'SIGABRT')
  await pause(500)
  told.push(...look.inProcesses())

  // What looks must see.
  const other = spawn('sleep', ['60'], { env: { KEY: FIRST } })
  await until('one that has it', () => look.inProcesses().length > 0)
  t.same(look.inProcesses(), [`/proc/${other.pid}/environ`], 'where it is it is seen')
  other.kill()
  t.ok(look.isTold(readFileSync(keyFile)))
  for (const key of [FIRST, SECOND])
    t.ok(
      upstream.seen.some((one) => one.key === key),
      'both were used',
    )
  t.same(
    answers.map(({ status }) => status),
    [200, 401, 401],
  )
  const byStatus = new Set(upstream.seen.map(({ status }) => status))
  t.same(
    [200, 400, 401, 403, 429, 500, 529].filter((status) => !byStatus.has(status)),
    [],
    'the provider failed in each way',
  )
  const ends = AGENTS.map((name) => lettersOf(org.root, name)[0]?.head.get('status'))
  t.ok(ends.includes('done') && ends.includes('failed'), 'some runs did well, some failed')

  t.same([...new Set(told)], [], 'no process shows it')
  t.same(
    [...answers.map(({ body }) => body), ...shown.flatMap(({ out, err }) => [out, err]), metrics, org.log()].filter(look.isTold),
    [],
    'no answer, no command, no figure, no log',
  )
  await org.end()
  t.same(look.inFiles(org.base), [], 'no file of the organisation does, and there is no core of a process')
})
