import t from 'tap'
import type { Entry } from '../../src/core/event.ts'
import type { MessageId } from '../../src/core/ids.ts'
import { isOutside, leastTrusted, outsideSentence } from '../../src/core/trust.ts'
import { makeTaints, type Taint } from '../../src/daemon/taints.ts'
import { type Mail, makeLedger } from '../../src/mailbox/index.ts'

const AT_MS = Date.UTC(2030, 0, 7, 9)
const id = (word: string): MessageId => `id-${word}` as MessageId
const at = (ms: number): { at: string } => ({ at: new Date(AT_MS + ms).toISOString() })

function desk() {
  const ledger = makeLedger()
  const taints = makeTaints({ ledger, meant: (_holder, word) => (word === 'my-ref' ? [id('question')] : []) })
  const add = (word: string, more: Partial<Mail>): Mail => {
    const mail = { id: id(word), holder: 'bot', via: 'agent', thread: id(word), folder: 'new', status: 'open', blockedOn: [], ...more } as unknown as Mail
    ledger.add(mail)
    return mail
  }
  const see = (entry: object, ms: number): void => taints.see({ ...entry, ...at(ms) } as Entry)
  const claim = (word: string, ms: number, by = 'run:bot'): void => see({ event: 'status', id: id(word), holder: 'bot', folder: 'cur', by }, ms)
  const over = (word: string, ms: number): void => see({ event: 'run-ended', id: id(word), agent: 'bot' }, ms)
  return { taints, add, see, claim, over }
}

t.test('there is one order of trust; an unknown word is trusted least', async (t) => {
  t.equal(leastTrusted('daemon', 'person', 'schedule'), 'schedule')
  t.equal(leastTrusted('person', undefined, 'agent', 'daemon'), 'agent')
  t.equal(leastTrusted('agent', 'bridge:mail'), 'bridge:mail')
  t.equal(leastTrusted('unknown', 'bridge:mail'), 'unknown')
  t.equal(leastTrusted('unknown', 'persona' as 'person'), 'persona')
  t.same((['daemon', 'person', 'schedule', 'agent', 'bridge:mail', 'unknown'] as const).map(isOutside), [false, false, false, false, true, true])
  t.equal(outsideSentence('agent', 'person'), undefined)
  t.equal(outsideSentence(undefined, undefined), undefined)
  t.match(outsideSentence('bridge:mail', undefined), /^came from outside the organisation \(bridge:mail\)/)
  t.match(outsideSentence('agent', 'unknown'), /^goes back to what came from outside/)
})

t.test('a thread is marked whichever of its messages is answered; one inside is not', async (t) => {
  const { taints, see } = desk()
  see({ event: 'admitted', via: 'person', thread: id('a'), copies: [] }, 0)
  t.equal(taints.originOf({ via: 'person', origin: undefined, thread: id('a') }), 'person')
  see({ event: 'admitted', via: 'bridge:mail', thread: id('a'), copies: [] }, 1)
  see({ event: 'admitted', via: 'agent', origin: 'unknown', thread: id('b'), copies: [] }, 2)
  t.equal(taints.originOf({ via: 'person', origin: undefined, thread: id('a') }), 'bridge:mail')
  t.equal(taints.originOf({ via: 'agent', origin: 'agent', thread: id('b') }), 'unknown')
})

t.test('a run for what came from outside marks what its agent sends until it is over, and a moment longer; also after a restart', async (t) => {
  const { taints, add, claim, over } = desk()
  add('task', { origin: 'unknown' })
  claim('task', 1_000)
  over('task', 2_000)
  const again = desk()
  for (const taint of JSON.parse(JSON.stringify([...taints.kept()])) as Taint[]) again.taints.restore(taint)
  for (const known of [taints, again.taints]) {
    t.equal(known.ofRun('bot', AT_MS + 500), undefined)
    for (const ms of [990, 1_500, 2_000, 6_000]) t.equal(known.ofRun('bot', AT_MS + ms), 'unknown', String(ms))
    t.equal(known.ofRun('bot', AT_MS + 8_000), undefined)
    t.equal(known.ofRun('legal', AT_MS + 1_500), undefined)
  }
  add('mine', { origin: 'unknown' })
  claim('mine', 9_000, 'holder')
  t.equal(taints.ofRun('bot', AT_MS + 9_500), undefined, 'a holder that is not started by the daemon has no run')
})

t.test('a reply from outside that a blocked task waited for marks the run that reads it, and the thread it works on', async (t) => {
  for (const blockedOn of [[id('question')], ['my-ref']]) {
    const { taints, add, claim } = desk()
    const task = add('task', { via: 'person', blockedOn })
    add('reply', { origin: 'bridge:mail', status: null, inReplyTo: id('question') })
    add('other', { origin: 'unknown', status: null, inReplyTo: id('else') })
    claim('task', 0)
    t.equal(taints.ofRun('bot', AT_MS), 'bridge:mail')
    t.equal(taints.originOf(task), 'bridge:mail', 'so its answer says so')
  }
})

t.test('very many runs of one agent are remembered as one long one rather than forgotten', async (t) => {
  const { taints, add, claim, over } = desk()
  for (let i = 0; i < 1_200; i++) {
    add(`t${i}`, { origin: 'unknown' })
    claim(`t${i}`, i * 10_000)
    over(`t${i}`, i * 10_000 + 1)
  }
  t.ok([...taints.kept()].filter((one) => 'agent' in one).length <= 1_000)
  t.equal(taints.ofRun('bot', AT_MS), 'unknown')
})
