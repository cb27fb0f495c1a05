import { randomInt } from 'node:crypto'
import tap from 'tap'
import { REACHABLE } from '../e2e/driver.ts'
import { race } from '../soak/race.ts'
import { asAgents } from './hostile.ts'

/** A short run of `npm run soak`. */
const SECONDS = 12

for (const mode of ['system', 'user'] as const) {
  const needs = mode === 'system' ? asAgents : { skip: REACHABLE ? false : 'an ordinary user cannot read this checkout' }
  tap.test(`links, files and folders swapped at full speed in ${mode} mode cost no secret, no letter and nobody's time`, needs, async (t) => {
    const seed = randomInt(2 ** 31)
    t.comment(`npm run soak -- 1 ${seed}`)
    await race(t, { mode, seconds: SECONDS, seed })
  })
}
