import fc from 'fast-check'
import t from 'tap'
import type { Name } from '../../src/core/names.ts'
import { createPool, type Key } from '../../src/share/index.ts'
import { chanceOf } from './chance.ts'

type Act =
  | Readonly<{ act: 'submit'; agent: number; rank: number; input: number; session: number }>
  | Readonly<{ act: 'withdraw' | 'giveBack' | 'heard' | 'ok' | 'refused' | 'overloaded' | 'failed'; which: number }>
  | Readonly<{ act: 'turn'; ms: number }>

const which = fc.nat()
const acts: fc.Arbitrary<Act> = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.record({
      act: fc.constant('submit' as const),
      agent: fc.nat(4),
      rank: fc.integer({ min: 1, max: 5 }),
      input: fc.nat(30_000),
      session: fc.nat(3),
    }),
  },
  {
    weight: 6,
    arbitrary: fc.record({
      act: fc.constantFrom('withdraw' as const, 'giveBack' as const, 'heard' as const, 'refused' as const, 'overloaded' as const, 'failed' as const),
      which,
    }),
  },
  { weight: 6, arbitrary: fc.record({ act: fc.constant('ok' as const), which }) },
  // A clock that steps back, too.
  {
    weight: 6,
    arbitrary: fc.record({ act: fc.constant('turn' as const), ms: fc.oneof(fc.integer({ min: 0, max: 5_000 }), fc.constantFrom(-3_600_000, 3_600_000)) }),
  },
)

t.test('every want is sent, withdrawn or waiting, once, whatever happens', async (t) => {
  const property = fc.property(fc.array(acts, { maxLength: 300 }), fc.boolean(), (all, isLimited) => {
    let ms = 0
    const pool = createPool({ nowMs: () => ms, random: chanceOf(1), limits: isLimited ? { requests: 60, input: 100_000 } : {}, urgentCap: 0.5 })
    const waiting = new Set<Key>()
    const sent = new Set<Key>()
    let last = 0
    const pick = (from: Set<Key>, n: number): Key | undefined => [...from][n % Math.max(1, from.size)]
    const check = (): void => {
      for (const { key } of pool.take()) {
        if (!waiting.delete(key)) throw new Error('sent, but was not waiting')
        sent.add(key)
      }
      const { waiting: inLine, inFlight, queue } = pool.report()
      if (inLine !== waiting.size || inFlight !== sent.size) throw new Error(`${inLine} waiting, ${inFlight} sent`)
      if (queue.reduce((sum, one) => sum + one.waiting, 0) !== inLine) throw new Error('the queue by rank and agent')
      const waitMs = pool.waitMs()
      if (waitMs !== undefined && !(waitMs >= 0)) throw new Error(`waits for ${waitMs}`)
      if (waitMs === undefined && waiting.size > 0 && sent.size === 0) throw new Error('nothing would ever wake it')
    }
    for (const one of all) {
      if (one.act === 'turn') ms += one.ms
      else if (one.act === 'submit') {
        waiting.add(++last)
        const { agent, rank, input, session } = one
        pool.submit({ key: last, agent: `a${agent}` as Name, weight: 1, rank, session: `s${session}`, inputTokens: input, outputTokens: 0 })
      } else if (one.act === 'withdraw' || one.act === 'giveBack') {
        const key = pick(one.which % 2 === 0 && one.act === 'withdraw' ? sent : waiting, one.which)
        if (key === undefined) continue
        pool[one.act](key)
        waiting.delete(key)
        sent.delete(key)
      } else {
        const key = pick(sent, one.which)
        if (key === undefined) continue
        if (one.act === 'heard') pool.heard(key, {})
        else {
          pool.answered(key, one.act === 'ok' ? { kind: 'ok', usage: { inputTokens: 10, outputTokens: 1 } } : { kind: one.act })
          sent.delete(key)
          if (one.act === 'refused' || one.act === 'overloaded') waiting.add(key)
        }
      }
      check()
    }
    // And in the end all are sent: nothing is forgotten.
    for (let n = 0; n < 20_000 && waiting.size + sent.size > 0; n++) {
      for (const key of sent) pool.answered(key, { kind: 'ok', usage: { inputTokens: 10, outputTokens: 1 } })
      sent.clear()
      check()
      if (sent.size === 0) ms += pool.waitMs() ?? 1
    }
    if (waiting.size > 0) throw new Error(`${waiting.size} are never sent`)
  })
  fc.assert(property, { numRuns: 300 })
  t.pass()
})

t.test('what is withdrawn before it is sent costs nothing', async (t) => {
  const run = (isDisturbed: boolean) => {
    let ms = 0
    const pool = createPool({ nowMs: () => ms, random: chanceOf(1), limits: { requests: 60, input: 100_000, output: 10_000 }, urgentCap: 0.5 })
    const order: Key[] = []
    let last = 0
    const want = (agent: string): Key => {
      pool.submit({ key: ++last, agent: agent as Name, weight: 1, rank: 3, inputTokens: 3_000, outputTokens: 100 })
      return last
    }
    const agents: string[] = []
    for (let n = 0; n < 40; n++) {
      const keys = isDisturbed ? [want('a'), want('b'), want('c')] : []
      for (const key of keys) pool.withdraw(key)
      want('a')
      want('b')
      ms += 1_000
      for (const { key, agent, inputTokens, outputTokens } of pool.take()) {
        order.push(key)
        agents.push(agent)
        pool.answered(key, { kind: 'ok', usage: { inputTokens, outputTokens } })
      }
    }
    return { agents, levels: pool.report().meters }
  }
  t.same(run(true), run(false))
})

t.test('a key is submitted once; unknown keys are nobody', async (t) => {
  const pool = createPool({ nowMs: () => 0, random: () => 0.5, limits: {}, urgentCap: 0.5 })
  const want = { key: 1, agent: 'a' as Name, weight: 1, rank: 3, inputTokens: 0, outputTokens: 0 }
  pool.submit(want)
  t.throws(() => pool.submit(want))
  pool.take()
  t.throws(() => pool.submit(want))
  pool.heard(2, {})
  pool.answered(2, { kind: 'failed' })
  pool.withdraw(2)
  pool.giveBack(1)
  t.match(pool.report(), { waiting: 0, inFlight: 1 })
})
