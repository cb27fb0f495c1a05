import t from 'tap'
import type { MessageId } from '../../src/core/ids.ts'
import { makeOffice, pause, until } from './office.ts'

const BOOK = 'printf "%s|%s|%s\\n" "$(grep ^subject: "$PENNY_MESSAGE")" "$PENNY_IN_REPLY_TO" "$PENNY_REPLIES" >> runs.txt; echo thank you'

t.test('a note wakes who asked for that, or whose message it answers; its output goes to the log', async (t) => {
  const office = makeOffice(t)
  const plain = office.agent('plain', BOOK)
  office.agent('keen', BOOK, { notes: true })
  const question = office.deliver('someone', { from: plain, holder: 'operator' as never })
  const { writeFileSync } = await import('node:fs')
  writeFileSync(`${office.root}/workspaces/plain/sent/${question.file}`, '')
  const dispatcher = await office.open()
  const idle = office.deliver('plain', { status: null, subject: 'fyi' })
  const news = office.deliver('keen', { status: null, subject: 'news' })
  const answer = office.deliver('plain', { status: null, subject: 'answer', inReplyTo: question.id })
  const bounce = office.deliver('plain', { status: null, kind: 'bounce', from: 'pennypost', subject: 'bounce', inReplyTo: question.id })
  for (const { id } of [idle, news, answer, bounce]) dispatcher.offer(id)
  await until('two read', () => office.find(news)?.folder === 'done' && office.find(answer)?.folder === 'done')
  await pause(100)
  t.equal(office.home('plain', 'runs.txt'), `subject: answer|${office.root}/workspaces/plain/sent/${question.file}|\n`, 'with the thread at hand')
  t.same(
    [idle, bounce].map((mail) => office.find(mail)?.folder),
    ['new', 'new'],
  )
  t.equal(office.letters.size, 0, 'nobody is thanked')
})

t.test('what an agent writes does not wake it, a reminder does', async (t) => {
  const office = makeOffice(t)
  const self = office.agent('self', BOOK, { notes: true })
  const dispatcher = await office.open()
  const echo = office.deliver('self', { from: self, subject: 'echo' })
  const reminders = [
    office.deliver('self', { from: self, subject: 'remind', reminder: true }),
    office.deliver('self', { from: self, subject: 'note', reminder: true, status: null }),
  ]
  for (const { id } of [echo, ...reminders]) dispatcher.offer(id)
  await until('reminded', () => reminders.every((mail) => office.find(mail)?.folder === 'done'))
  t.equal(office.find(echo)?.folder, 'new')
  t.equal(office.home('self', 'runs.txt').trim().split('\n').length, 2)
})

t.test('a reply that unblocks a task starts one run, the task’s, which gets it along', async (t) => {
  const office = makeOffice(t)
  const asker = office.agent('asker', BOOK)
  const question = office.deliver('expert', { from: asker })
  office.given.ledger.add(question)
  const task = office.deliver('asker', { subject: 'the task', status: 'blocked', blockedOn: [question.id], folder: 'cur' as never })
  const dispatcher = await office.open()
  const reply = office.deliver('asker', { status: null, subject: 'the answer', from: 'expert' as never, inReplyTo: question.id })
  dispatcher.offer(reply.id)
  await pause(50)
  t.equal(office.home('asker', 'runs.txt'), '', 'not before the answered task is settled')
  office.given.ledger.remove(question.id)
  await office.given.apply({ id: task.id, to: 'open', actor: 'daemon', by: 'daemon' })
  dispatcher.offer(task.id)
  await until('done', () => office.find(task)?.folder === 'done')
  await until('read', () => office.find(reply)?.folder === 'done')
  await pause(1200)
  t.equal(office.home('asker', 'runs.txt'), `subject: the task||${office.root}/workspaces/asker/new/${reply.file}\n`, 'one run')
})

t.test('a question back wakes the one who waits, or both would wait for ever', async (t) => {
  const office = makeOffice(t)
  const asker = office.agent('asker', BOOK)
  const question = office.deliver('expert', { from: asker })
  office.given.ledger.add(question)
  office.deliver('asker', { subject: 'the task', status: 'blocked', blockedOn: [question.id], folder: 'cur' as never })
  const dispatcher = await office.open()
  const back = office.deliver('asker', { status: null, subject: 'which one?', from: 'expert' as never, inReplyTo: question.id })
  dispatcher.offer(back.id)
  await until('woken', () => office.find(back)?.folder === 'done')
  t.match(office.home('asker', 'runs.txt'), 'which one?')
})

t.test('a message for somebody without a runner wakes nobody', async (t) => {
  const office = makeOffice(t)
  office.agent('legal', BOOK)
  const dispatcher = await office.open()
  dispatcher.offer(office.deliver('operator').id)
  dispatcher.offer('nothing' as MessageId)
  dispatcher.kick()
  await pause(50)
  t.same(dispatcher.running(), [])
})
