import { Session } from 'node:inspector'
import t from 'tap'
import { named, runHouse } from './house.ts'

/** How often functions of the scheduler are called while `act` runs, as V8 counts. It is not stopped: tests' own coverage may be running. */
function callsDuring(act: () => void): number {
  const session = new Session()
  session.connect()
  const count = (): number => {
    let calls = 0
    session.post('Profiler.takePreciseCoverage', (error, taken) => {
      if (error) throw error
      for (const { url, functions } of taken.result)
        if (/\/src\/(share\/|core\/heap)/.test(url)) for (const { ranges } of functions) calls += ranges[0]?.count ?? 0
    })
    return calls
  }
  session.post('Profiler.enable')
  session.post('Profiler.startPreciseCoverage', { callCount: true, detailed: false })
  count()
  act()
  return count()
}

t.test('what a decision costs grows no faster than the logarithm of the number of agents', async (t) => {
  const cost = (count: number): number => {
    let sent = 0
    const calls = callsDuring(() => {
      const agents = named(count, (n) => ({
        rank: 1 + (n % 5),
        weight: 1 + (n % 3),
        call: (chance) => ({ input: 1_000 * chance(), guess: 2_000 * chance(), output: 100, serviceMs: 500 + 1_000 * chance() }),
      }))
      const limits = { requests: 6_000 }
      sent = runHouse({ seed: count, untilMs: 120_000, limits, provider: { shown: limits }, agents }).sends.length
    })
    return calls / sent
  }
  const [few, many, most] = [cost(30), cost(300), cost(3_000)]
  const title = `${few.toFixed(0)}, ${many.toFixed(0)} and ${most.toFixed(0)} calls per request with 30, 300 and 3,000 agents`
  t.comment(title)
  t.ok(few > 20, `it counts: ${title}`)
  t.ok(most / many <= Math.log(3_000) / Math.log(300), title)
  t.ok(many / few <= Math.log(300) / Math.log(30), title)
})
