import t from 'tap'
import { organisation } from './driver.ts'
import { alertOf, type Letter, lettersIn, lettersOf, message, pause, sentBy, until } from './files.ts'

const SETTLED = ['failed', 'done', 'cancelled'] as const

t.test('what a settled task became outlives the daemon: no edit of its file makes it something else', async (t) => {
  const org = await organisation(t)
  await org.up()
  const settled: { letter: Letter; status: string }[] = []
  for (const status of SETTLED) {
    org.drop('workspaces/pmo/outbox/task.md', message({ to: 'legal', subject: `to be ${status}` }))
    const letter = await until('the message', () => lettersIn(org.at('workspaces/legal/new'), 'new')[0])
    const done = status === 'cancelled' ? await org.penny(['set', letter.id, 'status=cancelled']) : await org.penny(['settle', letter.id, status])
    t.equal(done.status, 0, done.err)
    settled.push({ letter, status })
  }
  await until('all mirrors', () => SETTLED.every((status) => sentBy(org.root, 'pmo').some(({ head }) => head.get('status') === status)))
  for (const restarted of [true, false]) {
    if (restarted) {
      await org.end('SIGKILL')
      await org.up()
    }
    for (const { letter, status } of settled) {
      for (const claimed of ['open', 'done', 'cancelled'].filter((one) => one !== status)) {
        const what = `${status}, changed to ${claimed}, ${restarted ? 'after' : 'without'} a restart`
        await org.penny(['alerts', 'done', 'all'])
        await org.as('legal', `sed -i "s/^status: .*/status: ${claimed}/" "done/$1"`, letter.file)
        await until(what, () => lettersIn(org.at('workspaces/legal/done')).find(({ id, head }) => id === letter.id && head.get('status') === status))
        await until(`told: ${what}`, () => alertOf(org.root, 'status-conflict', letter.id))
      }
    }
  }
  t.same(new Set(sentBy(org.root, 'pmo').map(({ head }) => head.get('status'))), new Set(SETTLED))
})

t.test('a reply that settles a withdrawn task does not settle it, though its file says that it is open', async (t) => {
  const org = await organisation(t)
  await org.up()
  org.drop('workspaces/pmo/outbox/task.md', message({ to: 'legal', subject: 'withdrawn' }))
  const letter = await until('the message', () => lettersOf(org.root, 'legal')[0])
  await org.penny(['set', letter.id, 'status=cancelled'])
  await org.end()
  await org.as('legal', `sed -i "s/^status: .*/status: open/" "done/$1"`, letter.file)
  org.drop('workspaces/legal/outbox/answer.md', message({ to: 'pmo', subject: 'after all', in_reply_to: letter.id, settles: 'done' }))
  await org.up()
  await until('the reply', () => lettersOf(org.root, 'pmo').find(({ head }) => head.get('subject') === 'after all'))
  await until('told', () => alertOf(org.root, 'status-conflict', letter.id))
  await pause(1000)
  t.same(
    (await org.json(['log', letter.id])).filter(({ event, status }) => event === 'status' && status !== 'cancelled'),
    [],
  )
  t.equal(sentBy(org.root, 'pmo')[0]?.head.get('status'), 'cancelled')
})

t.test('what a holder may not change is put back in settled mail too, also after a restart', async (t) => {
  const org = await organisation(t)
  await org.up()
  org.drop('workspaces/pmo/outbox/task.md', message({ to: 'legal', subject: 'pay 1k', 'x-case': '12' }, 'Body'))
  const letter = await until('the message', () => lettersOf(org.root, 'legal')[0])
  t.equal((await org.penny(['settle', letter.id, 'done'])).status, 0)
  for (const restarted of [false, true]) {
    if (restarted) {
      await org.end('SIGKILL')
      await org.up()
      await org.penny(['alerts', 'done', 'all'])
    }
    await org.as('legal', 'sed -i -e "s/^from: .*/from: ceo/" -e "s/^subject: .*/subject: pay 1M/" -e "s/^x-case: .*/x-case: 13/" "done/$1"', letter.file)
    await until('tampered', () => alertOf(org.root, 'tampered', letter.id))
    const back = await until('put back', () => lettersIn(org.at('workspaces/legal/done')).find(({ head }) => head.get('subject') === 'pay 1k'))
    t.match(Object.fromEntries(back.head), { from: 'pmo', status: 'done', 'x-case': '13' })
    t.match((await org.penny(['show', letter.id])).out, /pay 1k/)
  }
})

t.test('a copy of a settled message beside it is taken away, kept and told', async (t) => {
  const org = await organisation(t)
  await org.up()
  org.drop('workspaces/pmo/outbox/task.md', message({ to: 'legal', subject: 'twice' }, 'Body'))
  const letter = await until('the message', () => lettersOf(org.root, 'legal')[0])
  t.equal((await org.penny(['settle', letter.id, 'done'])).status, 0)
  await org.as('legal', 'cp "done/$1" new/', letter.file)
  await until('one of them', () => lettersOf(org.root, 'legal').length === 1)
  await until('told', () => alertOf(org.root, 'status-conflict', letter.id))
  t.equal(lettersOf(org.root, 'legal')[0]?.folder, 'done')
  t.match(await org.as('legal', 'cat "attachments/$1/"copy-*', letter.id), /Body/)
})
