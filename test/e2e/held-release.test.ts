import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import t from 'tap'
import { AM_ROOT, organisation, paste } from './driver.ts'
import { alertOf, filesIn, heldFiles, lettersOf, message, oddInHeld, until } from './files.ts'

t.test('what lies in a misspelt box goes to the one that was meant by the fix of its alert, which closes', async (t) => {
  const org = await organisation(t, { agents: { lead: '', pmo: '' } })
  await org.up()
  mkdirSync(org.at('spool/leed'))
  org.drop('spool/leed/x.md', 'hi\n')
  const alert = await until('unknown-recipient', () => alertOf(org.root, 'unknown-recipient', 'x.md'))
  const why = await until('its reason', () => heldFiles(org.root)[0]?.why)
  t.ok(why.includes(alert.head.get('fix') ?? '?'), 'both give the same fix')
  const pasted = await paste(org, alert.head.get('fix'))
  t.equal(pasted.status, 0, pasted.err)
  await until('delivered', () => lettersOf(org.root, 'lead').find((one) => one.body.toString() === 'hi\n'))
  await until('the alert closes', () => !alertOf(org.root, 'unknown-recipient'))
  await until('its reason goes', () => filesIn(org.at('spool/held')).length === 0)
})

t.test('of a box of nobody, penny release goes by the to: of the message', async (t) => {
  const org = await organisation(t, { agents: { lead: '', pmo: '' } })
  await org.up()
  rmSync(org.at('policies/agents/pmo.md'))
  await until('pmo is nobody any more', () => org.log().includes('configuration taken'))
  org.drop('spool/pmo/x.md', message({ to: 'lead', subject: 'x' }))
  const alert = await until('unknown-recipient', () => alertOf(org.root, 'unknown-recipient', 'x.md'))
  await until('held', () => heldFiles(org.root)[0]?.why)
  const pasted = await paste(org, alert.head.get('fix'))
  t.equal(pasted.status, 0, pasted.err)
  t.match(pasted.out, /^released .*: delivered as [0-9a-f-]{36}\n$/)
  await until('delivered', () => lettersOf(org.root, 'lead').find((one) => one.head.get('subject') === 'x'))
})

t.test('a release says what came of it: delivered, or held again with the reason', async (t) => {
  const org = await organisation(t)
  await org.up()
  org.drop('spool/x.md', message({ to: 'legla' }))
  const held = await until('held', () => heldFiles(org.root)[0])
  const again = await org.penny(['release', held.path])
  t.equal(again.status, 65)
  t.match(again.err, /held again: unknown-recipient\n +why: .*legla.*did you mean legal.*\n +fix: .*penny release/)
  const second = await until('held anew', () => heldFiles(org.root).find((one) => one.id !== held.id))
  t.ok(alertOf(org.root, 'unknown-recipient', 'legla'), 'its alert stays')
  writeFileSync(second.path, message({ to: 'legal' }))
  const through = await org.json(['release', second.path])
  t.match(through, [{ state: 'admitted', ids: [lettersOf(org.root, 'legal')[0]?.id] }])
})

t.test('a name as long as can be is released where another file has it by now', async (t) => {
  const org = await organisation(t)
  await org.up()
  const name = `${'ä'.repeat(126)}.md`
  org.drop(`spool/${name}`, message({ to: 'legla', subject: 'first' }))
  const held = await until('held', () => heldFiles(org.root)[0])
  writeFileSync(held.path, message({ to: 'legal', subject: 'first' }))
  // Something that is no file is not taken away, and keeps the name.
  mkdirSync(org.at('spool', name))
  const released = await org.penny(['release', held.path])
  t.equal(released.status, 0, `${released.err}${org.log()}`)
  t.equal(lettersOf(org.root, 'legal')[0]?.head.get('subject'), 'first')
})

t.test('what a person puts into spool/held/ gets a name that is taken for a message', async (t) => {
  const org = await organisation(t)
  await org.up()
  writeFileSync(org.at('spool/held/mine.md'), message({ to: 'legal', subject: 'mine' }))
  writeFileSync(org.at('spool/held/My notes.txt'), message({ to: 'legal', subject: 'notes' }))
  for (const name of ['mine.md', 'My notes.txt']) {
    const released = await org.penny(['release', name])
    t.equal(released.status, 0, released.err)
  }
  t.same(
    lettersOf(org.root, 'legal').map((one) => one.head.get('subject')),
    ['mine', 'notes'],
  )
})

t.test('a held file that is removed takes its reason and its alert along, unless another of that name is held', async (t) => {
  const org = await organisation(t)
  await org.up()
  org.drop('spool/x.md', message({ to: 'nobody' }))
  const first = await until('one', () => heldFiles(org.root)[0])
  org.drop('spool/x.md', message({ to: 'nobody' }))
  const second = await until('two', () => heldFiles(org.root).find((one) => one.id !== first.id && one.why !== undefined))
  rmSync(first.path)
  await until('its reason goes', () => !existsSync(`${first.path}.why.md`))
  t.ok(alertOf(org.root, 'unknown-recipient'), 'the alert speaks of the other')
  rmSync(second.path)
  await until('the alert closes', () => !alertOf(org.root, 'unknown-recipient'))
  await until('nothing is left', () => filesIn(org.at('spool/held')).length === 0)
  t.same(oddInHeld(org.root), [])
})

t.test('the fix of unknown-sender makes the sender known and lets the file go', { skip: AM_ROOT ? false : 'needs root to be another uid' }, async (t) => {
  const org = await organisation(t)
  await org.up()
  org.drop('spool/x.md', message({ to: 'legal', subject: 'x' }), { uid: 54321, gid: 54321 })
  const alert = await until('unknown-sender', () => alertOf(org.root, 'unknown-sender', 'x.md'))
  t.match(alert.text, /policies\/people\/NAME\.md with "user: 54321"/)
  await until('held', () => heldFiles(org.root)[0]?.why)
  const pasted = await paste(org, alert.head.get('fix'))
  t.equal(pasted.status, 0, `${alert.head.get('fix')}: ${pasted.err}`)
  t.equal(lettersOf(org.root, 'legal')[0]?.head.get('from'), 'uid-54321')
  t.match(readFileSync(org.at('policies/people/uid-54321.md'), 'utf8'), /^user: 54321$/m)
})
