import t from 'tap'
import { between, named, runHouse } from './house.ts'

const MEAN_MS = 2_000
const agents = named(30, () => ({ call: (chance: () => number) => ({ input: 1_000, output: 200, serviceMs: 1_000 + 2_000 * chance() }) }))
const untilMs = 180_000
const FROM_MS = 20_000

type Hidden = Readonly<{ atOnce?: number; perMinute?: number; burst?: number }>

/** After 20 s: how much was done of what is possible, and which part was refused. */
function judge(hidden: Hidden, seed: number, retryAfter = true, shown = {}, loops = agents) {
  const { done, sends, seen, pool } = runHouse({ seed, untilMs, provider: { hidden, retryAfter, shown }, agents: loops })
  const perMs = hidden.atOnce === undefined ? (hidden.perMinute ?? 0) / 60_000 : hidden.atOnce / (MEAN_MS + 60)
  const refused = seen.refusedAt.filter((ms) => ms > FROM_MS).length
  return {
    goodput: between(done, FROM_MS, untilMs).length / (perMs * (untilMs - FROM_MS)),
    refused: refused / sends.filter((ms) => ms > FROM_MS).length,
    early: seen.early,
    report: pool.report(),
  }
}

for (const retryAfter of [true, false]) {
  t.test(`a hidden limit is found within 20 s: at most 5 % refused, at least 0.9 used; ${retryAfter ? 'with' : 'without'} retry-after`, async (t) => {
    for (const hidden of [
      { atOnce: 1 },
      { atOnce: 2 },
      { atOnce: 3 },
      { atOnce: 8 },
      { atOnce: 20 },
      { perMinute: 60 },
      { perMinute: 60, burst: 5 },
      { perMinute: 300 },
      { perMinute: 300, burst: 10 },
    ]) {
      for (let seed = 1; seed <= 10; seed++) {
        const { goodput, refused, early } = judge(hidden, seed, retryAfter)
        t.ok(goodput >= 0.9, `${JSON.stringify(hidden)}, seed ${seed}: ${goodput}`)
        t.ok(refused <= 0.05, `${JSON.stringify(hidden)}, seed ${seed}: ${refused} refused`)
        t.equal(early, 0)
      }
    }
  })
}

t.test(
  'where requests are let in one at a time, whatever the limit says, the gap between them is found: hardly fewer are sent than arrive in order',
  async (t) => {
    for (const [perMinute, atLeast] of [
      [60, 0.9],
      [120, 0.9],
      [300, 0.84],
      [600, 0.75],
    ] as const) {
      // On the way one may gain 20 ms on the next: further apart than that nobody can know that they arrive apart.
      const most = 60_000 / perMinute / (60_000 / perMinute + 20)
      for (const shown of [{}, { requests: perMinute }]) {
        for (let seed = 1; seed <= 10; seed++) {
          const { goodput, refused } = judge({ perMinute, burst: 1 }, seed, true, shown)
          const title = `${perMinute} a minute, seed ${seed}: ${goodput} of ${most}, ${refused} refused`
          t.ok(goodput >= atLeast && goodput >= 0.9 * most && refused <= 0.05, title)
        }
      }
    }
  },
)

t.test('the same where an answer is there before the next may be sent', async (t) => {
  const quick = named(30, () => ({ call: (chance: () => number) => ({ input: 1_000, output: 200, serviceMs: 200 + 400 * chance() }) }))
  for (let seed = 1; seed <= 10; seed++) {
    const { goodput, refused } = judge({ perMinute: 120, burst: 1 }, seed, true, {}, quick)
    t.ok(goodput >= 0.88 && refused <= 0.05, `seed ${seed}: ${goodput}, ${refused}`)
  }
})

t.test('a hidden limit is found beside a shown one that is higher', async (t) => {
  for (let seed = 1; seed <= 5; seed++) {
    const { goodput, refused, report } = judge({ perMinute: 120 }, seed, true, { requests: 1_000, input: 2_000_000 })
    t.ok(goodput >= 0.9 && refused <= 0.05, `seed ${seed}: ${goodput}, ${refused}`)
    t.ok(report.perMinute !== undefined && report.perMinute < 200, 'and reported')
    t.equal(report.meters.requests.learned, 1_000)
  }
})

t.test('what was learned is tried again: where a limit is lifted, more is sent before long', async (t) => {
  const provider = { hidden: { atOnce: 4 } }
  const { pool, done } = runHouse({ seed: 1, untilMs: 60_000, provider, agents, lifted: { atMs: 60_000, untilMs: 240_000 } })
  t.ok(pool.report().window.size >= 30, `${pool.report().window.size}`)
  const perMs = between(done, 180_000, 240_000).length / 60_000
  t.ok(perMs >= 0.9 * (30 / (MEAN_MS + 60)), `${perMs * 1_000} a second`)
})
