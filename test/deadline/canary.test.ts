import t from 'tap'
import { createCanary } from '../../src/deadline/index.ts'
import { handClock } from './hand-clock.ts'

const turnOfLoop = (): Promise<void> => new Promise((done) => setImmediate(done))

function cage() {
  const clock = handClock(Date.UTC(2030, 0, 7))
  const open = new Map<string, string>()
  const flights: { arrive: () => void; fail: (why: Error) => void }[] = []
  const canary = createCanary({
    clock,
    raise: ({ code, sentence }) => void open.set(code, sentence),
    clear: (code) => void open.delete(code),
    dropCanary: () => new Promise((arrive, fail) => void flights.push({ arrive, fail })),
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
  t.match(open.get('canary-late'), /did not arrive within 5 s/)
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
  await flown
  t.match(open.get('canary-late'), /could not be sent \(ENOSPC\)/)
})
