import t from 'tap'
import { HOUR_MS, MINUTE_MS, office, START_MS } from './office.ts'

const DAY_MS = 24 * HOUR_MS

t.test('time while the daemon was down does not count, but for due', async (t) => {
  const before = office()
  before.add({ priority: 'urgent' })
  before.add({ due: new Date(START_MS + HOUR_MS).toISOString() })
  await before.pass(4 * MINUTE_MS)
  const after = before.restart(2 * HOUR_MS)
  await after.check()
  t.same(after.alerts(), ['overdue legal'])
  await after.pass(40_000)
  t.same(after.alerts(), ['overdue legal'])
  await after.pass(40_000)
  t.same(after.alerts(), ['overdue legal', 'stuck-new legal'])
  const again = after.restart(2 * HOUR_MS)
  await again.pass(3 * MINUTE_MS)
  t.same(again.letters.filter(({ subject }) => subject.startsWith('Not claimed')).length, 1, 'not told again after a restart')
})

t.test('time while the holder is paused does not count, but for due', async (t) => {
  const { add, pass, paused, alerts } = office()
  add({ priority: 'urgent' })
  await pass(3 * MINUTE_MS)
  paused.add('legal')
  await pass(3 * HOUR_MS)
  t.same(alerts(), [])
  paused.delete('legal')
  await pass(MINUTE_MS)
  t.same(alerts(), [])
  await pass(90_000)
  t.same(alerts(), ['stuck-new legal'])
})

t.test('a pause and a restart add up', async (t) => {
  const before = office()
  before.add({ priority: 'urgent' })
  await before.pass(2 * MINUTE_MS)
  before.paused.add('legal')
  await before.pass(HOUR_MS)
  const after = before.restart(HOUR_MS)
  await after.pass(HOUR_MS)
  after.paused.clear()
  await after.pass(2 * MINUTE_MS)
  t.same(after.alerts(), [])
  await after.pass(90_000)
  t.same(after.alerts(), ['stuck-new legal'])
})

for (const [name, stepMs] of [
  ['forward', DAY_MS],
  ['back', -DAY_MS],
] as const) {
  t.test(`a clock stepped a day ${name} neither fires nor hides a deadline`, async (t) => {
    const before = office()
    const old = before.add({ priority: 'urgent', subject: 'Old' })
    await before.pass(2 * MINUTE_MS)
    before.clock.step(stepMs)
    await before.pass(10_000)
    t.same(before.alerts(), ['clock-step clock'])
    t.match(before.raised.get('clock-step clock')?.sentence, stepMs > 0 ? /24 h forward/ : /24 h back/)
    before.raised.clear()
    before.add({ priority: 'urgent', subject: 'New' })
    const after = before.restart(MINUTE_MS)
    await after.pass(2 * MINUTE_MS)
    t.same(after.told(), [])
    await after.pass(MINUTE_MS)
    t.same(after.told(), ['legal: Not claimed in time: Old'])
    await after.pass(2 * MINUTE_MS + 20_000)
    t.same(after.told(), ['legal: Not claimed in time: Old', 'legal: Not claimed in time: New'])
    t.same(after.alerts(), ['stuck-new legal'])
    after.turnTo(old, 'in_progress')
    await after.pass(55 * MINUTE_MS)
    t.notOk(after.alerts().includes('stuck-cur legal'))
    await after.pass(6 * MINUTE_MS)
    t.ok(after.alerts().includes('stuck-cur legal'))
  })
}

t.test('a clock that was set back while the daemon was down hides nothing', async (t) => {
  const before = office()
  before.add({ priority: 'urgent' })
  await before.pass(2 * MINUTE_MS)
  const after = before.restart(MINUTE_MS, -DAY_MS)
  await after.check()
  t.same(after.alerts(), ['clock-step clock'])
  await after.pass(4 * MINUTE_MS)
  t.same(after.alerts(), ['clock-step clock', 'stuck-new legal'])
})

t.test('a step that no look has seen is written down at the stop: what began since is not taken for older than it is', async (t) => {
  const before = office()
  before.add({ priority: 'urgent', subject: 'Old' })
  await before.pass(2 * MINUTE_MS)
  before.clock.step(-DAY_MS)
  before.add({ priority: 'urgent', subject: 'New' })
  await before.stop()
  t.same(before.alerts(), ['clock-step clock'])
  const after = before.restart(MINUTE_MS)
  await after.pass(2 * MINUTE_MS)
  t.same([after.told(), after.alerts()], [[], []])
  await after.pass(MINUTE_MS)
  t.same(after.told(), ['legal: Not claimed in time: Old'])
})

t.test('drift is no step', async (t) => {
  const { pass, clock, alerts } = office()
  for (let i = 0; i < 10; i++) {
    clock.step(4_000)
    await pass(10_000)
  }
  t.same(alerts(), [])
})
