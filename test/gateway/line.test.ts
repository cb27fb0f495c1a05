import t from 'tap'
import type { Name } from '../../src/core/names.ts'
import { createLine } from '../../src/gateway/line.ts'
import { createPool, type Want } from '../../src/share/index.ts'
import { realClock } from '../../src/system/clock.ts'

const line = () => createLine(realClock, createPool({ nowMs: realClock.monotonic, random: () => 0.5, limits: {}, urgentCap: 0.5 }))
const wantOf = (key: symbol): Want => ({ key, agent: 'legal' as Name, weight: 1, rank: 3, session: 'one', inputTokens: 10, outputTokens: 10 })

t.test('whoever leaves just as it is its turn takes nothing with it', async (t) => {
  for (const how of ['withdraw', 'giveBack'] as const) {
    const one = line()
    const key = Symbol(how)
    await one.enter(wantOf(key))
    t.equal(one.report().inFlight, 1)
    one[how](key)
    t.match(one.report(), { inFlight: 0, waiting: 0 }, how)
  }
})

t.test('whoever leaves the line stands in it no more, and those behind go on', async (t) => {
  const one = line()
  const keys = Array.from({ length: 6 }, (_, n) => Symbol(n))
  const turns: symbol[] = []
  for (const key of keys) void one.enter(wantOf(key)).then(() => turns.push(key))
  await new Promise(setImmediate)
  t.same(turns, keys.slice(0, 4), 'four may go while nothing is known')
  one.withdraw(keys[4] as symbol)
  one.ended(keys[0] as symbol, { kind: 'ok', usage: { inputTokens: 1, outputTokens: 1 } })
  await new Promise(setImmediate)
  t.equal(turns.at(-1), keys[5])
  t.notOk(turns.includes(keys[4] as symbol))
})
