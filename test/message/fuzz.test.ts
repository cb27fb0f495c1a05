import { randomInt } from 'node:crypto'
import t from 'tap'
import { fuzz } from '../fuzz/fuzz.ts'

/** A small run of `npm run fuzz`, from another seed each time. */
const CASES = 30_000

t.test('whatever bytes come as a message or as a name: read in time or refused with a sentence, and rewritten without loss', async (t) => {
  const seed = randomInt(2 ** 32 - CASES)
  t.comment(`npm run fuzz -- ${CASES} ${seed}`)
  const { cases, failures, tally } = fuzz(CASES, seed)
  t.same(failures, [])
  t.equal(cases, CASES)
  t.ok(tally.admitted > CASES / 10 && tally.plain > CASES / 100 && tally.rewritten > CASES / 50, `too few of a kind: ${JSON.stringify(tally)}`)
})
