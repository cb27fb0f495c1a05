/** What is sealed will be done: a fault on the way is waited out and told, never handed back as a refusal. */
import { showSafely } from '../core/text.ts'
import type { Intent } from '../journal/index.ts'
import type { DeliverGiven } from './types.ts'

const FIRST_DELAY_MS = 250
const LONGEST_DELAY_MS = 30_000

export async function insist<T>(given: DeliverGiven, intent: Intent, first: unknown, work: () => T | Promise<T>): Promise<T> {
  let cause = first
  for (let tries = 0; ; tries++) {
    given.log('error', 'a sealed drop cannot be carried out yet', { id: intent.drop, act: intent.act, tries, why: String(cause) })
    tell(given, intent, cause)
    await new Promise<void>((resolve) => void given.clock.after(Math.min(LONGEST_DELAY_MS, FIRST_DELAY_MS * 2 ** tries), resolve))
    try {
      const made = await work()
      given.clear('disk-full', intent.drop)
      return made
    } catch (again) {
      cause = again
    }
  }
}

function tell(given: DeliverGiven, intent: Intent, cause: unknown): void {
  const name = intent.act === 'repeat' ? intent.source.name : intent.name
  const sentence = `${name} of ${intent.from} was taken as ${intent.drop}, but not all that follows from it could be done (${String(cause)}); it is tried again until it is.`
  given.raise({ code: 'disk-full', about: intent.drop, sentence: showSafely(sentence), fix: 'penny doctor' })
}
