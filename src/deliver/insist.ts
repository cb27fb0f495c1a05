/** What is sealed will be done: a fault on the way is waited out, never handed back as a refusal. */
import type { Intent } from '../journal/index.ts'
import type { DeliverGiven } from './types.ts'

const FIRST_DELAY_MS = 250
const LONGEST_DELAY_MS = 30_000

export async function insist<T>(given: DeliverGiven, intent: Intent, first: unknown, work: () => T): Promise<T> {
  let cause = first
  for (let tries = 0; ; tries++) {
    given.log('error', 'a sealed drop cannot be carried out yet', { id: intent.drop, act: intent.act, tries, why: String(cause) })
    await new Promise<void>((resolve) => void given.clock.after(Math.min(LONGEST_DELAY_MS, FIRST_DELAY_MS * 2 ** tries), resolve))
    try {
      return work()
    } catch (again) {
      cause = again
    }
  }
}
