import t from 'tap'
import { organisation } from './driver.ts'
import { lettersOf, message, sentBy, until } from './files.ts'

t.test('a status written into the file moves it, with result and progress shown to the sender within 1 s', async (t) => {
  const org = await organisation(t)
  await org.up()
  const steps = [
    { from: 'new', status: 'in_progress', folder: 'cur', more: 'progress: read half' },
    { from: 'cur', status: 'blocked', folder: 'cur', more: 'blocked_on: waiting for the bank' },
    { from: 'cur', status: 'open', folder: 'new', more: '' },
    { from: 'new', status: 'failed', folder: 'done', more: 'result: cannot be done' },
  ]
  org.drop('workspaces/pmo/outbox/task.md', message({ to: 'legal', subject: 'one' }, 'Body'))
  const letter = await until('the message', () => lettersOf(org.root, 'legal')[0])
  for (const step of steps) {
    const edit = step.more ? `-e "/^status:/a ${step.more}"` : ''
    await org.as('legal', `sed -i -e "s/^status: .*/status: ${step.status}/" ${edit} "${step.from}/$1"`, letter.file)
    const edited = performance.now()
    const moved = await until(`${step.status} in ${step.folder}`, () =>
      lettersOf(org.root, 'legal').find((one) => one.folder === step.folder && one.head.get('status') === step.status),
    )
    const mirror = await until(`the mirror says ${step.status}`, () => sentBy(org.root, 'pmo').find((one) => one.head.get('status') === step.status))
    // 1 s; + 1 s for a loaded machine
    t.ok(performance.now() - edited < 2000, `${step.status} within 1 s`)
    const [key, value] = step.more.split(': ')
    if (key === 'progress' || key === 'result') t.equal(mirror.head.get(key), value, `the mirror has the ${key}`)
    t.equal(moved.body.toString(), 'Body')
  }
  const settled = await until('the end', () => lettersOf(org.root, 'legal').find((one) => one.folder === 'done'))
  t.equal(settled.head.get('progress'), 'read half', 'progress survives everything')
  t.equal(lettersOf(org.root, 'legal').length, 1)
})

t.test('the body of a copy may be changed: a list is ticked, the original stays to be read', async (t) => {
  const org = await organisation(t)
  await org.up()
  org.drop('spool/legal/list.md', message({ subject: 'list' }, '- [ ] one\n- [ ] two\n'))
  const letter = await until('the message', () => lettersOf(org.root, 'legal')[0])
  await org.as('legal', 'sed -i "s/^- \\[ \\] one/- [x] one/" "new/$1"; mv "new/$1" cur/', letter.file)
  const ticked = await until('claimed', () => lettersOf(org.root, 'legal').find((one) => one.head.get('status') === 'in_progress'))
  t.equal(ticked.body.toString(), '- [x] one\n- [ ] two\n')
  const original = await org.penny(['show', letter.id, '--original'])
  t.equal(original.status, 0)
  t.match(original.out, /- \[ \] one/)
})
