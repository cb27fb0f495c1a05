import t from 'tap'
import { createCanary, type Station } from '../../src/deadline/index.ts'
import { handClock } from './hand-clock.ts'

const turnOfLoop = (): Promise<void> => new Promise((done) => setImmediate(done))

function cage() {
  const clock = handClock(Date.UTC(2030, 0, 7))
  const open = new Map<string, string>()
  const flights: { passed: (station: Station) => void; arrive: () => void; fail: (why: Error) => void }[] = []
  const canary = createCanary({
    clock,
    raise: ({ code, sentence }) => void open.set(code, sentence),
    clear: (code) => void open.delete(code),
    dropCanary: (passed) => new Promise((arrive, fail) => void flights.push({ passed, arrive, fail })),
  })
  return {
    ...canary,
    clock,
    open,
    flights,
    arrive: async () => {
      flights.at(-1)?.arrive()
      await turnOfLoop()
    },
  }
}

t.test('a canary flies each minute; not through in 5 s is an alert, which the next good one closes', async (t) => {
  const { start, clock, open, flights, arrive, lastMs } = cage()
  const stop = start()
  t.equal(lastMs(), undefined)
  clock.turn(12)
  await arrive()
  t.equal(lastMs(), 12)
  clock.turn(60_000)
  t.equal(flights.length, 2)
  clock.turn(5_000)
  t.match(open.get('canary-late'), /waits for more than 5 s to be written into spool/)
  clock.turn(1_000)
  await arrive()
  t.equal(lastMs(), 6_012, 'also of a late one')
  t.ok(open.has('canary-late'), 'a late one does not close it')
  clock.turn(54_000)
  await arrive()
  t.notOk(open.has('canary-late'))
  stop()
  clock.turn(600_000)
  t.equal(flights.length, 3, 'stopped')
})

t.test('one that is lost keeps the next back for ten minutes, not for ever', async (t) => {
  const { start, clock, open, flights, arrive } = cage()
  const stop = start()
  clock.turn(9 * 60_000)
  t.equal(flights.length, 1)
  t.ok(open.has('canary-late'))
  clock.turn(60_000)
  t.equal(flights.length, 2)
  flights[0]?.arrive()
  await turnOfLoop()
  t.ok(open.has('canary-late'), 'the lost one counts no more')
  await arrive()
  t.notOk(open.has('canary-late'))
  stop()
})

t.test('one that cannot be dropped is late at once', async (t) => {
  const { fly, open, flights } = cage()
  const flown = fly()
  flights[0]?.fail(new Error('ENOSPC'))
  t.same(await flown, { through: false, why: 'could not be written into spool/ (ENOSPC)' })
  t.match(open.get('canary-late'), /could not be written into spool\/ \(ENOSPC\)/)
})

t.test('who asks is told how long each step took', async (t) => {
  const { fly, clock, flights, arrive } = cage()
  const flown = fly()
  for (const [ms, station] of [
    [2, 'dropped'],
    [30, 'noticed'],
    [4, 'delivered'],
  ] as const) {
    clock.turn(ms)
    flights[0]?.passed(station)
  }
  await arrive()
  const steps = [
    { step: 'dropped', ms: 2 },
    { step: 'noticed', ms: 30 },
    { step: 'delivered', ms: 4 },
  ]
  t.same(await flown, { through: true, ms: 36, steps })
})

t.test('who asks while one is on its way gets its result; while one is stuck, where it is stuck, and not an older time', async (t) => {
  const { start, fly, clock, flights, arrive, lastMs } = cage()
  const stop = start()
  await arrive()
  t.equal(lastMs(), 0)
  clock.turn(60_000)
  flights[1]?.passed('dropped')
  const asked = fly()
  clock.turn(5_000)
  const stuck = { through: false, why: 'waits for more than 5 s to be noticed there and taken in' }
  t.same(await asked, stuck)
  clock.turn(20_000)
  t.same(await fly(), stuck)
  t.equal(flights.length, 2)
  await arrive()
  const next = fly()
  t.equal(flights.length, 3)
  await arrive()
  t.match(await next, { through: true, ms: 0 })
  stop()
})
