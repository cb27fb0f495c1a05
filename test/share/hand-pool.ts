/** A pool whose clock is turned by hand. */
import type { Name } from '../../src/core/names.ts'
import { createPool, type Key, type PoolGiven, type Want } from '../../src/share/index.ts'
import { chanceOf } from './chance.ts'

export function handPool(given: Partial<PoolGiven> = {}) {
  let ms = 0
  const pool = createPool({ nowMs: () => ms, random: chanceOf(1), limits: {}, urgentCap: 0.5, ...given })
  let last = 0
  return {
    ...pool,
    turn: (by: number) => {
      ms += by
    },
    /** Submits one; returns its key. */
    want: (agent: string, more: Partial<Want> = {}): Key => {
      const key = ++last
      pool.submit({ key, agent: agent as Name, weight: 1, rank: 3, inputTokens: 0, outputTokens: 0, ...more })
      return key
    },
    taken: (): Key[] => pool.take().map(({ key }) => key),
    /** Takes what may be sent, and all of it is answered at once; returns whose it was. */
    serve: (): string[] => {
      const taken = pool.take()
      for (const { key, inputTokens, outputTokens } of taken) pool.answered(key, { kind: 'ok', usage: { inputTokens, outputTokens } })
      return taken.map(({ agent }) => agent)
    },
  }
}
