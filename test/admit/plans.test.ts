import t from 'tap'
import type { Name } from '../../src/core/names.ts'
import { nextId } from '../deadline/office.ts'
import { judged, NOW_MS, parent, plan } from './desk.ts'

t.test('what the sender left out has its default, and is stamped', async (t) => {
  const made = plan('---\nto: legal\n---\n# A heading\ntext\n')
  t.match(made, {
    to: [{ holder: 'legal', kind: 'task' }],
    subject: 'A heading',
    priority: { name: 'normal' },
    hops: 0,
    misleadingName: undefined,
    reminder: false,
  })
  t.match(made.stamp, { from: 'cfo', via: 'agent', subject: 'A heading', priority: 'normal' })
  t.notOk('to' in made.stamp)
  t.equal(plan('hello', { box: 'legal', folder: 'spool/legal' }).stamp['to'], 'legal')
  t.equal(plan('---\nto:\n---\nhello', { box: 'legal', folder: 'spool/legal' }).stamp['to'], 'legal', 'also where the key is there and empty')
})

t.test('copies for cc are notes; who is in both gets one', async (t) => {
  t.same(plan('---\nto: legal\ncc: [ceo, legal]\n---\n').to, [
    { holder: 'legal', kind: 'task' },
    { holder: 'ceo', kind: 'note' },
  ])
})

t.test('a foreign word for a priority is mapped at the door', async (t) => {
  const made = plan('---\nto: legal\npriority: P1\n---\n', { name: 'x-P1.md' })
  t.equal(made.priority.name, 'urgent')
  t.equal(made.stamp['priority'], 'urgent')
  t.equal(made.misleadingName, undefined, 'its front matter says that very word')
})

t.test('a name that reads like a priority is told of, unless the front matter says it', async (t) => {
  for (const [name, word] of [
    ['a-urgent.md', 'urgent'],
    ['a-P1.md', 'P1'],
    ['a.high.md', 'high'],
    ['a-asap.MD', 'asap'],
    ['urgently.md', undefined],
    ['todo-now.md', 'now'],
    ['now.md', undefined],
  ] as const)
    t.equal(plan('---\nto: legal\n---\n', { name }).misleadingName, word, name)
  t.equal(plan('---\nto: legal\npriority: urgent\n---\n', { name: 'a-urgent.md' }).misleadingName, undefined)
})

t.test('an answer is a note unless it says it is a task; to a settled task it is a note whatever it says', async (t) => {
  const kind = (keys: string, more = {}): string | undefined =>
    plan(`---\nto: ceo\nin_reply_to: x\n${keys}---\n`, {}, { parent: () => parent(more) }).to[0]?.kind
  t.equal(kind(''), 'note')
  t.equal(kind('kind: task\n'), 'task')
  t.equal(kind('kind: task\n', { settled: true, status: 'done' }), 'note')
})

t.test('an answer belongs to the thread of what it answers, and to its least trusted origin', async (t) => {
  const asked = parent({ hops: 3, origin: 'unknown' })
  const made = plan('---\nto: ceo\nin_reply_to: my-ref\n---\n', {}, { parent: () => asked })
  t.match(made, { thread: asked.thread, hops: 4, origin: 'unknown' })
  t.match(made.stamp, { origin: 'unknown', in_reply_to: asked.id })
})

t.test('the same ref and content is a repeat, with other content it is refused', async (t) => {
  const of = nextId()
  const seen = { refSeen: () => ({ sha256: 'x', id: of }) }
  t.same(judged('---\nto: legal\nref: r\n---\n', {}, seen), { verdict: 'repeat', ref: 'r', of })
  t.match(judged('---\nto: legal\nref: r\n---\n', { sha256: 'y' }, seen), { verdict: 'hold', code: 'ref-reused' })
})

t.test('time tells: not_before, a full mailbox, what is still being read', async (t) => {
  const at = (ms: number): string => `---\nto: cfo\nnot_before: ${new Date(ms).toISOString()}\n---\n`
  t.same(judged(at(NOW_MS + 500)), { verdict: 'wait', againMs: 500, attach: [] })
  t.same(judged(at(NOW_MS + 86_400_000)), { verdict: 'wait', againMs: 60_000, attach: [] })
  t.equal(plan(at(NOW_MS), { arrivedMs: NOW_MS - 1000 }).reminder, true)
  t.equal(plan(at(NOW_MS - 2000), { arrivedMs: NOW_MS - 1000 }).reminder, false, 'a moment that was over when it was dropped reminds of nothing')
  t.match(judged('---\nto: [ceo, legal]\n---\n', {}, { room: (holder) => holder !== 'legal' }), { verdict: 'wait', full: 'legal' as Name })
  t.match(judged('---\nto: ceo\nattach: a.csv\nin_reply_to: x\n---\n', {}, { parent: () => 'later' }), { verdict: 'wait', attach: ['a.csv'] })
  t.match(judged('---\nto: ceo\nattach: a.csv\nref: x\n---\n', {}, { refSeen: () => 'later' }), { verdict: 'wait', attach: ['a.csv'] })
})
