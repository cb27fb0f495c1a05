import t from 'tap'
import { type Organisation, organisation, REACHABLE } from './driver.ts'
import { alertOf, alertsOf, type Letter, lettersOf, message, sentBy, until } from './files.ts'

async function task(org: Organisation, subject: string): Promise<Letter> {
  org.drop(`workspaces/pmo/outbox/${subject}.md`, message({ to: 'legal', subject }))
  return until(subject, () => lettersOf(org.root, 'legal').find((one) => one.head.get('subject') === subject))
}

function reply(org: Organisation, from: string, to: string, id: string, settles?: string): void {
  org.drop(`workspaces/${from}/outbox/reply-${from}.md`, message({ to, in_reply_to: id, ...(settles ? { settles } : {}) }, `answer ${settles ?? 'only'}\n`))
}

const now = (org: Organisation, holder: string, id: string): Letter | undefined => lettersOf(org.root, holder).find((one) => one.id === id)

t.test('a reply that settles answers and closes in one act: done, failed, blocked; `no` leaves it', async (t) => {
  const org = await organisation(t)
  await org.up()
  for (const [settles, status, folder] of [
    ['done', 'done', 'done'],
    ['failed', 'failed', 'done'],
    ['blocked', 'blocked', 'cur'],
    ['no', 'open', 'new'],
  ] as const) {
    const letter = await task(org, `to be ${settles}`)
    reply(org, 'legal', 'pmo', letter.id, settles)
    const answer = await until('the answer', () => lettersOf(org.root, 'pmo').find((one) => one.head.get('in_reply_to') === letter.id))
    t.equal(answer.head.get('kind'), 'note', `${settles}: a reply is a note`)
    t.equal(answer.head.get('thread'), letter.id, `${settles}: in the thread`)
    await until(`${settles} → ${status}`, () => now(org, 'legal', letter.id)?.head.get('status') === status && now(org, 'legal', letter.id)?.folder === folder)
    const mirror = await until(`${settles}: the mirror`, () => sentBy(org.root, 'pmo').find((one) => one.id === letter.id && one.head.get('status') === status))
    if (settles === 'no') continue
    t.equal(mirror.head.get('result'), `answer ${settles}`, `${settles}: the sender sees what came of it, the first line of the answer`)
    t.equal(now(org, 'legal', letter.id)?.head.get('result'), `answer ${settles}`)
  }
})

t.test('the result of a reply without words is its subject; a heading counts without its marks', async (t) => {
  const org = await organisation(t)
  await org.up()
  for (const [body, result] of [
    ['\n\n---\n', 'Re: one'],
    ['\r\n## Signed: by both ##\r\nmore\r\n', 'Signed: by both'],
  ] as const) {
    const letter = await task(org, `for ${result.length}`)
    org.drop('workspaces/legal/outbox/answer.md', message({ to: 'pmo', in_reply_to: letter.id, settles: 'done', subject: '"Re: one"' }, body))
    const done = await until('done', () => lettersOf(org.root, 'legal').find((one) => one.id === letter.id && one.folder === 'done'))
    t.equal(done.head.get('result'), result)
  }
})

t.test('a reply without settles is noted in the task, and the holder is told at once', async (t) => {
  const org = await organisation(t)
  await org.up()
  const letter = await task(org, 'one')
  reply(org, 'legal', 'pmo', letter.id)
  const answer = await until('the answer', () => lettersOf(org.root, 'pmo').find((one) => one.head.get('in_reply_to') === letter.id))
  const noted = await until('answered', () => lettersOf(org.root, 'legal').find((one) => one.id === letter.id && one.head.has('answered')))
  t.equal(noted.head.get('answered'), answer.id)
  t.equal(noted.head.get('status'), 'open')
  await until('told', () => lettersOf(org.root, 'legal').find((one) => one.id !== letter.id && /answered, not closed/i.test(one.raw.toString())))
})

t.test('the sender of a task withdraws it and opens it again; nobody else does', async (t) => {
  const org = await organisation(t, { agents: { legal: '', pmo: '', eve: '' } })
  await org.up()
  const letter = await task(org, 'one')
  reply(org, 'pmo', 'legal', letter.id, 'cancelled')
  await until('cancelled', () => now(org, 'legal', letter.id)?.head.get('status') === 'cancelled' && now(org, 'legal', letter.id)?.folder === 'done')
  reply(org, 'pmo', 'legal', letter.id, 'open')
  await until('reopened', () => now(org, 'legal', letter.id)?.head.get('status') === 'open' && now(org, 'legal', letter.id)?.folder === 'new')
  reply(org, 'eve', 'legal', letter.id, 'cancelled')
  await until('refused', () => alertsOf(org.root).find((alert) => alert.text.includes('reply-eve')))
  t.equal(now(org, 'legal', letter.id)?.head.get('status'), 'open')
})

t.test('the sender of a task corrects its priority and date, whatever its status is; by a drop, or by penny set in its workspace', async (t) => {
  const org = await organisation(t, { agents: { legal: '', pmo: '', eve: '' } })
  await org.up()
  const letter = await task(org, 'one-urgent')
  t.ok(await until('a warning', () => alertOf(org.root, 'priority-in-name')))
  await org.as('legal', 'mv "new/$1" cur/', letter.file)
  await until('claimed', () => now(org, 'legal', letter.id)?.head.get('status') === 'in_progress')
  org.drop('workspaces/pmo/outbox/c.md', message({ to: 'legal', in_reply_to: letter.id, settles: 'open', priority: 'urgent', due: '2099-01-02' }, 'it is.\n'))
  const corrected = await until('urgent', () => {
    const found = now(org, 'legal', letter.id)
    return found?.head.get('priority') === 'urgent' && found
  })
  t.match(corrected.head.get('due') ?? '', /^2099-01-02T/)
  t.equal(corrected.head.get('status'), 'in_progress', 'it stays in hand')
  await until('its name too', () => now(org, 'legal', letter.id)?.file.startsWith('1-urgent.'))
  await until('the warning goes', () => !alertOf(org.root, 'priority-in-name'))
  await until('the mirror', () => sentBy(org.root, 'pmo').find((one) => one.id === letter.id && one.head.get('priority') === 'urgent'))

  const pmo = { as: org.owner('pmo'), cwd: org.at('workspaces/pmo/home') }
  if (REACHABLE) {
    const set = await org.penny(['set', letter.id.slice(-6), 'priority=low'], pmo)
    t.equal(set.status, 0, set.err)
    await until('low', () => now(org, 'legal', letter.id)?.head.get('priority') === 'low')
    const eve = await org.penny(['set', letter.id, 'priority=urgent'], { as: org.owner('eve'), cwd: org.at('workspaces/eve/home') })
    t.equal(eve.status, 66, "what is not eve's, it does not even see")
  }
  org.drop('workspaces/eve/outbox/eve.md', message({ to: 'legal', in_reply_to: letter.id, settles: 'open', priority: 'high' }))
  await until('refused', () => alertsOf(org.root).find((alert) => alert.text.includes('outbox/eve.md')))
  reply(org, 'pmo', 'legal', letter.id)
  await until('an answer', () => lettersOf(org.root, 'legal').find((one) => /answer only/.test(one.body.toString())))
  t.equal(now(org, 'legal', letter.id)?.head.get('priority'), REACHABLE ? 'low' : 'urgent', 'an answer with the default priority says nothing of the task')
  t.notOk(alertOf(org.root, 'status-conflict'))

  await org.as('legal', 'mv cur/*one-urgent* done/')
  await until('done', () => now(org, 'legal', letter.id)?.head.get('status') === 'done')
  org.drop('workspaces/pmo/outbox/d.md', message({ to: 'legal', in_reply_to: letter.id, settles: 'open', priority: 'high' }, 'once more\n'))
  await until('reopened, and high', () => {
    const found = now(org, 'legal', letter.id)
    return found?.folder === 'new' && found.head.get('status') === 'open' && found.head.get('priority') === 'high'
  })
})

t.test('the postmaster cancels and reopens with penny; a holder may not', async (t) => {
  const org = await organisation(t)
  await org.up()
  const letter = await task(org, 'one')
  t.equal((await org.penny(['settle', letter.id, 'done', '-m', 'seen to', '--agent', 'legal'])).status, 0)
  const done = await until('done', () => lettersOf(org.root, 'legal').find((one) => one.id === letter.id && one.folder === 'done'))
  t.equal(done.head.get('result'), 'seen to')
  reply(org, 'pmo', 'legal', letter.id, 'open')
  await until('reopened', () => now(org, 'legal', letter.id)?.folder === 'new')
  await org.as('legal', 'sed -i "s/^status: .*/status: cancelled/" "new/$1"', letter.file)
  await until('an alert', () => alertOf(org.root, 'status-conflict', letter.id))
  await until('undone', () => now(org, 'legal', letter.id)?.head.get('status') === 'open')
})
