/** Long work in pieces, so that nobody's mail waits for it. */
import type { Clock } from './types.ts'

/** Work between two looks at the event loop, milliseconds. */
const SLICE_MS = 15

export async function inSlices<T>(clock: Clock, items: Iterable<T>, each: (item: T) => void): Promise<void> {
  let startedMs = clock.monotonic()
  for (const item of items) {
    each(item)
    if (clock.monotonic() - startedMs < SLICE_MS) continue
    await nextTurn(clock)
    startedMs = clock.monotonic()
  }
}

export function nextTurn(clock: Clock): Promise<void> {
  return new Promise((resolve) => clock.soon(resolve))
}
