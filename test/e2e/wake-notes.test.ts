import { readFileSync } from 'node:fs'
import t from 'tap'
import { organisation } from './driver.ts'
import { alertsOf, exists, lettersOf, message, pause, until } from './files.ts'

const book = '#!/bin/sh\ngrep -E "^(kind|subject):" "$PENNY_MESSAGE" | tr "\\n" " " >> runs.txt\necho >> runs.txt\necho "thank you"\n'

t.test('a note wakes only who asked for that; a reply to its own message always wakes the asker; nobody is thanked for ever', async (t) => {
  const org = await organisation(t, {
    org: 'wake: { concurrency: 8, stagger: 0s }\n',
    agents: {
      plain: 'runner: { command: [./book.sh] }\n',
      keen: 'runner: { command: [./book.sh], notes: true }\n',
      asker: 'runner: { command: [./book.sh] }\n',
    },
    policies: { 'runners/book.sh': book },
  })
  await org.up()
  const runsOf = (name: string): string[] =>
    exists(org.at('workspaces', name, 'home/runs.txt'))
      ? readFileSync(org.at('workspaces', name, 'home/runs.txt'), 'utf8')
          .trim()
          .split('\n')
      : []
  org.drop('spool/plain/note.md', message({ kind: 'note', subject: 'for your information' }))
  org.drop('spool/keen/note.md', message({ kind: 'note', subject: 'for your information' }))
  const read = await until('the keen one has read it', () => lettersOf(org.root, 'keen').find((one) => one.folder === 'done'))
  t.match(readFileSync(org.at('workspaces/keen/runs', `${read.id}.log`), 'utf8'), /thank you/, 'what it printed is in its log')
  org.drop('workspaces/asker/outbox/question.md', message({ to: 'plain', subject: 'a question' }))
  const question = await until('answered', () =>
    lettersOf(org.root, 'plain').find((one) => one.head.get('subject') === 'a question' && one.head.get('status') === 'done'),
  )
  const reply = await until('the reply is read', () =>
    lettersOf(org.root, 'asker').find((one) => one.head.get('in_reply_to') === question.id && one.folder === 'done'),
  )
  t.equal(reply.body.toString(), 'thank you\n')
  await pause(2500)
  t.same(
    lettersOf(org.root, 'operator').map((one) => one.file),
    [],
    'what a run for a note prints goes to nobody',
  )
  t.equal(runsOf('plain').length, 1, 'one run, for the question')
  t.equal(runsOf('keen').length, 1)
  t.equal(runsOf('asker').length, 1)
  t.equal(lettersOf(org.root, 'plain').find((one) => one.head.get('kind') === 'note')?.folder, 'new', 'the note waits to be read')
  t.equal(lettersOf(org.root, 'plain').length, 2)
  t.same(
    alertsOf(org.root).map((alert) => alert.file),
    [],
  )
})

t.test('what an agent writes to itself never wakes it, but a reminder does', async (t) => {
  const org = await organisation(t, {
    org: 'wake: { concurrency: 8, stagger: 0s }\n',
    agents: { legal: 'runner: { command: [./book.sh] }\n' },
    policies: { 'runners/book.sh': book },
  })
  await org.up()
  org.drop('workspaces/legal/outbox/self.md', message({ to: 'legal', subject: 'to myself' }))
  await until('delivered', () => lettersOf(org.root, 'legal')[0])
  await pause(1500)
  t.equal(lettersOf(org.root, 'legal')[0]?.head.get('status'), 'open')
  org.drop('workspaces/legal/outbox/remind.md', message({ to: 'legal', subject: 'reminder', not_before: new Date(Date.now() + 2000).toISOString() }))
  await until('the reminder is handled', () =>
    lettersOf(org.root, 'legal').find((one) => one.head.get('subject') === 'reminder' && one.head.get('status') === 'done'),
  )
})
