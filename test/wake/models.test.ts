/** Runs wait for room at the model gateway. */
import t from 'tap'
import type { MessageId } from '../../src/core/ids.ts'
import type { Name } from '../../src/core/names.ts'
import { realClock } from '../../src/system/clock.ts'
import type { Clock } from '../../src/system/types.ts'
import type { Dispatcher, Models } from '../../src/wake/index.ts'
import { makeHandClock } from '../hand-clock.ts'
import { makeOffice, type Office, pause, until } from './office.ts'

type Gate = { office: Office; room: number; over: Map<Name, string>; told: string[]; apart: Set<string>; open: () => Promise<Dispatcher> }

/** A gateway with so much room, of which each run that starts takes one; urgent ones need none. */
function makeGate(t: Parameters<typeof makeOffice>[0], clock: Clock = realClock): Gate {
  const office = makeOffice(t, clock)
  const whyNot: Models['whyNot'] = (agent, rank) =>
    gate.over.get(agent) ?? (gate.apart.has(agent) || rank === 1 || gate.room > 0 ? undefined : 'for room at the provider')
  const models: Models = {
    whyNot,
    mayStart: (agent, rank) => whyNot(agent, rank) === undefined,
    runStarted: ({ agent, run, message, rank }) => {
      gate.room--
      gate.told.push(`${agent} started ${rank} ${message} ${run}`)
    },
    runEnded: (run) => void gate.told.push(`ended ${run}`),
    rankChanged: (run, rank) => void gate.told.push(`now ${rank} ${run}`),
  }
  const gate: Gate = { office, room: 0, over: new Map(), told: [], apart: new Set(), open: () => office.open() }
  office.given = { ...office.given, models }
  return gate
}

const startsOf = (gate: Gate): string[] => gate.told.filter((line) => line.includes(' started ')).map((line) => line.split(' ')[0] ?? '')
const ended = (office: Office): number => office.events.filter(({ event }) => event === 'run-ended').length

t.test('as many start as there is room for, the others when room is told, in order of service; who writes much gets no more than its turn', async (t) => {
  const clock = makeHandClock(Date.parse('2026-11-22T08:00:00Z'))
  const gate = makeGate(t, clock)
  const { office } = gate
  for (const name of ['flood', 'one', 'two', 'three']) office.agent(name, 'true')
  for (let i = 0; i < 6; i++) office.deliver('flood')
  for (const name of ['one', 'two', 'three']) office.deliver(name)
  const dispatcher = await gate.open()
  clock.every(1_000, () => {
    gate.room = 2
    dispatcher.roomChanged()
  })
  await clock.turn(999)
  t.same(startsOf(gate), [], 'there is none yet')
  for (const expected of [
    ['flood', 'one'],
    ['flood', 'two'],
    ['flood', 'three'],
    ['flood', 'flood'],
  ]) {
    const before = startsOf(gate).length
    await clock.turn(1_000)
    await until('those are over', () => ended(office) === before + expected.length && dispatcher.running().length === 0)
    t.same(startsOf(gate).slice(before), expected)
    gate.room = 0
  }
})

t.test('urgent ones do not wait, those without a way to a model neither, and nobody behind who waits', async (t) => {
  const gate = makeGate(t)
  const { office } = gate
  for (const name of ['waits', 'urgent', 'apart', 'spent']) office.agent(name, 'true')
  gate.apart.add('apart')
  gate.over.set('spent' as Name, 'over its budget until 00:00')
  office.deliver('waits', { rank: 2 })
  office.deliver('spent', { rank: 1 })
  office.deliver('apart', { rank: 4 })
  office.deliver('urgent', { rank: 1 })
  const dispatcher = await gate.open()
  await until('both ran', () => ended(office) === 2)
  t.same(office.events.flatMap((event) => (event.event === 'run-started' ? [event.agent] : [])).sort(), ['apart', 'urgent'], 'the machine has room for eight')
  t.equal(dispatcher.whyHeld('waits' as Name), 'for room at the provider')
  t.equal(dispatcher.whyHeld('spent' as Name), 'over its budget until 00:00')
  for (const name of ['apart', 'urgent']) t.equal(dispatcher.whyHeld(name as Name), undefined, 'it has nothing to do')
  gate.over.clear()
  dispatcher.roomChanged()
  await until('the urgent one that was held ran', () => ended(office) === 3)
  await pause(50)
  t.equal(ended(office), 3)
  gate.room = 1
  dispatcher.roomChanged()
  await until('the last, too', () => ended(office) === 4)
})

t.test('a run is told when it starts and when it is over, once each, whatever became of it; also a priority that changes meanwhile', async (t) => {
  const gate = makeGate(t)
  gate.room = 100
  const { office } = gate
  office.agent('good', 'touch begun; until [ -e go ]; do sleep 0.02; done')
  office.agent('bad', 'exit 3', { maxAttempts: 1 })
  office.agent('taken', 'true')
  const good = office.deliver('good', { rank: 3 })
  const bad = office.deliver('bad')
  const taken = office.deliver('taken')
  const { apply } = office.given
  office.given = { ...office.given, apply: async (change) => (change.id === taken.id ? { outcome: 'gone' } : await apply(change)) }
  const dispatcher = await gate.open()
  await until('the long one runs, the others do not', () => office.find(good)?.folder === 'cur' && ended(office) === 1 && dispatcher.running().length === 1)
  good.rank = 1
  dispatcher.changed({ id: good.id, holder: good.holder, was: 'in_progress', now: 'in_progress', by: 'operator' })
  dispatcher.changed({ id: good.id, holder: good.holder, was: 'in_progress', now: 'in_progress', by: 'operator' })
  office.given.disk.create(`${office.root}/workspaces/good/home/go`, '', 0o644)
  await until('it is over', () => ended(office) === 2 && dispatcher.running().length === 0)
  const linesOf = (id: MessageId): string[] => {
    const start = gate.told.find((line) => line.includes(` ${id} `)) ?? ''
    const run = start.split(' ').at(-1) ?? 'none'
    return gate.told.filter((line) => line.endsWith(run)).map((line) => line.replace(run, 'RUN').replace(id, 'ID').trim())
  }
  t.same(linesOf(good.id), ['good started 3 ID RUN', 'now 1 RUN', 'ended RUN'])
  t.same(linesOf(bad.id), ['bad started 3 ID RUN', 'ended RUN'])
  t.same(linesOf(taken.id).slice(0, 2), ['taken started 3 ID RUN', 'ended RUN'])
  t.equal(gate.told.filter((line) => line.startsWith('ended')).length, startsOf(gate).length)
})
