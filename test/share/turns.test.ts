import t from 'tap'
import { handPool } from './hand-pool.ts'
import { between, named, runHouse } from './house.ts'

const MINUTE_MS = 60_000

/** What is served in so many seconds, one a second. */
function served(pool: ReturnType<typeof handPool>, seconds: number): string[] {
  const all: string[] = []
  for (let n = 0; n < seconds; n++) {
    pool.turn(1_000)
    all.push(...pool.serve())
  }
  return all
}
/** One a second, and nothing saved up. */
function bound(urgentCap = 0.5) {
  const pool = handPool({ limits: { requests: 60 }, urgentCap })
  for (let n = 0; n < 60; n++) pool.want('before')
  while (pool.report().waiting > 0) pool.serve()
  pool.turn(1_000)
  return pool
}

t.test('higher ranks come first', async (t) => {
  const pool = bound()
  for (const rank of [5, 4, 3, 2]) pool.want(`r${rank}`, { rank })
  t.same(served(pool, 6), ['r2', 'r3', 'r4', 'r5'])
})

t.test('urgent has half while others wait, and all when nobody does', async (t) => {
  const pool = bound()
  for (let n = 0; n < 20; n++) {
    pool.want('urgent', { rank: 1 })
    if (n < 5) pool.want('normal')
  }
  const first = served(pool, 10)
  t.equal(first[0], 'urgent')
  t.equal(first.filter((agent) => agent === 'urgent').length, 5)
  t.ok(served(pool, 15).every((agent) => agent === 'urgent'))
  t.equal(pool.report().waiting, 0)
})

t.test('with another cap it has that part', async (t) => {
  const pool = bound(0.25)
  for (let n = 0; n < 100; n++) {
    pool.want('urgent', { rank: 1 })
    pool.want('normal')
  }
  const part = served(pool, 80).filter((agent) => agent === 'urgent').length / 80
  t.ok(Math.abs(part - 0.25) < 0.02, `${part}`)
})

t.test('who has waited for 30 s in a low rank gets one turn in eight', async (t) => {
  const pool = bound()
  for (let n = 0; n < 300; n++) pool.want('high', { rank: 2 })
  for (let n = 0; n < 20; n++) pool.want('low', { rank: 5 })
  t.notOk(served(pool, 30).includes('low'), 'not before')
  const after = served(pool, 90)
  t.ok(Math.abs(after.filter((agent) => agent === 'low').length - 10) <= 1, `${after.filter((agent) => agent === 'low').length} of 90`)
})

t.test('among N equals nobody waits longer than 1.5 N/rate, whatever N', async (t) => {
  for (const count of [5, 30, 300]) {
    const rpm = 600
    const agents = named(count, () => ({ call: (chance) => ({ input: 100, output: 10, serviceMs: 500 + 500 * chance() }) }))
    const { done } = runHouse({ seed: count, untilMs: 5 * MINUTE_MS, limits: { requests: rpm }, provider: { shown: { requests: rpm } }, agents })
    const longest = Math.max(...between(done, MINUTE_MS, 5 * MINUTE_MS).map(({ sentMs, submittedMs }) => sentMs - submittedMs))
    t.ok(longest <= (1.5 * count * MINUTE_MS) / rpm, `${count} agents: ${longest} ms`)
  }
})

t.test('what an answer really took is what counts: who was thought to take much gets it back', async (t) => {
  const pool = handPool({ limits: { input: 600_000 } })
  const once = (agent: string, guess: number): void => void pool.want(agent, { inputTokens: guess })
  pool.want('before', { inputTokens: 600_000 })
  pool.serve()
  let [a, b] = [0, 0]
  for (let n = 0; n < 50; n++)
    for (const [agent, guess] of [
      ['a', 10_000],
      ['b', 5_000],
    ] as const)
      once(agent, guess)
  for (let n = 0; n < 60; n++) {
    pool.turn(500)
    for (const { key, agent } of pool.take()) {
      if (agent === 'a') a++
      else b++
      pool.answered(key, { kind: 'ok', usage: { inputTokens: 5_000, outputTokens: 0 } })
    }
  }
  t.ok(a > 20 && Math.abs(a - b) <= 2, `${a} and ${b}`)
})

t.test('what does not fit is waited for: a small one of the same rank does not overtake it', async (t) => {
  const pool = handPool({ limits: { input: 60_000 } })
  pool.want('before', { inputTokens: 60_000 })
  pool.serve()
  pool.want('big', { inputTokens: 30_000 })
  pool.want('small', { inputTokens: 10 })
  pool.turn(20_000)
  t.same(pool.serve(), [])
  const waitMs = pool.waitMs() ?? 0
  t.ok(waitMs > 10_000 && waitMs <= 11_000, `${waitMs}`)
  pool.want('urgent', { rank: 1, inputTokens: 10 })
  t.same(pool.serve(), ['urgent'], 'a higher rank does')
  pool.turn(pool.waitMs() ?? 0)
  t.same(pool.serve(), ['big'])
  pool.turn(pool.waitMs() ?? 0)
  t.same(pool.serve(), ['small'])
})

t.test('one that is refused, or met by an overload, is the next again', async (t) => {
  for (const kind of ['refused', 'overloaded'] as const) {
    const pool = handPool()
    const first = pool.want('a')
    const second = pool.want('a')
    pool.taken()
    pool.want('a')
    pool.answered(first, { kind, ...(kind === 'refused' ? { retryAfterMs: 5_000 } : {}) })
    t.same(pool.taken(), [], 'nothing is sent meanwhile')
    pool.answered(second, { kind: 'failed' })
    pool.turn(pool.waitMs() ?? 0)
    t.equal(pool.taken()[0], first)
  }
})
