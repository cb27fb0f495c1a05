import { rmSync } from 'node:fs'
import t from 'tap'
import { accounting, isTrue, organisation } from './driver.ts'
import { alertsOf, lettersOf, message, sentBy, until } from './files.ts'

t.test('claimed and settled one after the other while the daemon is down is no conflict', async (t) => {
  const org = await organisation(t)
  await org.up()
  org.drop('spool/legal/one.md', message({ subject: 'one' }))
  const letter = await until('mail', () => lettersOf(org.root, 'legal')[0])
  await org.end()
  for (const args of [
    ['claim', letter.id, '--agent', 'legal'],
    ['settle', letter.id, 'done', '--agent', 'legal'],
  ]) {
    const ended = await org.penny(args)
    t.equal(ended.status, 0, ended.err)
  }
  await org.up()
  await until('done', () => lettersOf(org.root, 'legal').find((one) => one.folder === 'done' && one.head.get('status') === 'done'))
  t.same(
    alertsOf(org.root).map(({ file }) => file),
    [],
  )
})

t.test("without the daemon's own records a message is known again by the mirror of its sender, and its front matter counts", async (t) => {
  const org = await organisation(t)
  await org.up()
  for (const name of ['open', 'claimed', 'settled']) org.drop(`workspaces/pmo/outbox/${name}.md`, message({ to: 'legal', subject: name }))
  const find = (subject: string) => lettersOf(org.root, 'legal').find((one) => one.head.get('subject') === subject)
  await until('mail', () => lettersOf(org.root, 'legal').length === 3)
  await org.as('legal', 'mv "new/$1" cur/; mv "new/$2" done/', find('claimed')?.file ?? '', find('settled')?.file ?? '')
  await until('in step', () => find('claimed')?.head.get('status') === 'in_progress' && find('settled')?.head.get('status') === 'done')
  await until('mirrors', () => sentBy(org.root, 'pmo').filter((one) => one.head.get('status') !== 'open').length === 2)
  await org.end()
  rmSync(org.at('.penny'), { recursive: true })
  await org.up()
  const forged = '1-urgent.01a1ff1b-941b-7000-98b1-8bd53f7406e3.forged.md'
  await org.as('legal', 'printf -- "---\\nid: 01a1ff1b-941b-7000-98b1-8bd53f7406e3\\nfrom: pmo\\nto: legal\\nstatus: open\\n---\\nx\\n" > "new/$1"', forged)
  const listed = async (): Promise<unknown[]> => (await org.json(['tasks'])).map(({ subject, status, from }) => ({ subject, status, from }))
  for (let i = 0; i < 100 && (await listed()).length < 2; i++);
  t.same(await listed(), [
    { subject: 'open', status: 'open', from: 'pmo' },
    { subject: 'claimed', status: 'in_progress', from: 'pmo' },
  ])
  t.ok(isTrue(await accounting(org)))
  await org.as('legal', 'mv "cur/$1" done/', find('claimed')?.file ?? '')
  await until('the mirror follows', () => sentBy(org.root, 'pmo').find((one) => one.head.get('subject') === 'claimed' && one.head.get('status') === 'done'))
  // what nobody sent: told after 10 s as before, and by then the settled one would have been
  const alert = await until('the forged one', () => alertsOf(org.root).find(({ text }) => text.includes(forged)))
  t.equal(alert.code, 'unmatched-file')
  t.same(
    alertsOf(org.root).map(({ code }) => code),
    ['unmatched-file'],
  )
  await org.end('SIGKILL')
  await org.up()
  t.same(await listed(), [{ subject: 'open', status: 'open', from: 'pmo' }], 'after a restart they are known')
})
