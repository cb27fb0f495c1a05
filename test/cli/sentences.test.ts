import t from 'tap'
import { concerns, sentenceOf } from '../../src/cli/sentence.ts'
import type { Entry } from '../../src/core/event.ts'
import type { MessageId } from '../../src/core/ids.ts'
import type { Name } from '../../src/core/names.ts'
import { idOf } from './called.ts'

const at = '2026-11-21T08:00:00.000Z'
const [id, other] = [idOf('aaaa1111') as MessageId, idOf('bbbb2222') as MessageId]
const [legal, pmo] = ['legal' as Name, 'pmo' as Name]
const copy = { id, to: legal, kind: 'task', file: 'f', subject: 'Review\u001b[31m', priority: 'normal', rank: 3 } as const
const note = { ...copy, id: other, to: pmo, kind: 'note' } as const
const admitted = { at, event: 'admitted', drop: id, from: 'ann', via: 'person', sha256: '', thread: id, hops: 0, name: 'a.md', copies: [copy, note] } as const
const status = { at, event: 'status', id, holder: legal, was: 'open', status: 'done', folder: 'done', by: 'pmo', updated: '' } as const
const run = { run: other, id, agent: legal } as const

/** Of each kind of entry: an example, how it reads, and whom it concerns. */
const EVERY: { [Kind in Entry['event']]: [entry: Extract<Entry, { event: Kind }>, sentence: string, whom: string[]] } = {
  admitted: [admitted, 'admitted from ann (person) "Review\\u001b[31m" for legal aaaa1111, pmo (note) bbbb2222', ['ann', 'legal', 'pmo']],
  held: [{ at, event: 'held', drop: id, code: 'bad-value', from: 'ann', name: 'a.md', held: 'h' }, 'held a.md from ann: bad-value, as spool/held/h', ['ann']],
  repeat: [{ at, event: 'repeat', drop: id, from: 'ann', ref: 'mine', of: other }, 'ann sent ref mine again: not delivered a second time (bbbb2222)', ['ann']],
  released: [{ at, event: 'released', held: 'bad-value.\u001b[31m' }, 'released bad-value.\\x1b[31m', []],
  delivered: [{ at, event: 'delivered', id, to: legal, file: 'f' }, 'aaaa1111 delivered to legal', ['legal']],
  status: [status, 'aaaa1111 open → done in legal/done by pmo', ['legal', 'pmo']],
  set: [{ at, event: 'set', id, by: 'ann', priority: 'high', due: '2026-12-01', file: 'f' }, 'aaaa1111 set by ann: priority high due 2026-12-01', ['ann']],
  answered: [{ at, event: 'answered', id, reply: other }, 'aaaa1111 answered by bbbb2222, not closed', []],
  blocked: [{ at, event: 'blocked', id, on: [other, 'the weather'] }, `aaaa1111 waits for ${other}, the weather`, []],
  'run-started': [{ at, event: 'run-started', ...run, attempt: 2 }, 'run bbbb2222 of legal for aaaa1111 started (attempt 2)', ['legal']],
  'run-ended': [
    { at, event: 'run-ended', ...run, how: 'exit 3', attempt: true, retry_at: at },
    `run bbbb2222 of legal for aaaa1111 ended: exit 3, again at ${at}`,
    ['legal'],
  ],
  alert: [{ at, event: 'alert', code: 'overdue', about: 'x', agent: 'legal', state: 'raised' }, 'alert overdue raised: x (legal)', ['legal']],
  escalated: [{ at, event: 'escalated', id, level: 2, code: 'overdue' }, 'aaaa1111 overdue: told level 2', []],
  daemon: [{ at, event: 'daemon', state: 'paused', what: 'legal' }, 'daemon paused: legal', ['legal']],
}

t.test('every entry of the journal reads as a sentence without control characters, and is known to concern the right ones', async (t) => {
  for (const [kind, [entry, sentence, whom]] of Object.entries(EVERY)) {
    t.equal(sentenceOf(entry), sentence, kind)
    t.same(
      ['ann', 'legal', 'pmo', 'nobody'].filter((name) => concerns(entry, name)),
      whom,
      kind,
    )
  }
})

t.test('what an entry does not say is left out', async (t) => {
  t.equal(sentenceOf({ ...status, was: 'done', why: 'tampered' }), 'aaaa1111 rewritten by pmo, still done in legal/done: tampered')
  t.equal(sentenceOf({ ...status, was: null, status: null }), 'aaaa1111 note → note in legal/done by pmo')
  t.equal(sentenceOf({ at, event: 'blocked', id, on: [] }), 'aaaa1111 waits for nothing more')
  t.equal(sentenceOf({ at, event: 'run-ended', ...run, how: 'exit 0', attempt: false }), 'run bbbb2222 of legal for aaaa1111 ended: exit 0')
  t.equal(sentenceOf({ at, event: 'alert', code: 'disk-full', about: 'x', state: 'closed' }), 'alert disk-full closed: x')
  t.equal(sentenceOf({ at, event: 'daemon', state: 'stopped', what: '' }), 'daemon stopped')
})
