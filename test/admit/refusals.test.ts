import t from 'tap'
import type { Name } from '../../src/core/names.ts'
import { nextId } from '../deadline/office.ts'
import { judged, parent, plan, refusal } from './desk.ts'

const message = (keys: string): string => `---\nto: legal\n${keys}\n---\nbody\n`

t.test('every refusal has its code, its line and the nearest word', async (t) => {
  t.equal(refusal(message('prioirty: normal')), 'unknown-key 3 priority')
  t.equal(refusal(message('priority: urgnet')), 'unknown-priority 3 urgent')
  t.equal(refusal(message('from: ceo')), 'forged-sender 3')
  t.equal(refusal(message(`id: ${nextId()}`)), 'forged-sender 3')
  t.equal(refusal(message('via: person')), 'forged-sender 3')
  t.equal(refusal(message('status: done')), 'bad-value 3')
  t.equal(refusal(message('result: x')), 'bad-value 3')
  t.equal(refusal(message('due: tomorrow')), 'bad-value 3')
  t.equal(refusal(message('kind: alert')), 'bad-value 3')
  t.equal(refusal(message('request: x')), 'bad-value 3')
  t.equal(refusal(message('attach: [a, b, c, d, e, f, g, h, i]')), 'bad-value 3')
  t.equal(refusal(message('in_reply_to: nothing-known')), 'bad-value 3')
  t.equal(refusal(message('settles: done')), 'bad-value 3')
  t.equal(refusal('---\nsubject: x\n---\n'), 'unknown-recipient -')
  t.equal(refusal('plain text\n'), 'unknown-recipient -')
  t.equal(refusal('---\nto: leagl\n---\n'), 'unknown-recipient 2 legal')
  t.equal(refusal('---\nto: legal\ncc: cfoo\n---\n'), 'unknown-recipient 3 cfo')
  t.equal(refusal('---\nto: operator\n---\n', { from: 'legal' as Name }), 'not-permitted 2')
})

t.test('a true from, and status open, may be written', async (t) => {
  t.equal(refusal(message('from: cfo\nstatus: open')), 'admit')
})

t.test('who is not who it says it is hears of that first; all complaints are told', async (t) => {
  const verdict = judged(message('prioirty: normal\nfrom: ceo'))
  t.match(verdict, { verdict: 'hold', code: 'forged-sender', complaints: [{ code: 'forged-sender' }, { code: 'unknown-key' }] })
})

t.test('what lies in a box must be for it; a box of nobody says so, whatever the message says', async (t) => {
  const box = { folder: 'spool/legal', box: 'legal' }
  t.equal(refusal('plain', box), 'admit')
  t.equal(refusal('---\nto: [ceo, legal]\n---\n', box), 'admit')
  t.equal(refusal('---\nto: ceo\n---\n', box), 'bad-value 2')
  t.equal(refusal('---\nto: "@finance"\n---\n', { folder: 'spool/finance', box: 'finance', from: 'ceo' as Name }), 'admit')
  t.equal(refusal('plain', { folder: 'spool/leagl', box: 'leagl' }), 'unknown-recipient - legal')
  t.equal(refusal('---\nto: legal\n---\n', { folder: 'spool/leagl', box: 'leagl' }), 'unknown-recipient 2 legal')
})

t.test('only the holder settles, only the sender or the postmaster reopens and withdraws', async (t) => {
  const reply = (settles: string): string => `---\nto: ceo\nin_reply_to: x\nsettles: ${settles}\n---\n`
  const asked = (more = {}) => ({ parent: () => parent(more) })
  t.equal(refusal(reply('done'), {}, asked()), 'admit')
  t.equal(refusal(reply('done'), {}, asked({ holder: 'legal' })), 'not-permitted 4')
  t.equal(refusal(reply('cancelled'), {}, asked()), 'not-permitted 4')
  t.equal(refusal(reply('cancelled'), {}, asked({ from: 'cfo', holder: 'legal' })), 'admit')
  t.equal(refusal(reply('open'), { from: 'operator' as Name, via: 'person' }, asked({ settled: true, status: 'done' })), 'admit')
  t.equal(refusal(reply('done'), {}, asked({ status: null, kind: 'note' })), 'bad-value 4')
  t.equal(refusal(reply('no'), {}, asked({ status: null, kind: 'note' })), 'admit')
})

t.test('a thread is cut after 16 hops, and at 50 messages an hour', async (t) => {
  const text = '---\nto: ceo\nin_reply_to: x\n---\n'
  t.equal(refusal(text, {}, { parent: () => parent({ hops: 15 }) }), 'admit')
  t.equal(refusal(text, {}, { parent: () => parent({ hops: 16 }) }), 'loop 3')
  t.equal(refusal(text, {}, { parent: () => parent(), threadPace: () => ({ all: 49, own: 49, senders: 1 }) }), 'admit')
  t.equal(refusal(text, {}, { parent: () => parent(), threadPace: () => ({ all: 50, own: 50, senders: 1 }) }), 'loop 3')
})

t.test('who writes fifty messages in a thread stops itself, and not the others of the thread', async (t) => {
  const text = '---\nto: ceo\nin_reply_to: x\n---\n'
  const pace = (all: number, own: number, senders: number) => ({ parent: () => parent(), threadPace: () => ({ all, own, senders }) })
  t.equal(refusal(text, {}, pace(55, 1, 2)), 'admit')
  t.equal(refusal(text, {}, pace(55, 54, 2)), 'loop 3')
  t.equal(refusal(text, {}, pace(50, 25, 2)), 'loop 3', 'two who answer each other are held together')
  t.equal(refusal(text, {}, pace(50, 5, 10)), 'loop 3', 'and so are ten')
})

t.test('a chain of runs is cut as a thread is: what a run sends is one hop on, a reminder to oneself is none', async (t) => {
  const text = '---\nto: ceo\n---\nx\n'
  t.equal(plan(text, { causeHops: 15 }).hops, 16)
  t.equal(refusal(text, { causeHops: 16 }), 'loop -')
  t.match(judged(text, { causeHops: 16 }), { hops: 17 }, 'which its bounce will have')
  t.equal(refusal('---\nto: leagl\n---\nx\n', { causeHops: 16 }), 'loop -', 'said before anything else')
  t.equal(plan('---\nto: ceo\nin_reply_to: x\n---\n', { causeHops: 1 }, { parent: () => parent({ hops: 5 }) }).hops, 6, 'the longer chain')
  const arrivedMs = Date.parse('2026-11-01T00:00:00Z')
  const later = (to: string): string => `---\nto: ${to}\nnot_before: 2026-11-02T00:00:00Z\n---\nx\n`
  const nowMs = Date.parse('2026-11-03T00:00:00Z')
  t.equal(plan(later('cfo'), { causeHops: 16, arrivedMs }, { nowMs }).hops, 16)
  t.equal(refusal(later('[cfo, ceo]'), { causeHops: 16, arrivedMs }, { nowMs }), 'loop -')
})

t.test('recipients, the message answered and the shape are judged in one round', async (t) => {
  const text = '---\nto: [leagl, cfo]\nprioirty: high\npriority: asap\ndue: someday\nin_reply_to: gone\n---\n'
  const codes = (asked = {}) => {
    const verdict = judged(text, {}, asked)
    return verdict.verdict === 'hold' ? verdict.complaints.map(({ code, spot }) => `${code} ${spot?.line}`) : []
  }
  t.same(codes(), ['unknown-key 3', 'bad-value 5', 'unknown-priority 4', 'bad-value 6', 'unknown-recipient 2'])
  t.same(codes({ parent: () => 'later' }), ['unknown-key 3', 'bad-value 5', 'unknown-priority 4'], 'what is known at once is told at once')
  const twice = judged('---\nto: {}\nprioirty: high\n---\n')
  t.equal(twice.verdict === 'hold' && twice.complaints.length, 2, 'a fault of `to` is told once')
})

t.test('a ref that several messages bear is answered with their ids', async (t) => {
  const among = [nextId(), nextId()]
  const verdict = judged('---\nto: ceo\nin_reply_to: report\n---\n', {}, { parent: () => ({ among }) })
  t.match(verdict, { verdict: 'hold', code: 'bad-value', complaints: [{ what: new RegExp(`"report" is the ref of several.*${among[0]}, ${among[1]}`) }] })
})
