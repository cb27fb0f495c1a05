import t from 'tap'
import type { MessageId } from '../../src/core/ids.ts'
import type { Name } from '../../src/core/names.ts'
import type { Mail } from '../../src/mailbox/index.ts'
import { makeHandClock } from '../hand-clock.ts'
import { makeOffice, pause, until } from './office.ts'

const BOOK = 'grep ^subject: "$PENNY_MESSAGE" | cut -c10- >> ../../../order.txt'
const SPELL = 'printf "+ " >> ../../../spell.txt; sleep 0.3; printf -- "- " >> ../../../spell.txt'

const settled = (office: ReturnType<typeof makeOffice>, count: number): Promise<unknown> =>
  until(`${count} ended`, () => office.events.filter(({ event }) => event === 'run-ended').length === count)

function most(marks: string): number {
  let [now, top] = [0, 0]
  for (const mark of marks.trim().split(' ')) {
    now += mark === '+' ? 1 : -1
    top = Math.max(top, now)
  }
  return top
}

t.test('over all agents the most urgent is first, then the oldest', async (t) => {
  const office = makeOffice(t)
  office.wake.concurrency = 1
  for (const name of ['one', 'two', 'three']) office.agent(name, BOOK, { concurrency: 5 })
  const shape: [string, number][] = [
    ['one', 4],
    ['two', 3],
    ['one', 1],
    ['three', 3],
    ['three', 2],
    ['two', 1],
  ]
  for (const [i, [name, rank]] of shape.entries()) office.deliver(name, { subject: `${rank}-${i}`, rank })
  const dispatcher = await office.open()
  dispatcher.offer(office.deliver('one', { subject: '1-late', rank: 1 }).id)
  await settled(office, 7)
  const { readFileSync } = await import('node:fs')
  t.same(readFileSync(`${office.root}/order.txt`, 'utf8').trim().split('\n'), ['1-2', '1-5', '1-late', '2-4', '3-1', '3-3', '4-0'])
})

t.test('not more at once than the agent and the organisation allow', async (t) => {
  const { readFileSync } = await import('node:fs')
  for (const [concurrency, own, expected] of [
    [8, 1, 1],
    [8, 2, 2],
    [3, 8, 3],
  ] as const) {
    const office = makeOffice(t)
    office.wake.concurrency = concurrency
    office.agent('busy', SPELL, { concurrency: own })
    for (let i = 0; i < 6; i++) office.deliver('busy')
    await office.open()
    await settled(office, 6)
    t.equal(most(readFileSync(`${office.root}/spell.txt`, 'utf8')), expected)
  }
})

t.test('a clock that was set back by a day keeps no message waiting for its next try', async (t) => {
  const office = makeOffice(t)
  office.agent('one', 'exit 0')
  Object.assign(office.deliver('one'), { attempts: 1, retryAtMs: Date.now() + 24 * 3_600_000 })
  await office.open()
  await settled(office, 1)
})

t.test('starts are staggered', async (t) => {
  const clock = makeHandClock(Date.parse('2026-11-21T08:00:00Z'))
  const office = makeOffice(t, clock)
  office.wake.staggerMs = 2000
  office.agent('busy', 'true', { concurrency: 5 })
  for (let i = 0; i < 3; i++) office.deliver('busy')
  const started = (): number => office.events.filter(({ event }) => event === 'run-started').length
  const dispatcher = await office.open()
  for (const n of [1, 2, 3]) {
    await until(`start ${n}`, () => started() === n && dispatcher.running().length === 0)
    await clock.turn(1900)
    await pause(20)
    t.equal(started(), n)
    await clock.turn(150)
  }
})

t.test('of 100,000 messages over 3,000 agents the first are chosen in order, without sorting them all', async (t) => {
  const office = makeOffice(t)
  const agents = Array.from({ length: 3000 }, (_, i) => `agent-${i}` as Name)
  for (let i = 0; i < 100_000; i++) {
    const id = office.given.ids.next()
    const mail = {
      id,
      holder: agents[(i * 7) % 3000],
      folder: 'new',
      status: 'open',
      rank: 1 + (i % 4),
      from: 'operator',
      blockedOn: [],
      subject: '',
      file: id,
      reminder: false,
    }
    office.given.ledger.add(mail as unknown as Mail)
  }
  const { makeQueue } = await import('../../src/wake/queue.ts')
  const queue = makeQueue(office.given.ledger, () => 'yes')
  const chosen: Mail[] = []
  for (let i = 0; i < 500; i++) {
    const mail = queue.first(agents, 0)
    if (!mail) break
    chosen.push(mail)
    office.given.ledger.remove(mail.id)
  }
  const expected = [...chosen].sort((a, b) => a.rank - b.rank || (a.id < b.id ? -1 : 1))
  t.same(
    chosen.map(({ id }) => id),
    expected.map(({ id }) => id),
  )
  t.ok(
    [...office.given.ledger.all()].every((mail) => mail.rank > 1 || mail.id > (chosen.at(-1)?.id ?? '')),
    'none was passed over',
  )
})

t.test('a message whose priority changes, or that somebody else takes, is no trap for the queue', async (t) => {
  const office = makeOffice(t)
  const { makeQueue } = await import('../../src/wake/queue.ts')
  const legal = office.agent('legal', 'true')
  const [a, b, c] = [office.deliver('legal', { rank: 3 }), office.deliver('legal', { rank: 2 }), office.deliver('legal', { rank: 1 })]
  const queue = makeQueue(office.given.ledger, (mail) => (mail.folder === 'new' ? 'yes' : 'no'))
  t.equal(queue.first([legal], 0), c)
  c.folder = 'cur'
  t.equal(queue.first([legal], 0), b)
  a.rank = 1
  queue.offer(a)
  t.equal(queue.first([legal], 0), a)
  office.given.ledger.remove(a.id)
  b.rank = 9
  t.equal(queue.first([legal], 0), undefined, 'a hint that was not given')
  queue.refresh()
  t.equal(queue.first([legal], 0), b, 'is made up by the next look at everything')
  queue.offer({ id: 'x' as MessageId, holder: legal, rank: 1 } as Mail)
  t.equal(queue.first([legal], 0), b)
})
