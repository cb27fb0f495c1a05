/** npm run fuzz [-- CASES [SEED]]: ends with status 1 where something did not hold. */
import { randomInt } from 'node:crypto'
import { fuzz } from './fuzz.ts'

const MOST_SEED = 2 ** 32 - 1
const [cases = 1_000_000, seed = randomInt(MOST_SEED)] = process.argv.slice(2).map(Number)
if (!Number.isInteger(cases) || cases < 1 || !Number.isInteger(seed) || seed < 0 || seed > MOST_SEED) {
  console.error('CASES is a number above 0, SEED one that fits in 32 bits. fix: npm run fuzz -- 1000000 1')
  process.exit(64)
}
console.log(`${cases} cases from seed ${seed}; the same again: npm run fuzz -- ${cases} ${seed}`)
const startMs = performance.now()
const { cases: done, failures, tally } = fuzz(cases, seed, (so) => so > 0 && console.log(`${so} …`))
for (const failure of failures) console.error(`${failure}\nfix: npm run fuzz -- 1 ${/^seed (\d+)/.exec(failure)?.[1] ?? seed}   # that case alone`)
const { admitted, plain, rewritten, slowestMs } = tally
console.log(`${done} cases in ${((performance.now() - startMs) / 1000).toFixed(1)} s: ${failures.length} failed`)
console.log(`${admitted} texts were read, ${plain} by the fast reader and the strict one, ${rewritten} rewritten; the slowest took ${slowestMs.toFixed(1)} ms`)
process.exitCode = failures.length > 0 ? 1 : 0
