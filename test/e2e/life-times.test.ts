import t from 'tap'
import { accounting, isTrue, organisation } from './driver.ts'
import { alertOf, lettersOf, message, pause, sentBy, until } from './files.ts'

const inSeconds = (seconds: number): string => new Date(Date.now() + seconds * 1000).toISOString()

t.test('not_before is kept, also across a restart; a reminder to oneself works', async (t) => {
  const org = await organisation(t)
  await org.up()
  const then = Date.now() + 6000
  org.drop('workspaces/pmo/outbox/later.md', message({ to: 'legal', subject: 'later', not_before: new Date(then).toISOString() }))
  org.drop('workspaces/pmo/outbox/self.md', message({ to: 'pmo', subject: 'remember', not_before: new Date(then).toISOString() }))
  await pause(1500)
  await org.end()
  await org.up()
  while (Date.now() < then - 300) {
    t.same(
      [...lettersOf(org.root, 'legal'), ...lettersOf(org.root, 'pmo')].map((one) => one.file),
      [],
      'not yet',
    )
    await pause(500)
  }
  await until('later', () => lettersOf(org.root, 'legal')[0])
  await until('remember', () => lettersOf(org.root, 'pmo')[0])
  // 2 s after its time; + 1 s for a loaded machine
  t.ok(Date.now() - then < 3000)
})

t.test('an unclaimed task that expires is cancelled and its sender told; a claimed one is left', async (t) => {
  const org = await organisation(t)
  await org.up()
  org.drop('workspaces/pmo/outbox/a.md', message({ to: 'legal', subject: 'unclaimed', expires: inSeconds(5) }))
  org.drop('workspaces/pmo/outbox/b.md', message({ to: 'legal', subject: 'claimed', expires: inSeconds(5) }))
  const claimed = await until('the second', () => lettersOf(org.root, 'legal').find((one) => one.head.get('subject') === 'claimed'))
  await org.as('legal', 'mv "new/$1" cur/', claimed.file)
  const gone = await until('cancelled', () => lettersOf(org.root, 'legal').find((one) => one.head.get('status') === 'cancelled'))
  t.equal(gone.head.get('subject'), 'unclaimed')
  await until('the mirror', () => sentBy(org.root, 'pmo').find((one) => one.id === gone.id && one.head.get('status') === 'cancelled'))
  await until('the sender is told', () => lettersOf(org.root, 'pmo').find((one) => one.raw.includes(gone.id)))
  await pause(500)
  t.equal(
    lettersOf(org.root, 'legal')
      .find((one) => one.id === claimed.id)
      ?.head.get('status'),
    'in_progress',
  )
})

t.test("due is shown with its offset after admission; a date is the end of that day in the organisation's time zone", async (t) => {
  const org = await organisation(t, { org: 'timezone: Europe/Berlin\n' })
  await org.up()
  org.drop('spool/legal/a.md', message({ subject: 'a', due: '2099-07-01' }))
  const letter = await until('it', () => lettersOf(org.root, 'legal')[0])
  t.match(letter.head.get('due') ?? '', /^2099-07-01T23:59:59(\.999)?\+02:00$/)
})

t.test('the same sender, ref and content again is a repeat; with other content it is refused; the ref serves as an id', async (t) => {
  const org = await organisation(t)
  await org.up()
  const text = message({ to: 'legal', ref: 'case-7', subject: 'once' })
  org.drop('workspaces/pmo/outbox/one.md', text)
  await until('it', () => lettersOf(org.root, 'legal')[0])
  org.drop('workspaces/pmo/outbox/again.md', text)
  org.drop('workspaces/pmo/outbox/other.md', message({ to: 'legal', ref: 'case-7', subject: 'something else' }))
  await until('ref-reused', () => alertOf(org.root, 'ref-reused', 'other.md'))
  await org.end()
  await org.up()
  org.drop('workspaces/pmo/outbox/and-again.md', text)
  let line = await accounting(org)
  for (let i = 0; i < 50 && line.drops < 4; i++) line = await accounting(org)
  t.ok(isTrue(line), JSON.stringify(line))
  t.match(line, { drops: 4, admitted: 1, repeats: 2, held: 1, copies: 1 })
  t.equal(lettersOf(org.root, 'legal').length, 1)
  org.drop('workspaces/pmo/outbox/cancel.md', message({ to: 'legal', in_reply_to: 'case-7', settles: 'cancelled' }))
  await until('cancelled by ref', () => lettersOf(org.root, 'legal').find((one) => one.head.get('status') === 'cancelled'))
})
