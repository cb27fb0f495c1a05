import { closeSync, openSync } from 'node:fs'
import t from 'tap'
import { organisation } from './driver.ts'
import { alertOf, lettersIn, lettersOf, message, pause, sentBy, until } from './files.ts'

const SOON = '5s'

t.test('an expired task that its holder keeps open delays nobody else: deadlines are told, and it is cancelled once it is closed', async (t) => {
  const org = await organisation(t, { policies: { 'priorities.yaml': `normal: { claim_within: ${SOON}, finish_within: 1h }\n` } })
  await org.up()
  const expires = new Date(Date.now() + 3000).toISOString()
  org.drop('workspaces/pmo/outbox/held.md', message({ to: 'legal', subject: 'held open', expires }))
  const held = await until('the message', () => lettersOf(org.root, 'legal')[0])
  const fd = openSync(held.path, 'r+')
  org.drop('spool/pmo/other.md', message({ subject: 'waits' }))
  await until('the note about the other', () => lettersOf(org.root, 'pmo').find(({ head }) => head.get('subject') === 'Not claimed in time: waits'), 40_000)
  t.equal(
    lettersIn(org.at('workspaces/legal/new'))
      .find(({ id }) => id === held.id)
      ?.head.get('status'),
    'open',
  )
  closeSync(fd)
  await until('cancelled', () => lettersIn(org.at('workspaces/legal/done')).find(({ id, head }) => id === held.id && head.get('status') === 'cancelled'))
  await until('its sender is told', () => lettersOf(org.root, 'pmo').find(({ head }) => head.get('subject') === 'Expired: held open'))
})

const ECHO = { 'runners/echo.sh': '#!/bin/sh\ncat >/dev/null\necho done\n' }

t.test('a message that somebody keeps open is not claimed, and the next one is run at once', async (t) => {
  const org = await organisation(t, {
    agents: { legal: 'runner: { command: [./echo.sh] }\n', pmo: '' },
    policies: ECHO,
    org: 'wake: { concurrency: 1, stagger: 100ms }\n',
  })
  await org.up()
  await org.penny(['pause', 'legal'])
  org.drop('workspaces/pmo/outbox/a.md', message({ to: 'legal', subject: 'held open', priority: 'urgent' }))
  const held = await until('the message', () => lettersOf(org.root, 'legal')[0])
  const fd = openSync(held.path, 'r+')
  org.drop('workspaces/pmo/outbox/b.md', message({ to: 'legal', subject: 'free' }))
  await until('both', () => lettersOf(org.root, 'legal').length === 2)
  await org.penny(['resume', 'legal'])
  await until('the other is run', () => lettersIn(org.at('workspaces/legal/done')).find(({ head }) => head.get('subject') === 'free'), 8_000)
  t.ok(lettersIn(org.at('workspaces/legal/new')).find(({ id }) => id === held.id))
  closeSync(fd)
  await until('then it is run too', () => lettersIn(org.at('workspaces/legal/done')).find(({ id }) => id === held.id))
})

t.test('a run whose message stays open afterwards keeps no slot from others, and is concluded later, once', async (t) => {
  const org = await organisation(t, {
    agents: { legal: 'runner: { command: [./echo.sh], concurrency: 1 }\n', clerk: 'runner: { command: [./echo.sh] }\n', pmo: '' },
    policies: { 'runners/echo.sh': '#!/bin/sh\nsleep 2\necho done\n' },
    org: 'wake: { concurrency: 1, stagger: 100ms }\n',
  })
  await org.up()
  org.drop('workspaces/pmo/outbox/a.md', message({ to: 'legal', subject: 'held open' }))
  const held = await until('it is claimed', () => lettersIn(org.at('workspaces/legal/cur')).find(({ head }) => head.get('status') === 'in_progress'))
  const fd = openSync(held.path, 'r+')
  org.drop('workspaces/pmo/outbox/b.md', message({ to: 'clerk', subject: 'free' }))
  await until('the other is run', () => lettersIn(org.at('workspaces/clerk/done')).length === 1)
  t.equal(lettersIn(org.at('workspaces/legal/cur')).length, 1)
  closeSync(fd)
  await until('it is done', () => lettersIn(org.at('workspaces/legal/done')).length === 1)
  t.equal(lettersOf(org.root, 'pmo').filter(({ head }) => head.get('from') === 'legal').length, 1, 'one reply')
})

t.test('who asks for a change is told that the file is open, and what a reply asks for is done when it is closed', async (t) => {
  const org = await organisation(t)
  await org.up()
  for (const subject of ['one', 'two', 'three']) org.drop(`workspaces/pmo/outbox/${subject}.md`, message({ to: 'legal', subject }))
  await until('the messages', () => lettersOf(org.root, 'legal').length === 3)
  const letter = (subject: string) => lettersOf(org.root, 'legal').find(({ head }) => head.get('subject') === subject) as ReturnType<typeof lettersOf>[0]
  const [one, two, three] = [letter('one'), letter('two'), letter('three')]
  const fds = [one, two].map(({ path }) => openSync(path, 'r+'))
  const refused = await org.penny(['settle', one.id, 'done'])
  t.equal(refused.status, 75)
  t.match(refused.err, /its holder is writing it/)
  org.drop('workspaces/legal/outbox/a.md', message({ to: 'pmo', subject: 'answer one', in_reply_to: one.id, settles: 'done' }))
  org.drop('workspaces/legal/outbox/b.md', message({ to: 'pmo', subject: 'answer two', in_reply_to: two.id }))
  await until('the answers', () => lettersOf(org.root, 'pmo').length === 2)
  const next = await org.penny(['next', '--agent', 'legal'])
  t.match(next.out, new RegExp(three.id), 'what nobody has open is next')
  await pause(2000)
  for (const fd of fds) closeSync(fd)
  await until('the reply settles it', () => lettersIn(org.at('workspaces/legal/done')).find(({ id, head }) => id === one.id && head.get('status') === 'done'))
  await until('the answer is noted', () => letter('two').head.has('answered') && sentBy(org.root, 'pmo').some(({ head }) => head.has('answered')))
  t.notOk(alertOf(org.root, 'tampered'))
})
