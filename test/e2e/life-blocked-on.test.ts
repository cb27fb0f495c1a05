import t from 'tap'
import { organisation } from './driver.ts'
import { alertOf, heldFiles, lettersOf, message, until } from './files.ts'

t.test('a task blocked on messages goes back to new/ when the last of them is settled', async (t) => {
  const org = await organisation(t)
  await org.up()
  org.drop('spool/pmo/main.md', message({ subject: 'main' }))
  const main = await until('main', () => lettersOf(org.root, 'pmo')[0])
  for (const n of [1, 2]) org.drop(`workspaces/pmo/outbox/part-${n}.md`, message({ to: 'legal', subject: `part ${n}` }))
  const parts = await until('the parts', () => {
    const all = lettersOf(org.root, 'legal')
    return all.length === 2 && all
  })
  await org.as(
    'pmo',
    'sed -i -e "s/^status: .*/status: blocked/" -e "/^status:/a blocked_on: [$2, $3]" "new/$1"',
    main.file,
    parts[0]?.id ?? '',
    parts[1]?.id ?? '',
  )
  const folderOfMain = (): string | undefined => lettersOf(org.root, 'pmo').find((one) => one.id === main.id)?.folder
  await until('blocked', () => folderOfMain() === 'cur')
  await org.as('legal', 'mv "new/$1" done/', parts[0]?.file ?? '')
  await until('the first is settled', () => lettersOf(org.root, 'legal').find((one) => one.head.get('status') === 'done'))
  t.equal(folderOfMain(), 'cur', 'one is not enough')
  await org.as('legal', 'mv "new/$1" done/', parts[1]?.file ?? '')
  await until('unblocked', () => folderOfMain() === 'new')
  t.equal(
    lettersOf(org.root, 'pmo')
      .find((one) => one.id === main.id)
      ?.head.get('status'),
    'open',
  )
})

t.test('tasks that wait for each other in a circle are pointed out', async (t) => {
  const org = await organisation(t)
  await org.up()
  org.drop('workspaces/pmo/outbox/a.md', message({ to: 'legal', subject: 'a' }))
  org.drop('workspaces/legal/outbox/b.md', message({ to: 'pmo', subject: 'b' }))
  const a = await until('a', () => lettersOf(org.root, 'legal')[0])
  const b = await until('b', () => lettersOf(org.root, 'pmo')[0])
  await org.as('legal', 'sed -i -e "s/^status: .*/status: blocked/" -e "/^status:/a blocked_on: $2" "new/$1"', a.file, b.id)
  await org.as('pmo', 'sed -i -e "s/^status: .*/status: blocked/" -e "/^status:/a blocked_on: $2" "new/$1"', b.file, a.id)
  const alert = await until('blocked-cycle', () => alertOf(org.root, 'blocked-cycle'), 65_000)
  t.ok(alert.text.includes(a.id) || alert.text.includes(b.id), 'it names them')
  await org.as('legal', 'mv "cur/$1" done/', a.file)
  await until('gone with its cause', () => !alertOf(org.root, 'blocked-cycle'), 65_000)
})

t.test('an id that no message has unblocks nothing: holder and operator are told, and the right one mends it', async (t) => {
  const org = await organisation(t)
  await org.up()
  org.drop('spool/pmo/main.md', message({ subject: 'main' }))
  const main = await until('main', () => lettersOf(org.root, 'pmo')[0])
  org.drop('workspaces/pmo/outbox/part.md', message({ to: 'legal', subject: 'part' }))
  const part = await until('the part', () => lettersOf(org.root, 'legal')[0])
  const mistyped = `${part.id.slice(0, -4)}${part.id.endsWith('0000') ? '1111' : '0000'}`
  await org.as('pmo', 'sed -i -e "s/^status: .*/status: blocked/" -e "/^status:/a blocked_on: [$2]" "new/$1"', main.file, mistyped)
  const alert = await until('alerted', () => alertOf(org.root, 'bad-value'))
  t.ok(alert.text.includes(mistyped))
  const note = await until('told', () => lettersOf(org.root, 'pmo').find((one) => one.head.get('in_reply_to') === main.id))
  t.ok(note.body.includes(mistyped))
  t.equal(lettersOf(org.root, 'pmo').find(({ id }) => id === main.id)?.folder, 'cur', 'it is blocked still')
  t.equal((await org.penny(['settle', main.id, 'blocked', '--on', part.id, '--agent', 'pmo'])).status, 0)
  await org.as('legal', 'mv "new/$1" done/', part.file)
  await until('unblocked', () => lettersOf(org.root, 'pmo').find(({ id }) => id === main.id)?.folder === 'new')
  t.equal(lettersOf(org.root, 'pmo').length, 2, 'told once')
})

t.test('an answer to a ref that two messages bear is told their ids, which are taken then', async (t) => {
  const org = await organisation(t, { agents: { legal: '', pmo: '', cfo: '' } })
  await org.up()
  for (const name of ['pmo', 'cfo']) org.drop(`workspaces/${name}/outbox/report.md`, message({ to: 'legal', ref: 'report', subject: `of ${name}` }))
  const both = await until('both', () => {
    const all = lettersOf(org.root, 'legal')
    return all.length === 2 && all
  })
  org.drop('workspaces/legal/outbox/answer.md', message({ to: 'pmo', in_reply_to: 'report' }))
  const held = await until('held', () => heldFiles(org.root)[0]?.why && heldFiles(org.root)[0])
  for (const { id } of both) t.ok(held.why?.includes(id), 'it names each')
  const shown = await org.penny(['show', 'report'])
  t.equal(shown.status, 64)
  for (const { id } of both) t.ok(shown.err.includes(id), 'so does the command')
})
