import t from 'tap'
import type { Name } from '../../src/core/names.ts'
import { handPool } from './hand-pool.ts'

t.test('requests that are larger than a whole minute, and refused each time, cost others no more than the share of their agent', async (t) => {
  for (const tookMs of [200, 1_000, 3_000]) {
    const pool = handPool({ limits: { input: 60_000 } })
    const due: { atMs: number; call: () => void }[] = []
    let served = 0
    const ask = (agent: string): void => void pool.want(agent, { inputTokens: agent === 'quiet' ? 1_000 : 600_000 })
    ask('loud')
    for (let n = 0; n < 200; n++) ask('quiet')
    for (let nowMs = 0; nowMs < 600_000; nowMs += 100) {
      pool.turn(100)
      for (const one of due.filter(({ atMs }) => atMs === nowMs)) one.call()
      for (let all = pool.take(); all.length > 0; all = pool.take()) {
        for (const { key, agent } of all) {
          const isQuiet = agent === ('quiet' as Name)
          const usage = { inputTokens: isQuiet ? 1_000 : 0, outputTokens: 0 }
          due.push({
            atMs: nowMs + (isQuiet ? 200 : tookMs),
            call: () => {
              pool.answered(key, { kind: isQuiet ? 'ok' : 'failed', usage })
              if (isQuiet) served++
              ask(agent)
            },
          })
        }
      }
    }
    // Alone it has 660: what flows in, and what was stored.
    t.ok(served >= 300, `${served} of ${660 / 2}, refused after ${tookMs} ms`)
  }
})
