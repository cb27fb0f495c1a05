import { spawnSync } from 'node:child_process'
import { chmodSync, chownSync, mkdirSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import tap from 'tap'
import { AM_ROOT, ORDINARY, type Organisation, organisation, REACHABLE } from '../e2e/driver.ts'
import { alertOf, alertsOf, lettersOf, message, until } from '../e2e/files.ts'

const only = { skip: AM_ROOT && REACHABLE ? false : 'needs uid 0 and a built command that others may read' }
const FILES = 60_000

function stillOf(folder: string, { uid }: { uid: number }): number {
  return spawnSync('find', [folder, '-uid', String(uid), '-printf', 'x'], { encoding: 'utf8', maxBuffer: 1e8 }).stdout.length
}

function many(folder: string): void {
  spawnSync('sh', ['-c', `mkdir "$1" && cd "$1" && seq 1 ${FILES} | xargs touch`, 'sh', folder])
  spawnSync('chown', ['-R', `${ORDINARY.uid}:${ORDINARY.gid}`, folder])
}

async function sent(org: Organisation, to: string, subject: string): Promise<number> {
  const { at } = org.drop(`spool/${to}/${subject}.md`, message({ subject }))
  await until(`${subject} for ${to}`, () => lettersOf(org.root, to).find(({ head }) => head.get('subject') === subject))
  return performance.now() - at
}

tap.test('a large home is given a little at a time: mail flows meanwhile, kill -9 in the middle loses nothing, and the next start goes on', only, async (t) => {
  const before = await organisation(t, { as: ORDINARY })
  await before.up()
  await before.end()
  many(before.at('workspaces/legal/home/many'))
  const org = await organisation(t, { existing: before.base })
  await org.up()
  const home = org.at('workspaces/legal/home')
  await until('it has begun', () => stillOf(home, ORDINARY) < FILES)
  t.equal(statSync(home).uid, ORDINARY.uid, 'the home itself comes last')
  for (const to of ['pmo', 'legal', 'operator']) t.ok((await sent(org, to, 'meanwhile')) < 2_000, `a letter to ${to} within 2 s`)
  await org.end('SIGKILL')
  t.ok(stillOf(home, ORDINARY) > 0, 'it was in the middle')
  await org.up()
  const uid = statSync(org.at('workspaces/legal/outbox')).uid
  await until('the rest is given', () => statSync(home).uid === uid, 60_000)
  t.equal(stillOf(home, ORDINARY), 0)
  t.equal(stillOf(home, { uid }), FILES + 5, 'with the folder, its guides and itself')
  await org.as('legal', 'rm home/many/1')
  for (const to of ['pmo', 'legal']) t.ok((await sent(org, to, 'after')) < 2_000)
})

tap.test('another account in user: takes over what lies in the folders, of an agent and of a person, and back', only, async (t) => {
  const org = await organisation(t, { people: { ann: 'user: "12345"\n' } })
  await org.up()
  for (const to of ['legal', 'ann', 'operator']) await sent(org, to, 'one')
  org.drop('workspaces/legal/outbox/a.md', message({ to: 'pmo', subject: 'of legal' }))
  await until('sent', () => lettersOf(org.root, 'pmo').length > 0)
  await org.as('legal', 'mkdir home/d; echo mine > home/d/file')
  const agents = (lines: string): void => writeFileSync(org.at('policies/agents/legal.md'), `---\ntitle: legal\n${lines}---\nYou are legal.\n`)
  const person = (name: string, lines: string): void => writeFileSync(org.at(`policies/people/${name}.md`), `---\n${lines}---\n${name}\n`)
  const all = (folder: string, uid: number): boolean => {
    const { stdout } = spawnSync('find', [org.at(folder), '-mindepth', '1', '!', '-uid', String(uid), '-print'], { encoding: 'utf8' })
    return stdout === '' && statSync(org.at(folder)).uid === uid
  }
  const { uid } = statSync(org.at('workspaces/legal/outbox'))
  agents('user: "12400"\n')
  for (const folder of ['new', 'cur', 'done', 'outbox', 'home']) await until(`${folder} of legal`, () => all(`workspaces/legal/${folder}`, 12_400))
  for (const folder of ['sent', 'attachments', 'runs'])
    await until(`${folder} of legal`, () => spawnSync('find', [org.at('workspaces/legal', folder), '!', '-gid', '12400'], { encoding: 'utf8' }).stdout === '')
  t.equal(statSync(org.at('workspaces/legal/home/d/file')).mode & 0o777, 0o644)
  await org.as('legal', 'mv new/* cur/; cat sent/* home/d/file > /dev/null; echo more >> home/d/file')
  await until('claimed', () => lettersOf(org.root, 'legal')[0]?.head.get('status') === 'in_progress')
  agents('')
  for (const folder of ['new', 'cur', 'done', 'outbox', 'home']) await until(`${folder} of legal again`, () => all(`workspaces/legal/${folder}`, uid))
  t.same(alertsOf(org.root), [], 'what the operator asked for is no fault')

  person('ann', 'user: "12346"\n')
  person('operator', 'user: "12347"\n')
  for (const [name, id] of Object.entries({ ann: 12_346, operator: 12_347 }))
    for (const folder of ['new', 'cur', 'done', 'outbox', 'sent', 'attachments'])
      await until(`${folder} of ${name}`, () => all(`workspaces/${name}/${folder}`, id))
  await org.as('operator', 'mv new/* cur/')
  await until('claimed', () => lettersOf(org.root, 'operator')[0]?.head.get('status') === 'in_progress')
  for (const code of ['tampered', 'missing-message', 'unsafe-file']) t.notOk(alertOf(org.root, code), code)
  for (const to of ['legal', 'ann', 'operator']) await sent(org, to, 'two')
})

tap.test('what is root’s in a folder that an agent lost to root is not given to the agent', only, async (t) => {
  const org = await organisation(t)
  await org.up()
  const home = org.at('workspaces/legal/home')
  const uid = statSync(home).uid
  mkdirSync(join(home, 'd'))
  writeFileSync(join(home, 'd/secret'), 'secret')
  chmodSync(join(home, 'd/secret'), 0o600)
  chownSync(home, 0, 0)
  await until('the home is the agent’s again', () => statSync(home).uid === uid)
  t.equal(statSync(join(home, 'd/secret')).uid, 0)
})
