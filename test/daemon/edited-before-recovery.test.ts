import { existsSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import t, { type Test } from 'tap'
import { drop, filesIn, key, mailOf, newRoot, openHouse, until } from '../crash/house.ts'

/** A message that was placed by a daemon which died before it let go of the intent; what its holder made of it meanwhile; and the next start. */
async function afterStart(t: Test, edit: (text: string) => string) {
  const root = newRoot()
  t.teardown(() => rmSync(root, { recursive: true, force: true }))
  const first = await openHouse(root)
  await first.daemon.ready
  drop(root, 'spool', 'a.md', '---\nto: legal\nsubject: a\n---\nPlease answer.\nIt is long, and has\nthree lines.\n')
  const mail = await until(() => mailOf(root)[0])
  if (!mail) throw new Error('not delivered')
  first.abandon()
  // As it was before the checkpoint.
  rmSync(`${root}/.penny/intents/mark.json`, { force: true })
  const cur = mail.path.replace('/new/', '/cur/')
  renameSync(mail.path, cur)
  writeFileSync(cur, edit(mail.text))
  const second = await openHouse(root)
  t.teardown(() => second.stop())
  await second.daemon.ready
  const kept = `${root}/workspaces/legal/attachments/${mail.id}`
  return {
    mail,
    cur: () => mailOf(root).find(({ id, folder }) => id === mail.id && folder === 'cur')?.text,
    count: () => mailOf(root).filter(({ holder, text }) => holder === 'legal' && key(text, 'subject') === 'a').length,
    kept: () => (existsSync(kept) ? readdirSync(kept).map((name) => readFileSync(`${kept}/${name}`, 'utf8')) : []),
    alerts: () => filesIn(`${root}/spool/alerts`).filter((name) => name !== 'done'),
  }
}

t.test('what a holder did while no daemon ran counts, also where the delivery itself had not been closed', async (t) => {
  const { cur, count, mail } = await afterStart(t, (text) =>
    text.replace('status: open', 'status: blocked').replace('It is long, and has\n', '').replace('three lines.', 'No.'),
  )
  const text = await until(() => cur())
  t.equal(key(text ?? '', 'status'), 'blocked')
  t.match(text, /\nPlease answer\.\nNo\.\n$/)
  t.equal(count(), 1, mail.id)
})

t.test('front matter that no longer parses is put back after a start, and the words of its holder are kept beside and told of', async (t) => {
  const { cur, count, kept, alerts } = await afterStart(t, (text) =>
    text.replace('status: open', 'result: Done: see x').replace(/It is(.|\n)*/, 'My answer.\n'),
  )
  t.ok(await until(() => kept().some((text) => text.includes('My answer.')) && alerts().some((name) => name.startsWith('bad-front-matter'))))
  t.ok(await until(() => cur() !== undefined))
  t.equal(count(), 1)
})

t.test('an id that its holder changed is put back after a start, and what it wrote stays', async (t) => {
  const { cur, count, alerts } = await afterStart(t, (text) => text.replace(/^id: .*$/m, 'id: 4711').replace('three lines.', 'My answer.'))
  t.match(await until(() => cur()), /\nMy answer\.\n$/)
  t.ok(await until(() => alerts().some((name) => name.startsWith('tampered'))))
  t.equal(count(), 1)
})
