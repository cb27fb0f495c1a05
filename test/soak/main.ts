/** npm run soak [-- MINUTES [SEED]]: races in both modes (as an ordinary user in user mode alone). Its status is 1 where something did not hold. */
import { randomInt } from 'node:crypto'
import tap from 'tap'
import { AM_ROOT, REACHABLE } from '../e2e/driver.ts'
import { race } from './race.ts'

const [minutes = 10, seed = randomInt(2 ** 31)] = process.argv.slice(2).map(Number)
if (!(minutes > 0) || !Number.isInteger(seed)) {
  console.error('MINUTES is a number above 0, SEED a whole one. fix: npm run soak -- 10')
  process.exit(64)
}
if (!REACHABLE) {
  console.error('agents cannot read this checkout. fix: move it where every user may read it, such as /srv')
  process.exit(77)
}
const modes = AM_ROOT ? (['system', 'user'] as const) : (['user'] as const)
for (const mode of modes) {
  tap.test(`a race in ${mode} mode`, { timeout: 0 }, async (t) => {
    t.comment(`${minutes} min in all; the same again: npm run soak -- ${minutes} ${seed}`)
    await race(t, { mode, seconds: Math.ceil((minutes * 60) / modes.length), seed })
  })
}
