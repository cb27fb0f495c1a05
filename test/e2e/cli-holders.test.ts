import { writeFileSync } from 'node:fs'
import t from 'tap'
import { AM_ROOT, organisation, REACHABLE } from './driver.ts'
import { exists, lettersOf, message, pause, sentBy, until } from './files.ts'

t.test('send, next, claim, reply, settle and set carry a task from end to end', async (t) => {
  const org = await organisation(t)
  await org.up()
  const none = await org.penny(['next', '--agent', 'legal'])
  t.equal(none.status, 1, 'no mail is a negative answer')
  const sent = await org.penny(['send', 'legal', '-s', 'From the shell', '-p', 'high', '--due', '2099-01-02'], { input: 'Line one\nno end' })
  t.equal(sent.status, 0, sent.err)
  const id = sent.out.trim()
  const letter = await until('delivered', () => lettersOf(org.root, 'legal').find((one) => one.id === id))
  t.match(Object.fromEntries(letter.head), { subject: 'From the shell', priority: 'high', from: 'operator' })
  t.equal(letter.body.toString(), 'Line one\nno end')
  t.match(letter.head.get('due') ?? '', /^2099-01-02T/)
  const changed = await org.penny(['set', id, 'priority=urgent'])
  t.equal(changed.status, 0, changed.err)
  const raised = await until('raised', () => lettersOf(org.root, 'legal').find((one) => one.id === id && one.head.get('priority') === 'urgent'))
  t.match(raised.file, /^1-urgent\./, 'its name too')
  await org.penny(['send', 'legal', '-s', 'Less urgent'], { input: 'x' })
  const next = await org.penny(['next', '--agent', 'legal'])
  t.equal(next.status, 0, next.err)
  t.match(next.out, /Line one/, 'prints the most urgent')
  await until('claimed', () => lettersOf(org.root, 'legal').find((one) => one.id === id && one.folder === 'cur' && one.head.get('status') === 'in_progress'))
  const replied = await org.penny(['reply', id.slice(-8), '--settles', 'done', '--agent', 'legal'], { input: 'Here you are' })
  t.equal(replied.status, 0, replied.err)
  const reply = await until('the reply', () => lettersOf(org.root, 'operator').find((one) => one.head.get('in_reply_to') === id))
  t.equal(reply.body.toString(), 'Here you are')
  t.equal(reply.head.get('from'), 'legal')
  await until('done', () => sentBy(org.root, 'operator').find((one) => one.id === id && one.head.get('status') === 'done'))
  const second = lettersOf(org.root, 'legal').find((one) => one.head.get('subject') === 'Less urgent')
  t.equal((await org.penny(['claim', second?.id ?? '', '--agent', 'legal'])).status, 0)
  await until('claimed', () => lettersOf(org.root, 'legal').find((one) => one.id === second?.id && one.head.get('status') === 'in_progress'))
  t.equal((await org.penny(['settle', second?.id ?? '', 'failed', '-m', 'no time', '--agent', 'legal'])).status, 0)
  const failed = await until('failed', () => lettersOf(org.root, 'legal').find((one) => one.id === second?.id && one.head.get('status') === 'failed'))
  t.equal(failed.head.get('result'), 'no time')
  t.equal((await org.penny(['claim', id, '--agent', 'legal'])).status === 0, false, 'a settled task is not claimed')
})

t.test('send --wait waits for the end and prints the reply; next --wait waits for mail', async (t) => {
  const handle = '#!/bin/sh\nsleep 1\necho the answer\n'
  const org = await organisation(t, {
    org: 'wake: { concurrency: 8, stagger: 0s }\n',
    agents: { legal: 'runner: { command: [./handle.sh] }\n', pmo: '' },
    policies: { 'runners/handle.sh': handle },
  })
  await org.up()
  const waiting = org.penny(['next', '--wait', '--agent', 'pmo'])
  const answered = await org.penny(['send', 'legal', '-s', 'A question', '--wait'], { input: 'why?' })
  t.equal(answered.status, 0, answered.err)
  t.match(answered.out, /the answer/)
  await pause(200)
  org.drop('spool/pmo/task.md', message({ subject: 'at last' }, 'it came\n'))
  const came = await waiting
  t.equal(came.status, 0, came.err)
  t.match(came.out, /it came/)
})

t.test('send attaches files, keeps a ref, drops for a daemon that is down, and refuses a bad message with 65', async (t) => {
  const org = await organisation(t)
  await org.up()
  const file = `${org.base}/contract.txt`
  writeFileSync(file, 'the contract')
  const sent = await org.penny(['send', 'legal', '-s', 'With a file', '-a', file, '--ref', 'case-1'], { input: 'see there' })
  t.equal(sent.status, 0, sent.err)
  const letter = await until('delivered', () => lettersOf(org.root, 'legal')[0])
  t.ok(exists(org.at('workspaces/legal/attachments', letter.id, 'contract.txt')))
  t.equal(letter.head.get('ref'), 'case-1')
  t.equal((await org.penny(['show', 'case-1'])).status, 0, 'a ref is usable wherever an id is')
  const again = await org.penny(['send', 'legal', '-s', 'With a file', '-a', file, '--ref', 'case-1'], { input: 'see there' })
  t.equal(again.status, 0, 'sending again is not sending twice')
  t.ok([65, 66].includes((await org.penny(['send', 'legla', '-s', 'x'], { input: 'x' })).status ?? 0), 'no such recipient: a bad message, or no such thing')
  t.equal((await org.penny(['send', 'legal', '-p', 'asap'], { input: 'x' })).status, 65, 'no such priority')
  t.equal(lettersOf(org.root, 'legal').length, 1)
  await org.end()
  const later = await org.penny(['send', 'legal', '-s', 'Later'], { input: 'x' })
  t.equal(later.status, 0, later.err)
  t.match(later.out.trim(), /^[A-Za-z0-9._-]{1,64}$/, 'prints the ref it made')
  await org.up()
  const delivered = await until('delivered', () => lettersOf(org.root, 'legal').find((one) => one.head.get('subject') === 'Later'))
  t.equal(delivered.head.get('ref'), later.out.trim())
})

t.test(
  "a holder uses penny in its own workspace, and may not settle what is another's",
  { skip: AM_ROOT && REACHABLE ? false : 'needs system mode, and a checkout that agents may read' },
  async (t) => {
    const org = await organisation(t)
    await org.up()
    org.drop('spool/legal/task.md', message({ subject: 'of legal' }, 'read me\n'))
    const letter = await until('delivered', () => lettersOf(org.root, 'legal')[0])
    const legal = { as: org.owner('legal'), cwd: org.at('workspaces/legal/home') }
    const pmo = { as: org.owner('pmo'), cwd: org.at('workspaces/pmo/home') }
    const stolen = await org.penny(['settle', letter.id, 'done', '--agent', 'legal'], pmo)
    t.ok([66, 77].includes(stolen.status ?? 0), `another's task: ${stolen.status} ${stolen.err}`)
    const next = await org.penny(['next'], legal)
    t.equal(next.status, 0, next.err)
    t.match(next.out, /read me/)
    t.equal((await org.penny(['reply', letter.id, '--settles', 'done'], { ...legal, input: 'seen' })).status, 0)
    await until('done', () => lettersOf(org.root, 'legal').find((one) => one.head.get('status') === 'done'))
    t.equal(
      lettersOf(org.root, 'operator')
        .find((one) => one.head.get('in_reply_to') === letter.id)
        ?.head.get('from'),
      'legal',
    )
  },
)
