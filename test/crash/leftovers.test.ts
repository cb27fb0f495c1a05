import { writeFileSync } from 'node:fs'
import t from 'tap'
import { digestOf } from '../../src/mailbox/index.ts'
import { drop, filesIn, mailOf, newRoot, openHouse, report, until } from './house.ts'

t.test("a start keeps a holder's text that the daemon before it left in staging, and nothing else of it", async (t) => {
  const root = newRoot()
  const before = await openHouse(root)
  await before.daemon.ready
  drop(root, 'spool', 'task.md', '---\nto: legal\nsubject: Review\n---\nthe body\n')
  const mail = await until(() => mailOf(root).find(({ holder }) => holder === 'legal'))
  if (!mail) throw new Error('it was not delivered')
  await before.stop()

  const texts = { read: mail.text, ours: mail.text.replace('Review', 'Check'), theirs: mail.text.replace('the body', 'my own words') }
  const known = [texts.read, texts.ours].map((text) => digestOf(text).replaceAll('/', '_')).join('.')
  for (const [what, text] of Object.entries(texts)) writeFileSync(`${root}/.penny/staging/swapped.${mail.id}.${known}.${what}`, text)
  writeFileSync(`${root}/.penny/staging/rewrite.half`, mail.text.slice(0, 40))

  const after = await openHouse(root)
  t.teardown(after.stop)
  await after.daemon.ready
  const aside = `${root}/workspaces/legal/attachments/${mail.id}`
  t.ok(await until(() => filesIn(aside).length > 0 && filesIn(`${root}/.penny/staging`).length === 0))
  t.equal(filesIn(aside).length, 1)
  t.match(filesIn(aside)[0], /^late-/)
  t.match((await report(after)).alerts, [{ code: 'status-conflict', about: mail.id }])
})
