/**
 * Whether a key is refused, or only a request: an agent can write what a provider answers with 401, and would stop the key for all. So the
 * gateway asks with a request of its own, in which nothing is an agent's; what that is told counts.
 */
import type { Verdict } from '../model/index.ts'
import type { Clock } from '../system/types.ts'
import type { Tested } from './link.ts'

export type Doubts = Readonly<{
  /** A request was answered as if the key were not valid. */
  about: (provider: string) => void
}>

export type DoubtsGiven = Readonly<{
  clock: Clock
  keyOf: (provider: string) => string | undefined
  /** With a request of our own; what it is told of the key is told on. */
  test: (provider: string) => Promise<Tested>
  refused: (provider: string) => void
}>

/** Between two requests of our own: agents can provoke as many as they like. Milliseconds. */
const PAUSE_MS = 1_000
/** A provider without a list of models (404): nothing else can be asked for free, and what the agent was told counts. */
const DECIDES_NOTHING: ReadonlySet<Verdict['kind']> = new Set(['wrong'])

export function createDoubts({ clock, keyOf, test, refused }: DoubtsGiven): Doubts {
  /** Providers that are asked, or were just now, and whether there was another doubt since. */
  const asked = new Map<string, boolean>()

  async function ask(provider: string): Promise<void> {
    asked.set(provider, false)
    const key = keyOf(provider)
    const tested = await test(provider)
    if (tested.kind === 'answered' && DECIDES_NOTHING.has(tested.verdict) && keyOf(provider) === key) refused(provider)
    clock.after(PAUSE_MS, () => {
      const isAgain = asked.get(provider)
      asked.delete(provider)
      if (isAgain) void ask(provider)
    })
  }

  return {
    about: (provider) => {
      if (asked.has(provider)) asked.set(provider, true)
      else void ask(provider)
    },
  }
}
