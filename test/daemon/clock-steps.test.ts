import t from 'tap'
import { report } from '../crash/house.ts'
import { alertOf, alertsOf, filesIn, type Letter, lettersOf, message } from '../e2e/files.ts'
import { DAY, MINUTE, SECOND, type TurnedHouse, turnedHouse } from './turned.ts'

async function send(house: TurnedHouse, subject: string): Promise<Letter> {
  house.drop(`workspaces/cfo/outbox/${subject}.md`, message({ to: 'legal', subject, priority: 'normal' }))
  return house.until(subject, () => lettersOf(house.root, 'legal').find((one) => one.head.get('subject') === subject))
}

t.test('the clock is stepped a day forward and two back: nothing is lost or comes twice, nobody is called late, ids only grow', async (t) => {
  const house = await turnedHouse(t)
  const ids = [(await send(house, 'before')).id]
  for (const [ms, word] of [
    [DAY, 'forward'],
    [-2 * DAY, 'back'],
  ] as const) {
    house.clock.step(ms)
    const first = await send(house, `at once ${word}`)
    ids.push(first.id)
    t.ok(Math.abs(Date.parse(first.head.get('created') ?? '') - house.clock.now()) < MINUTE, `created: is by the clock as it stands, ${word}`)
    await house.until('clock-step', () => alertOf(house.root, 'clock-step', word))
    ids.push((await send(house, `then ${word}`)).id)
    // across a restart, ids must not fall back to the clock as it stands now
    await house.restart()
    ids.push((await send(house, `restarted ${word}`)).id)
    await house.pass(10 * MINUTE, 30 * SECOND)
  }
  t.same(ids, [...ids].sort(), 'ids ascend')
  t.equal(new Set(ids).size, ids.length)
  t.equal(lettersOf(house.root, 'legal').length, ids.length, 'each message once')
  t.same(
    alertsOf(house.root).map(({ code }) => code),
    ['clock-step'],
    'nothing is stuck: no time went by',
  )
  t.equal(alertOf(house.root, 'clock-step')?.head.get('count'), '2')
  t.same(filesIn(house.at('workspaces/cfo/outbox')), [])
  const { accounting: a } = await report(house.house())
  t.match(a, { drops: ids.length, admitted: ids.length, copies: ids.length, open: ids.length, notes: 0 })
})

t.test('a deadline that ran when the clock was stepped is kept to, by the time that really went by', async (t) => {
  const house = await turnedHouse(t)
  const { id } = await send(house, 'four hours')
  await house.pass(60 * MINUTE, 10 * MINUTE)
  house.clock.step(-DAY)
  await house.pass(175 * MINUTE, 10 * MINUTE)
  t.notOk(alertOf(house.root, 'stuck-new'), 'not yet')
  await house.until('after four hours', () => alertOf(house.root, 'stuck-new', id), 6 * MINUTE)
})

t.test('ids only grow also where the clock is set back while no daemon runs, for what waits at its start', async (t) => {
  const house = await turnedHouse(t)
  const before = await send(house, 'before')
  await house.restart(() => {
    house.clock.step(-DAY)
    house.drop('workspaces/cfo/outbox/waiting.md', message({ to: 'legal', subject: 'waiting', priority: 'normal' }))
  })
  const waiting = await house.until('waiting', () => lettersOf(house.root, 'legal').find(({ head }) => head.get('subject') === 'waiting'))
  t.ok(waiting.id > before.id, 'the order of admission is the order of names')
})
