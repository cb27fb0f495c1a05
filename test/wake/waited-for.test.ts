import { spawnSync } from 'node:child_process'
import t from 'tap'
import type { Runner } from '../../src/core/config.ts'
import type { MessageId } from '../../src/core/ids.ts'
import type { Name } from '../../src/core/names.ts'
import { makeLedger } from '../../src/mailbox/index.ts'
import { repliesFor, wakes } from '../../src/wake/wakes.ts'
import { START_MS, task } from '../deadline/office.ts'

const invented = (of: number): string[] => Array.from({ length: 100 }, (_, n) => `ref-${of}-${n}`)

function office() {
  const ledger = makeLedger()
  const refs = new Map<string, MessageId>()
  const asked: string[] = []
  const meant = (_holder: Name, word: string): MessageId | undefined => {
    asked.push(word)
    return refs.get(word)
  }
  const add = (more: Parameters<typeof task>[0]) => {
    const mail = task({ from: 'legal' as Name, ...more })
    ledger.add(mail)
    return mail
  }
  const block = (blockedOn: string[]) => add({ status: 'blocked', folder: 'cur', blockedOn })
  const reply = (inReplyTo: MessageId) => add({ kind: 'note', status: null, from: 'cfo' as Name, inReplyTo })
  const given = { ledger, meant, wroteIt: () => true }
  const woken = (inReplyTo: MessageId) => wakes(reply(inReplyTo), { notes: true } as Runner, given, START_MS + 60_000)
  return { refs, asked, given, add, block, reply, woken }
}

t.test('who waits for a hundred thousand made-up words stops nobody with a reply that comes, and what its last tasks wait for is found', (t) => {
  const { refs, asked, block, woken } = office()
  const [byId, byRef, nobodys] = [task({}).id, task({}).id, task({}).id]
  block([byId])
  for (let n = 0; n < 1_000; n++) block(invented(n))
  block([nobodys, 'mine'])
  refs.set('mine', byRef)
  for (const [question, answer] of [
    [byRef, 'no'],
    [byId, 'no'],
    [task({}).id, 'yes'],
  ] as const) {
    asked.length = 0
    t.equal(woken(question), answer)
    t.ok(asked.length <= 200, `${asked.length} words`)
    t.notOk(asked.includes(nobodys), 'an id means itself')
  }
  t.end()
})

t.test('what a task waits for is asked once for all replies that its run reads', (t) => {
  const { refs, asked, given, add, reply } = office()
  const [first, second] = [task({}).id, task({}).id]
  refs.set('ref-0-99', second)
  const run = add({ status: 'in_progress', folder: 'cur', blockedOn: [first, ...invented(0)] })
  const replies = [reply(first), reply(second)]
  for (let n = 0; n < 50; n++) reply(task({}).id)
  t.same(repliesFor(run, given), replies)
  t.equal(asked.length, 100)
  t.end()
})

t.test('a colleague with thousands of answers keeps no task from being started: its run is told of the first, and their paths fit its environment', (t) => {
  const { given, add, reply } = office()
  const question = task({}).id
  const run = add({ status: 'in_progress', folder: 'cur', blockedOn: [question] })
  const replies = Array.from({ length: 2_000 }, () => reply(question))
  const told = repliesFor(run, given)
  t.same(told, replies.slice(0, told.length))
  // The longest names there can be, in a root that lies deep.
  const paths = told.map(() => `${'/deep'.repeat(60)}/workspaces/legal/new/${'x'.repeat(255)}`).join('\n')
  t.equal(spawnSync('/bin/true', { env: { PENNY_REPLIES: paths } }).status, 0)
  t.end()
})
