import { spawnSync } from 'node:child_process'
import { existsSync, rmSync, statSync, writeFileSync } from 'node:fs'
import tap, { type Test } from 'tap'
import { AM_ROOT, type Organisation, organisation, type Shape } from '../e2e/driver.ts'
import { alertOf, lettersOf, message, pause, until } from '../e2e/files.ts'

const only = { skip: AM_ROOT ? false : 'needs uid 0: system mode' }
const NOBODY = 'no-such-account'

/** Nothing of a configuration that is refused counts: mail goes on, and a new agent has no folders. */
async function runsOn(t: Test, org: Organisation, newcomer: string): Promise<void> {
  org.drop(`spool/still-${newcomer}.md`, message({ to: 'legal', subject: `still, without ${newcomer}` }))
  await until('mail goes on', () => lettersOf(org.root, 'legal').some(({ head }) => head.get('subject') === `still, without ${newcomer}`))
  t.notOk(existsSync(org.at('workspaces', newcomer)), 'the new agent is not there')
  t.ok(org.running())
}

tap.test('a range of uids that is used up: the change is refused and what ran runs on; a wider range takes it', only, async (t) => {
  const org = await organisation(t, { agents: { legal: '', pmo: '', cfo: '' }, org: 'uids: { from: 410000, to: 410005 }\n' })
  await org.up()
  writeFileSync(org.at('policies/agents/ceo.md'), '---\ntitle: CEO\n---\nYou lead.\n')
  const alert = await until('config-invalid', () => alertOf(org.root, 'config-invalid'))
  t.match(alert.text, /policies\/org\.yaml:3:\d+: uids: .*2 numbers/)
  t.match(alert.text, /fix: .*policies\/org\.yaml/)
  await runsOn(t, org, 'ceo')
  writeFileSync(org.at('policies/org.yaml'), 'name: acme\npostmaster: operator\nuids: { from: 410000, to: 410007 }\n')
  await until('the new agent', () => existsSync(org.at('workspaces/ceo/new')))
  await until('the alert closes', () => !alertOf(org.root, 'config-invalid'))
  t.equal(statSync(org.at('workspaces/ceo/outbox')).uid, 410_006)

  // Whoever had a number keeps it for ever: in the place of one that goes there is no room for another.
  rmSync(org.at('policies/agents/cfo.md'))
  writeFileSync(org.at('policies/agents/cto.md'), '---\ntitle: CTO\n---\nYou build.\n')
  await until('config-invalid again', () => alertOf(org.root, 'config-invalid'))
  await runsOn(t, org, 'cto')
})

async function refused(t: Test, shape: Shape, why: RegExp, env: Record<string, string> = {}): Promise<void> {
  const org = await organisation(t, shape)
  const { status, err } = await org.penny(['up'], { env, boundMs: 20_000 })
  t.equal(status, 78, err)
  t.match(err, why)
  t.match(err, /\nfix: .+/)
}

tap.test('at start: a range that is too small, and accounts that are not there, are 78 with file, line and column', only, async (t) => {
  await refused(
    t,
    { agents: { legal: '', pmo: '', cfo: '' }, org: 'uids: { from: 410000, to: 410002 }\n' },
    /policies\/org\.yaml:3:\d+: uids: .*3 agents.*2 numbers/,
  )
  await refused(t, { people: { ann: `user: ${NOBODY}\n` } }, /policies\/people\/ann\.md:2:7: user: .*"no-such-account"/)
  await refused(t, { agents: { legal: `user: ${NOBODY}\n` } }, /policies\/agents\/legal\.md:3:7: user: .*"no-such-account"/)
  await refused(t, { org: `operators: ${NOBODY}\n` }, /policies\/org\.yaml:3:12: operators: .*"no-such-account"/)
})

tap.test('an account that is not there in a change: refused, what ran runs on; doctor says the same', only, async (t) => {
  const org = await organisation(t)
  await org.up()
  writeFileSync(org.at('policies/people/ann.md'), `---\nuser: ${NOBODY}\n---\nAnn\n`)
  const alert = await until('config-invalid', () => alertOf(org.root, 'config-invalid'))
  t.match(alert.text, /policies\/people\/ann\.md:2:7: user: /)
  await runsOn(t, org, 'ann')
  const found = (await org.json(['doctor'])).find((one) => one['check'] === 'policies')
  t.match(found, { outcome: 'wrong', what: /ann\.md:2:7: user: / })
  writeFileSync(org.at('policies/people/ann.md'), '---\nuser: nobody\n---\nAnn\n')
  await until('the person', () => existsSync(org.at('workspaces/ann/new')))
  await until('the alert closes', () => !alertOf(org.root, 'config-invalid'))
})

tap.test('one account under two names is still one: refused', only, async (t) => {
  const uid = spawnSync('id', ['-u', 'nobody'], { encoding: 'utf8' }).stdout.trim()
  await refused(t, { people: { ann: 'user: nobody\n', bob: `user: "${uid}"\n` } }, /policies\/people\/bob\.md:2:7: user: .* is ann already/)
})

tap.test('where accounts cannot be looked up: 78 at start, and a change keeps what runs', only, async (t) => {
  await refused(t, { people: { ann: 'user: nobody\n' } }, /getent/, { PATH: '/nowhere' })
  const org = await organisation(t)
  const tools = org.at('..', 'tools')
  spawnSync('sh', ['-c', `mkdir ${tools} && printf '#!/bin/sh\\nexit 1\\n' > ${tools}/getent && chmod 755 ${tools} ${tools}/getent`])
  const path = process.env['PATH'] ?? ''
  process.env['PATH'] = `${tools}:${path}`
  t.teardown(() => {
    process.env['PATH'] = path
  })
  await org.up()
  writeFileSync(org.at('policies/people/ann.md'), '---\nuser: nobody\n---\nAnn\n')
  const alert = await until('config-invalid', () => alertOf(org.root, 'config-invalid'))
  t.match(alert.text, /getent/)
  await runsOn(t, org, 'ann')
})

tap.test('an account among the numbers of uids: is refused: another agent may have it', only, async (t) => {
  const range = /user: 410000 lies in uids: \(410000 to 419999\), which are for agents without user:/
  await refused(t, { agents: { legal: '', pmo: 'user: 410000\n' } }, range)
  await refused(t, { agents: { legal: '' }, people: { ann: 'user: 410000\n' } }, range)
  const org = await organisation(t, { agents: { legal: '', pmo: 'user: 420000\n' } })
  await org.up()
  t.equal(statSync(org.at('workspaces/pmo/outbox')).uid, 420_000)
})

tap.test('a file of root in the spool is the postmaster’s, unless a person has user: root', only, async (t) => {
  const org = await organisation(t)
  await org.up()
  org.drop('spool/one.md', message({ to: 'legal', subject: 'from whom' }))
  const first = await until('mail', () => lettersOf(org.root, 'legal')[0])
  t.equal(first.head.get('from'), 'operator')
  writeFileSync(org.at('policies/people/ann.md'), '---\nuser: root\n---\nAnn\n')
  await until('the person', () => existsSync(org.at('workspaces/ann/new')))
  await pause(200)
  org.drop('spool/two.md', message({ to: 'pmo', subject: 'from whom now' }))
  const second = await until('mail', () => lettersOf(org.root, 'pmo')[0])
  t.equal(second.head.get('from'), 'ann')
  t.equal(second.head.get('via'), 'person')
})
