/** The model gateway with walls: a number of its own, operators, and what an ordinary user's gateway left. */
import { spawnSync } from 'node:child_process'
import { chownSync, existsSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import tap from 'tap'
import { AM_ROOT, type Ended, ORDINARY, type Organisation, organisation, PENNY, REACHABLE, run } from '../e2e/driver.ts'
import { alertOf, until } from '../e2e/files.ts'
import { type GatewayHouse, gatewayHouse, untilAsked } from '../e2e/gateway-house.ts'

const only = { skip: AM_ROOT && REACHABLE ? false : 'needs uid 0 and a built command that others may read' }
const ready = (org: Organisation): Promise<unknown> =>
  untilAsked('its doors are open', async () => (await org.json(['gateway', 'status']))[0]?.['state'] === 'ready')
const gatewayUid = async (org: Organisation): Promise<number> => statSync(`/proc/${Number((await org.json(['gateway', 'status']))[0]?.['pid'])}`).uid

/** A uid with no more than the groups that its account has; where it has none, those that are named. */
function by(org: Organisation, uid: number, gid: number, args: readonly string[]): Promise<Ended> {
  return run(['setpriv', '--reuid', String(uid), '--regid', String(gid), '--clear-groups', process.execPath, PENNY, ...args], {
    cwd: org.root,
    env: { NO_COLOR: '1', PENNY_ROOT: org.root, NODE_OPTIONS: '' },
  })
}

/** The status of a request with that key, as this user makes it. */
async function asks({ port }: GatewayHouse, agent: string, key: string, uid: number): Promise<string> {
  const script = `require('node:http').request({ host: '127.0.0.1', port: ${port}, path: '/agents/${agent}/v1/models',
    headers: { 'x-api-key': '${key}', 'anthropic-version': '2023-06-01' } }, (answer) => { console.log(answer.statusCode); answer.resume() }).end()`
  return (await run([process.execPath, '-e', script], { as: { uid, gid: uid }, cwd: '/', env: { NODE_OPTIONS: '' }, boundMs: 10_000 })).out.trim()
}

tap.test('operators read what was used, and may use the keys that they make; strangers neither', only, async (t) => {
  const group = spawnSync('id', ['-gn', String(ORDINARY.uid)], { encoding: 'utf8' }).stdout.trim()
  const house = await gatewayHouse(t, { org: `operators: ${group}\n`, people: { ann: `user: "${ORDINARY.uid}"\n` } })
  const { org } = house
  spawnSync('chgrp', ['-R', group, org.at('policies')])
  spawnSync('chmod', ['-R', 'g+rX', org.at('policies')])
  await org.up()
  await ready(org)
  t.equal((await house.ask('legal')).status, 200)
  const operator = (...args: string[]): Promise<Ended> => by(org, ORDINARY.uid, ORDINARY.gid, args)
  t.match(await operator('usage'), { status: 0, out: /legal +1 / })
  t.match(await operator('usage', '--by', 'thread', '--json'), { status: 0, out: /"thread":"-".*"requests":1/ })
  t.match(await operator('gateway', 'status'), { status: 0, out: /legal/ })
  const made = await operator('gateway', 'key', 'legal', '--json')
  const { key } = JSON.parse(made.out) as { key: string }
  t.equal(await asks(house, 'legal', key, ORDINARY.uid), '200', 'an operator')
  t.equal(await asks(house, 'legal', key, org.owner('legal')?.uid ?? 0), '200', 'the agent')
  t.equal(await asks(house, 'legal', key, 0), '200', 'root')
  t.equal(await asks(house, 'legal', key, org.owner('pmo')?.uid ?? 0), '401', 'another agent')
  t.equal(await asks(house, 'legal', key, 12_346), '401', 'a stranger')
  t.match(await by(org, 12_346, 12_346, ['usage']), { status: 77, err: /fix: sudo \S*penny\S* / })
})

tap.test('its process needs a number too: a range that agents use up is refused with the first provider', only, async (t) => {
  const house = await gatewayHouse(t, { org: 'uids: { from: 410000, to: 410004 }\n' })
  const { org } = house
  await org.up()
  await ready(org)
  t.equal(await gatewayUid(org), 410_004, 'the last of them')
  const tight = await organisation(t, {
    org: 'uids: { from: 410000, to: 410003 }\n',
    policies: { 'providers/main.yaml': readFileSync(org.at('policies/providers/main.yaml'), 'utf8') },
  })
  t.match(await tight.penny(['up'], { boundMs: 20_000 }), { status: 78, err: /org\.yaml:3:\d+: uids: .*the model gateway needs one.*410000-410003 has 4 left/ })
  writeFileSync(org.at('policies/agents/cfo.md'), '---\ntitle: CFO\n---\nYou count.\n')
  const alert = await until('one agent more is refused', () => alertOf(org.root, 'config-invalid'))
  t.match(alert.text, /uids: 1 agents without numbers need 2 numbers each, and the range 410000-410004 has 0 left/)
})

tap.test('what an ordinary user’s gateway wrote is taken over by the one with walls, and counts', only, async (t) => {
  const agents = { legal: 'budget: { tokens_per_day: 1000 }\n', pmo: '' }
  const house = await gatewayHouse(t, { as: ORDINARY, agents })
  chownSync(house.keyFile, ORDINARY.uid, ORDINARY.gid)
  await house.org.up()
  await ready(house.org)
  t.equal((await house.ask('legal')).status, 200)
  await house.org.end()
  const [day = ''] = readdirSync(house.org.at('.penny/gateway/ledger'))
  const ledger = house.org.at('.penny/gateway/ledger', day)
  t.equal(statSync(ledger).uid, ORDINARY.uid)
  const before = readFileSync(ledger, 'utf8')

  chownSync(house.keyFile, 0, 0)
  const org = await organisation(t, { existing: house.org.base })
  await org.up()
  await ready(org)
  const uid = await gatewayUid(org)
  t.ok(uid >= 410_000)
  for (const path of ['.penny/gateway', '.penny/gateway/ledger', `.penny/gateway/ledger/${day}`]) t.equal(statSync(org.at(path)).uid, uid, path)
  t.equal((await house.ask('legal')).status, 200)
  const after = await untilAsked('written on', async () => {
    const text = readFileSync(ledger, 'utf8')
    return text.length > before.length && text
  })
  t.ok(after.startsWith(before), 'what was there is still there')
  t.match(await org.json(['usage']), [{ agent: 'legal', requests: 2 }])
  const { agents: standing } = (await org.json(['gateway', 'status']))[0] as { agents?: { agent: string; requests: number }[] }
  t.match(
    standing?.find(({ agent }) => agent === 'legal'),
    { requests: 2 },
    'also for its budget',
  )
  t.notOk(alertOf(org.root, 'disk-full'))
  t.ok(existsSync(org.at('.penny/sockets/legal/gateway.sock')))
})
