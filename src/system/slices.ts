/** Long work in pieces, so that nobody's mail waits for it. */
import type { Clock } from './types.ts'

/** Work between two looks at the event loop, milliseconds. */
const SLICE_MS = 8

export async function inSlices<T>(clock: Clock, items: Iterable<T>, each: (item: T) => void): Promise<void> {
  let startedMs = clock.monotonic()
  for (const item of items) {
    each(item)
    if (clock.monotonic() - startedMs < SLICE_MS) continue
    await nextTurn(clock)
    startedMs = clock.monotonic()
  }
}

/** Resolves when what was begun has gone as far as it can before something outside answers: only then is it known what it took. */
export function wentOn(): Promise<void> {
  return new Promise((resolve) => process.nextTick(resolve))
}

export function nextTurn(clock: Clock): Promise<void> {
  return new Promise((resolve) => clock.soon(resolve))
}
