import t from 'tap'
import { accounting, isTrue, organisation } from './driver.ts'
import { alertsOf, type Letter, lettersOf, message, sentBy, until } from './files.ts'

t.test("mv claims, releases and settles: the status follows within 1 s, in the message and in the sender's mirror", async (t) => {
  const org = await organisation(t)
  await org.up()
  org.drop('workspaces/pmo/outbox/task.md', message({ to: 'legal', subject: 'Review the agreement', priority: 'high' }, 'Body\r\nas it is'))
  const letter = await until('the message', () => lettersOf(org.root, 'legal')[0])
  t.equal(letter.folder, 'new')
  t.equal(letter.file, `2-high.${letter.id}.review-the-agreement.md`, 'the name tells rank, priority, id and subject')
  t.match(Object.fromEntries(letter.head), {
    id: letter.id,
    from: 'pmo',
    via: 'agent',
    to: 'legal',
    subject: 'Review the agreement',
    priority: 'high',
    status: 'open',
    thread: letter.id,
  })
  for (const key of ['created', 'updated']) t.match(letter.head.get(key) ?? '', /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}(Z|[+-]\d\d:\d\d)$/, key)
  await until('the mirror', () => sentBy(org.root, 'pmo').find((mirror) => mirror.file === letter.file && mirror.head.get('status') === 'open'))

  async function move(from: string, to: string, status: string): Promise<Letter> {
    await org.as('legal', `mv "${from}/$1" "${to}/"`, letter.file)
    const moved = performance.now()
    const now = await until(`${status} after mv ${from} ${to}`, () =>
      lettersOf(org.root, 'legal').find((one) => one.head.get('status') === status && one.folder === to),
    )
    await until(`the mirror says ${status}`, () => sentBy(org.root, 'pmo').find((mirror) => mirror.head.get('status') === status))
    // 1 s for the message and 1 s for its mirror run side by side; + 1 s for a loaded machine
    t.ok(performance.now() - moved < 2000, `${status} within 1 s`)
    t.equal(now.file, letter.file, 'the name stays')
    t.equal(now.body.toString(), 'Body\r\nas it is', 'the body stays')
    return now
  }
  await move('new', 'cur', 'in_progress')
  await move('cur', 'new', 'open')
  await move('new', 'cur', 'in_progress')
  await move('cur', 'done', 'done')
  const line = await accounting(org)
  t.ok(isTrue(line) && line.settled === 1 && line.open === 0, JSON.stringify(line))
})

t.test('a task may be settled straight out of new/', async (t) => {
  const org = await organisation(t)
  await org.up()
  org.drop('spool/legal/task.md', message({ subject: 'quick' }))
  const letter = await until('the message', () => lettersOf(org.root, 'legal')[0])
  await org.as('legal', 'mv "new/$1" done/', letter.file)
  await until('done', () => lettersOf(org.root, 'legal').find((one) => one.folder === 'done' && one.head.get('status') === 'done'))
})

t.test('a move that the table does not allow is undone with an alert', async (t) => {
  const org = await organisation(t)
  await org.up()
  org.drop('spool/legal/task.md', message({ subject: 'finished' }))
  const letter = await until('the message', () => lettersOf(org.root, 'legal')[0])
  await org.as('legal', 'mv "new/$1" done/', letter.file)
  await until('done', () => sentBy(org.root, 'operator').find((mirror) => mirror.head.get('status') === 'done'))
  const settled = await until('settled', () => lettersOf(org.root, 'legal').find((one) => one.head.get('status') === 'done'))
  await org.as('legal', 'mv "$1" cur/', settled.path)
  await until('back in done/', () => lettersOf(org.root, 'legal').find((one) => one.folder === 'done' && one.head.get('status') === 'done'))
  await until('an alert', () => alertsOf(org.root).find((alert) => alert.text.includes(letter.id)))
  t.equal(lettersOf(org.root, 'legal').length, 1, 'one place')
})
