/** Runs and the model gateway: the built command, its own gateway, a provider for tests behind it. */
import { chownSync, existsSync, readFileSync, writeFileSync } from 'node:fs'
import t, { type Test } from 'tap'
import { AM_ROOT, ORDINARY, type Organisation, REACHABLE, type Shape } from './driver.ts'
import { lettersOf, message, until } from './files.ts'
import { type GatewayHouse, gatewayHouse, untilAsked } from './gateway-house.ts'

/** Asks a model; `over` is the socket's path, or undefined for TCP. Prints what it is told with the answer's status. */
const ASK = `#!/usr/bin/env node
import fs from 'node:fs'
import http from 'node:http'
const { ANTHROPIC_BASE_URL, ANTHROPIC_API_KEY, PENNY_GATEWAY } = process.env
const body = JSON.stringify({ model: 'claude-opus-4-8', max_tokens: 50, messages: [{ role: 'user', content: 'Hello' }] })
const ask = (over, path = '/v1/messages') => new Promise((resolve) => {
  const where = over === undefined ? { port: new URL(ANTHROPIC_BASE_URL).port, host: '127.0.0.1' } : { socketPath: over }
  const headers = { 'x-api-key': ANTHROPIC_API_KEY ?? 'none', 'anthropic-version': '2023-06-01', 'content-type': 'application/json', 'content-length': body.length }
  const req = http.request({ ...where, path, method: 'POST', headers, agent: false }, (res) => res.resume().on('end', () => resolve(res.statusCode)))
  req.on('error', ({ code }) => resolve(code)).end(body)
})
const said = []
`
const say = (...lines: string[]): string => `${ASK}${lines.join('\n')}\nconsole.log(said.join(' '))\n`
const OTHERS = "PENNY_GATEWAY.replace('/asks/', '/once/').replace('/loose/', '/once/')"

const shape: Shape = {
  org: 'wake: { concurrency: 8, stagger: 0s }\n',
  agents: {
    asks: 'runner: { command: [./asks.mjs], max_attempts: 1 }\n',
    again: 'runner: { command: [./again.mjs], max_attempts: 1 }\n',
    apart: 'network: none\nrunner: { command: [./apart.mjs], max_attempts: 1 }\n',
    once: 'budget: { tokens_per_day: 1 }\nrunner: { command: [./asks.mjs], max_attempts: 1 }\n',
  },
  policies: {
    'runners/asks.mjs': say(
      "said.push(await ask(), await ask(PENNY_GATEWAY), await ask(PENNY_GATEWAY, '/agents/again/v1/messages'), await ask(undefined, '/elsewhere'))",
    ),
    'runners/again.mjs': say(
      'said.push(await ask())',
      "fs.writeFileSync('ready', '')",
      "while (!fs.existsSync('go')) await new Promise((done) => setTimeout(done, 20))",
      'said.push(await ask(), await ask(PENNY_GATEWAY))',
    ),
    'runners/apart.mjs': say("said.push(typeof PENNY_GATEWAY, typeof ANTHROPIC_BASE_URL, fs.existsSync('/run/gateway.sock'), await ask('/run/gateway.sock'))"),
    'runners/loose.mjs': say(`said.push(await ask(PENNY_GATEWAY), await ask(${OTHERS}), typeof ANTHROPIC_BASE_URL)`),
  },
}

/** What the one run of this agent's only task answered. */
async function answerOf(org: Organisation, agent: string): Promise<string> {
  org.drop(`spool/${agent}/task.md`, message({ subject: agent }))
  const reply = await until(`${agent} answered`, () => lettersOf(org.root, 'operator').find((one) => one.head.get('subject') === `Re: ${agent}`))
  return reply.body.toString().trim()
}

async function reaches(t: Test, { org, upstream }: GatewayHouse): Promise<void> {
  t.equal(await answerOf(org, 'asks'), '200 200 404 404', 'over TCP, over the socket, as another agent, to where no model is')
  t.equal(upstream.seen.length, 2, 'no more than two came to the provider')
  t.notOk(
    upstream.seen.some(({ headers }) => JSON.stringify(headers).includes('pennypost')),
    'the placeholder went no further than the gateway',
  )
  t.equal(await answerOf(org, 'apart'), 'undefined undefined false ENOENT', 'network: none')
}

async function survives(t: Test, house: GatewayHouse): Promise<void> {
  const { org } = house
  const pidOf = async (): Promise<number | undefined> => {
    const standing = await house.standing()
    return (standing['process'] as { pid?: number } | undefined)?.pid ?? (standing['pid'] as number | undefined)
  }
  const before = await pidOf()
  t.type(before, 'number')
  const answer = answerOf(org, 'again')
  const home = org.at('workspaces/again/home')
  await until('it has asked once', () => existsSync(`${home}/ready`))
  process.kill(before ?? 0, 'SIGKILL')
  // What is under way when it dies breaks off, as clients know it; what comes after that waits.
  await until('it is gone', () => !existsSync(`/proc/${before}`))
  writeFileSync(`${home}/go`, '')
  t.match(await answer, /^200 200 (200|ECONNREFUSED|ENOENT)$/, 'over TCP nothing is seen of it; over the socket it is tried again')
  await untilAsked('another process', async () => {
    const now = await pidOf().catch(() => undefined)
    return now !== undefined && now !== before
  })
}

async function holds(t: Test, { org }: GatewayHouse): Promise<void> {
  t.match(await answerOf(org, 'once'), /^200 /)
  const held = await untilAsked('its budget is known to be used up', async () => {
    const rows = await org.json(['alerts'])
    return rows.find(({ code }) => code === 'over-budget')
  })
  t.equal(held['agent'], 'once')
  org.drop('spool/once/second.md', message({ subject: 'second' }))
  const why = await untilAsked('it waits', async () => {
    const row = (await org.json(['agents'])).find(({ name }) => name === 'once')
    return row?.['state'] === 'waiting' && row['why']
  })
  t.match(why, /^its budget of today is used up, until /)
  t.match((await org.penny(['agents'])).out, /^\s*once .*its budget of today is used up/m)
  org.drop('spool/asks/second.md', message({ subject: 'behind' }))
  await until('others go on', () => lettersOf(org.root, 'operator').find((one) => one.head.get('subject') === 'Re: behind'))
  t.equal(lettersOf(org.root, 'once').filter((one) => one.head.get('status') === 'open').length, 1)
}

async function all(t: Test, how: Shape): Promise<GatewayHouse> {
  const house = await gatewayHouse(t, { ...shape, ...how, agents: { ...shape.agents, ...how.agents } })
  if (how.as) chownSync(house.keyFile, how.as.uid, how.as.gid)
  await house.org.up()
  await reaches(t, house)
  await survives(t, house)
  await holds(t, house)
  return house
}

t.test(
  'root: runs reach the gateway from their jails, also one that is started again; a budget holds one agent and no other',
  { skip: AM_ROOT ? false : 'needs root' },
  async (t) => {
    const { org } = await all(t, { agents: { loose: 'jail: none\nrunner: { command: [./loose.mjs], max_attempts: 1 }\n' } })
    t.equal(await answerOf(org, 'loose'), '200 EACCES undefined', 'jail: none: its own socket, no other agent’s')
    const log = org.at('workspaces/asks/runs', `${lettersOf(org.root, 'asks')[0]?.id}.log`)
    t.equal(readFileSync(log, 'utf8').split('\n').length, 4, 'the forwarder said nothing')
  },
)

t.test('an ordinary user: the same', { skip: REACHABLE ? false : 'an ordinary user cannot read this checkout' }, async (t) => {
  await all(t, AM_ROOT ? { as: ORDINARY } : {})
})
