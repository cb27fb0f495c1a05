import t from 'tap'
import { organisation } from './driver.ts'
import { lettersOf, pause, until } from './files.ts'

t.test('a schedule drops its message at its minute, as mail from the schedule, and once', async (t) => {
  const org = await organisation(t, { policies: { 'schedules/minutely.md': '---\ncron: "* * * * *"\nto: legal\nsubject: every minute\n---\nthe body\n' } })
  await org.up()
  const begun = Date.now()
  const letter = await until('it', () => lettersOf(org.root, 'legal')[0], 70_000)
  t.match(Object.fromEntries(letter.head), { subject: 'every minute', via: 'schedule' })
  t.equal(letter.body.toString(), 'the body\n')
  const minutes = Math.floor(Date.now() / 60_000) - Math.floor(begun / 60_000)
  await pause(1500)
  t.ok(lettersOf(org.root, 'legal').length <= minutes + 1, 'once a minute')
})
