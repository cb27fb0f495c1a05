import t from 'tap'
import { handPool } from './hand-pool.ts'
import { between, named, runHouse } from './house.ts'

t.test('after a 429 nothing is sent until its retry-after is over, also not what is urgent', async (t) => {
  const pool = handPool()
  const [first, second] = [pool.want('a'), pool.want('b')]
  pool.taken()
  pool.answered(first, { kind: 'refused', retryAfterMs: 30_000 })
  pool.answered(second, { kind: 'refused', retryAfterMs: 2_000 })
  pool.want('c', { rank: 1 })
  t.equal(pool.waitMs(), 30_000, 'the longer one holds')
  t.equal(pool.room(), 0)
  pool.turn(29_999)
  t.same(pool.taken(), [])
  pool.turn(1)
  t.equal(pool.taken().length, 1)
})

t.test('while it is a guess how many may be in flight, as many again may be of what is urgent; what was learned holds for all', async (t) => {
  const pool = handPool()
  const first = pool.want('a')
  for (let n = 0; n < 8; n++) pool.want('b')
  t.equal(pool.taken().length, 4)
  const urgent = Array.from({ length: 6 }, () => pool.want('c', { rank: 1 }))
  t.equal(pool.waitMs(), 0)
  t.same(pool.taken(), urgent.slice(0, 4), 'although others have waited for longer, and half is theirs')
  t.equal(pool.waitMs(), undefined, 'then not before an answer')
  pool.turn(100)
  pool.answered(first, { kind: 'refused', retryAfterMs: 1_000 })
  pool.turn(1_000)
  t.equal(pool.report().window.isLearned, true)
  t.same(pool.taken(), [])
  t.equal(pool.waitMs(), undefined)
})

t.test('refusals that do not say for how long are waited for longer each time', async (t) => {
  const pool = handPool()
  const key = pool.want('a')
  const waits: number[] = []
  for (let n = 0; n < 7; n++) {
    t.same(pool.taken(), [key])
    pool.answered(key, { kind: 'refused' })
    waits.push(pool.report().frozenMs)
    pool.turn(pool.waitMs() ?? Number.NaN)
  }
  t.same(waits, [1_000, 2_000, 4_000, 8_000, 16_000, 30_000, 30_000])
})

t.test('a provider that refuses and says to come at once is not asked at once, again and again', async (t) => {
  const pool = handPool()
  const key = pool.want('a')
  pool.taken()
  pool.answered(key, { kind: 'refused', retryAfterMs: 0 })
  t.equal(pool.report().frozenMs, 1_000)
})

t.test('a refusal that the headers explain teaches no hidden limit', async (t) => {
  const pool = handPool()
  for (const remaining of [0, 500]) {
    const key = pool.want('a')
    pool.taken()
    pool.answered(key, { kind: 'refused', retryAfterMs: 1_000, limits: { requests: { limit: 1_000, remaining } } })
    t.equal(pool.report().perMinute !== undefined, remaining > 0)
    pool.turn(60_000)
    pool.withdraw(key)
  }
})

t.test('after a 529 one probe is sent, jittered; when it is let in, all others follow', async (t) => {
  const pool = handPool()
  const first = pool.want('a')
  pool.taken()
  for (const agent of ['b', 'c', 'd']) pool.want(agent)
  t.equal(pool.mayTry(), true)
  pool.turn(60)
  pool.answered(first, { kind: 'overloaded' })
  t.equal(pool.mayTry(), true, 'once is no reason to go elsewhere')
  t.match(pool.report().breaker, { state: 'waiting', failures: 1 })
  const pauses = [pool.waitMs() ?? Number.NaN]
  for (let n = 0; n < 12; n++) {
    pool.turn(pauses.at(-1) ?? 0)
    const [probe, ...others] = pool.taken()
    t.same(others, [])
    t.equal(pool.report().breaker.state, 'probing')
    pool.turn(60)
    if (probe === undefined) throw new Error('no probe')
    pool.answered(probe, { kind: 'overloaded' })
    t.equal(pool.mayTry(), false, 'twice is')
    pauses.push(pool.waitMs() ?? Number.NaN)
  }
  t.ok(new Set(pauses).size > 10 && (pauses.at(-1) ?? 0) > 500 && Math.max(...pauses) <= 7_500, pauses.join(' '))
  pool.turn(pauses.at(-1) ?? 0)
  const [probe] = pool.taken()
  if (probe === undefined) throw new Error('no probe')
  pool.heard(probe, {})
  t.equal(pool.mayTry(), true)
  t.equal(pool.taken().length, 3)
})

t.test('a probe that is not refused in the time that refusals take has been let in', async (t) => {
  const pool = handPool()
  const first = pool.want('a')
  pool.taken()
  pool.want('b')
  pool.turn(100)
  pool.answered(first, { kind: 'overloaded' })
  pool.turn(pool.waitMs() ?? Number.NaN)
  t.equal(pool.taken().length, 1)
  t.equal(pool.waitMs(), 300, 'thrice as long')
  pool.turn(300)
  t.equal(pool.taken().length, 1)
  t.equal(pool.report().breaker.state, 'closed')
})

t.test('an outage of ten seconds is asked a few times, and over soon after it', async (t) => {
  const agents = named(30, () => ({ call: (chance: () => number) => ({ input: 100, output: 10, serviceMs: 1_000 + 2_000 * chance() }) }))
  for (let seed = 1; seed <= 10; seed++) {
    const { seen, done } = runHouse({ seed, untilMs: 40_000, provider: { overload: { fromMs: 20_000, untilMs: 30_000, part: 1 } }, agents })
    t.ok(seen.overloaded <= 25, `seed ${seed}: ${seen.overloaded} tries`)
    t.ok(between(done, 30_000, 37_500).length > 0, `seed ${seed}: it goes on`)
  }
})

t.test('how much room there is: what may be sent, without what waits for it', async (t) => {
  const pool = handPool({ limits: { requests: 3 } })
  t.equal(pool.room(), 3)
  pool.want('a')
  t.equal(pool.room(), 2)
  pool.taken()
  t.equal(pool.room(), 2)
  for (let n = 0; n < 5; n++) pool.want('a')
  t.equal(pool.room(), 0)
})

t.test('an agent whose huge requests are wrong, one after the other, does not keep the rest waiting', async (t) => {
  const pool = handPool({ limits: { requests: 1_000, input: 2_000_000 } })
  const huge = new Set<unknown>()
  const served = new Map<string, number>()
  for (let n = 0; n < 4; n++) huge.add(pool.want('evil', { inputTokens: 9_000_000 }))
  for (const agent of ['a', 'b', 'c']) for (let n = 0; n < 200; n++) pool.want(agent, { inputTokens: 20_000 })
  for (let second = 0; second < 120; second++) {
    for (const { key, agent, inputTokens } of pool.take()) {
      if (!huge.has(key)) {
        served.set(agent, (served.get(agent) ?? 0) + 1)
        pool.answered(key, { kind: 'ok', usage: { inputTokens, outputTokens: 0 } })
        continue
      }
      // The provider says at once, that is after a second, that it is too long.
      pool.turn(1_000)
      pool.answered(key, { kind: 'failed', usage: { inputTokens: 0, outputTokens: 0 } })
      huge.add(pool.want('evil', { inputTokens: 9_000_000 }))
    }
    pool.turn(1_000)
  }
  const all = [...served.values()].reduce((sum, one) => sum + one, 0)
  t.ok(all >= 90, `${all} of 300 at most, 30 where it always came first`)
})
