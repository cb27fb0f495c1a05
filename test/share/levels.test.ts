import fc from 'fast-check'
import t from 'tap'
import type { Levels } from '../../src/share/index.ts'
import { handPool } from './hand-pool.ts'
import { runHouse } from './house.ts'

t.test('a known limit is never exceeded, whatever is asked and however long answers take', async (t) => {
  const agent = fc.record({
    rank: fc.integer({ min: 1, max: 5 }),
    weight: fc.double({ min: 0.1, max: 10, noNaN: true }),
    loops: fc.integer({ min: 1, max: 8 }),
    input: fc.integer({ min: 0, max: 20_000 }),
    tooMuch: fc.double({ min: 1, max: 3, noNaN: true }),
    serviceMs: fc.integer({ min: 10, max: 20_000 }),
  })
  const property = fc.property(
    fc.array(agent, { minLength: 1, maxLength: 8 }),
    fc.record({ requests: fc.integer({ min: 1, max: 1_000 }), input: fc.integer({ min: 60_000, max: 2_000_000 }) }),
    fc.boolean(),
    fc.integer(),
    (kinds, shown, headers, seed) => {
      const agents = kinds.map(({ input, tooMuch, serviceMs, ...rest }, n) => ({
        agent: `a${n}`,
        ...rest,
        call: (chance: () => number) => ({ input, guess: input * tooMuch, output: 10, serviceMs: serviceMs * (0.5 + chance()) }),
      }))
      const { seen } = runHouse({ seed, untilMs: 150_000, limits: shown, provider: { shown, headers }, agents })
      return seen.refused === 0 && seen.accepted > 0
    },
  )
  fc.assert(property, { numRuns: 150 })
  t.pass()
})

t.test('a limit that is learned is kept from the first answer on, and another user of the key is noticed', async (t) => {
  const pool = handPool()
  t.equal(pool.report().meters.input.learned, undefined)
  const first = pool.want('a', { inputTokens: 5_000 })
  pool.taken()
  pool.heard(first, { requests: { limit: 60, remaining: 3 }, input: { limit: 100_000, remaining: 20_000 } })
  t.same([pool.report().meters.requests.learned, pool.report().meters.input.learned], [60, 100_000])
  pool.answered(first, { kind: 'ok', usage: { inputTokens: 5_000, outputTokens: 0 } })
  for (let n = 0; n < 10; n++) pool.want('b', { inputTokens: 5_000 })
  t.equal(pool.taken().length, 3, 'no more requests than the provider has left')
  t.equal(pool.waitMs(), 1_000, 'and then one a second')
})

t.test('of what is set and what is told the smaller holds', async (t) => {
  for (const [set, told] of [
    [10, 1_000],
    [1_000, 10],
  ] as const) {
    const pool = handPool({ limits: { requests: set } })
    const first = pool.want('a')
    pool.taken()
    pool.heard(first, { requests: { limit: told, remaining: told - 1 } })
    for (let n = 0; n < 40; n++) pool.want('a')
    let sent = 1
    for (let n = 0; n < 20; n++) sent += pool.serve().length
    t.equal(sent, 10)
  }
})

t.test('an estimate that was too high comes back with the headers, and not twice', async (t) => {
  const limits = { input: 100_000 }
  const pool = handPool({ limits })
  const first = pool.want('a', { inputTokens: 80_000 })
  pool.taken()
  t.equal(pool.report().meters.input.level, 20_000)
  pool.heard(first, { input: { limit: 100_000, remaining: 98_000 } })
  t.equal(pool.report().meters.input.level, 97_000, 'but for the rounding')
  pool.answered(first, { kind: 'ok', usage: { inputTokens: 2_000, outputTokens: 0 } })
  t.equal(pool.report().meters.input.level, 97_000)
})

t.test('without headers it comes back with the usage; what was thought too little is taken', async (t) => {
  const pool = handPool({ limits: { input: 100_000, output: 10_000 } })
  const first = pool.want('a', { inputTokens: 50_000, outputTokens: 1_000 })
  pool.taken()
  pool.answered(first, { kind: 'ok', usage: { inputTokens: 60_000, outputTokens: 400 } })
  t.same([pool.report().meters.input.level, pool.report().meters.output.level], [40_000, 9_600])
})

t.test('whatever a header says, waits stay finite and sending goes on', async (t) => {
  const number = fc.oneof(
    fc.constantFrom(0, -0, -1, Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, 1e300, -1e300, 1e-300, undefined),
    fc.double(),
  )
  const level = fc.record({ limit: number, remaining: number })
  const levels: fc.Arbitrary<Levels> = fc.record({ requests: level, input: level, output: level }, { requiredKeys: [] })
  const answer = fc.record({ limits: levels, isRefused: fc.boolean(), retryAfterMs: number })
  fc.assert(
    fc.property(fc.array(answer, { maxLength: 20 }), number, (answers, weird) => {
      const pool = handPool({ limits: { requests: weird as number, input: weird as number } })
      const send = (): ReturnType<typeof pool.want> => {
        pool.want('a', { inputTokens: weird as number, outputTokens: weird as number, weight: weird as number, rank: weird as number })
        for (let n = 0; n < 50; n++) {
          const [key] = pool.taken()
          if (key !== undefined) return key
          const waitMs = pool.waitMs()
          if (waitMs === undefined || !(waitMs >= 0 && waitMs <= 2 * 3_600_000)) throw new Error(`waits for ${waitMs}`)
          pool.turn(waitMs)
        }
        throw new Error('nothing is sent any more')
      }
      for (const { limits, isRefused, retryAfterMs } of answers) {
        const key = send()
        pool.answered(
          key,
          isRefused ? { kind: 'refused', retryAfterMs, limits } : { kind: 'ok', usage: { inputTokens: weird as number, outputTokens: 0 }, limits },
        )
        if (isRefused) pool.withdraw(key)
      }
      send()
    }),
    { numRuns: 300 },
  )
  t.pass()
})
