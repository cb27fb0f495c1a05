import t from 'tap'
import { organisation } from './driver.ts'
import { alertOf, lettersOf, message, until } from './files.ts'

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
