import { Session } from 'node:inspector'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import t from 'tap'
import { handPool } from './hand-pool.ts'
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
      // Less than thirty ask for: there is a line in each case.
      const limits = { requests: 300 }
      sent = runHouse({ seed: count, untilMs: 2_400_000, limits, provider: { shown: limits }, agents }).sends.length
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

t.test('what is done is forgotten: a hundred thousand requests later no more memory is held', async (t) => {
  setFlagsFromString('--expose-gc')
  const collect = runInNewContext('gc') as () => void
  const pool = handPool()
  const serve = (count: number): number => {
    for (let n = 0; n < count; n++) {
      const withdrawn = pool.want(`a${n % 7}`)
      pool.want(`a${n % 5}`, { session: `s${n % 3}`, inputTokens: n % 1_000 })
      pool.withdraw(withdrawn)
      pool.turn(1)
      pool.serve()
    }
    collect()
    return process.memoryUsage().heapUsed
  }
  const before = serve(20_000)
  const after = serve(50_000)
  t.equal(pool.report().waiting, 0)
  // An entry in a map for each would be five times as much.
  t.ok(after - before < 1024 * 1024, `${Math.round((after - before) / 1024)} KiB more`)
})
