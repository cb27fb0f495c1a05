import { chownSync, linkSync, mkdirSync, statSync, writeFileSync } from 'node:fs'
import tap from 'tap'
import { AM_ROOT, type Organisation, organisation, paste } from '../e2e/driver.ts'
import { lettersOf, message, until } from '../e2e/files.ts'

const only = { skip: AM_ROOT ? false : 'needs uid 0: system mode' }

async function wrongs(org: Organisation, about: string): Promise<Record<string, unknown>[]> {
  return (await org.json(['doctor'])).filter(({ outcome, what }) => outcome === 'wrong' && String(what).includes(about))
}

tap.test('doctor finds files in the folders of the table that are others’, and gives nothing to an agent that it may have planted', only, async (t) => {
  const org = await organisation(t)
  await org.up()
  org.drop('workspaces/pmo/outbox/files/a.txt', 'text')
  org.drop('workspaces/pmo/outbox/a.md', message({ to: 'legal', subject: 'a', attach: 'a.txt' }))
  const { id } = await until('mail', () => lettersOf(org.root, 'legal')[0])
  const attached = org.at('workspaces/legal/attachments', id, 'a.txt')
  t.same(await wrongs(org, 'belong'), [])
  chownSync(attached, 777, 777)
  const draft = org.at('workspaces/legal/new/.draft')
  writeFileSync(draft, 'x')
  chownSync(draft, 777, 777)
  const home = org.at('workspaces/legal/home')
  mkdirSync(`${home}/sub`)
  writeFileSync(`${home}/sub/secret`, 'x')
  writeFileSync(`${org.base}/elsewhere`, 'x')
  chownSync(`${org.base}/elsewhere`, 777, 777)
  linkSync(`${org.base}/elsewhere`, `${home}/sub/planted`)
  const [given] = await wrongs(org, 'legal/attachments')
  t.match(given, { check: 'owners', what: /1 entry .*uid 0: .*\(uid 777\)/, fix: /^chown -h 0:\d+ / })
  t.equal((await paste(org, String(given?.['fix']))).status, 0)
  t.equal(statSync(attached).uid, 0)
  t.same(await wrongs(org, 'legal/attachments'), [])
  const [mail] = await wrongs(org, 'legal/new')
  const { uid, gid } = statSync(org.at('workspaces/legal/new'))
  t.match(mail, { fix: /^ls -ldn .* # each that is its own: chown -h / })
  t.ok(String(mail?.['fix']).endsWith(`chown -h ${uid}:${gid} FILE`))
  const found = await wrongs(org, 'legal/home')
  t.match(found, [{ what: /sub\/planted \(uid 777\)/, fix: /^ls -ldn / }])
  t.notMatch(found, [{ what: /secret/ }], 'what root put there is for the agent to read')
})
