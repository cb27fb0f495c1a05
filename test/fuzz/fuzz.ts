/** So many cases from one seed. Case n of seed s is case 0 of seed s + n: what failed comes again alone. */
import { checkMessage, type Tally } from './message.ts'
import { checkNames } from './names.ts'
import { randomFrom } from './random.ts'

export type Fuzzed = Readonly<{ cases: number; failures: readonly string[]; tally: Readonly<Tally> }>

/** One in so many cases is about names. */
const NAMES_EACH = 4
const MOST_FAILURES = 5
const PROTOTYPES = [Object.prototype, Array.prototype, String.prototype, Function.prototype]

const ownKeys = (): string => PROTOTYPES.map((one) => Reflect.ownKeys(one).length).join()

export function fuzz(cases: number, seed: number, progress: (done: number) => void = () => undefined): Fuzzed {
  const before = ownKeys()
  const tally: Tally = { admitted: 0, plain: 0, rewritten: 0, slowestMs: 0 }
  const failures: string[] = []
  let done = 0
  for (; done < cases && failures.length < MOST_FAILURES; done++) {
    const random = randomFrom(seed + done)
    try {
      if (random.below(NAMES_EACH) === 0) checkNames(random)
      else checkMessage(random, tally)
      if (ownKeys() !== before) throw new Error('a prototype has another property now')
    } catch (cause) {
      failures.push(`seed ${seed + done}: ${cause instanceof Error ? (cause.stack ?? cause.message) : String(cause)}`)
    }
    if (done % 50_000 === 0) progress(done)
  }
  return { cases: done, failures, tally }
}
