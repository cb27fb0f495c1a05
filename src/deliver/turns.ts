import type { Clock } from '../system/types.ts'

/** Copies placed in one turn of the event loop, a fifth of a millisecond each: one fsync makes hundreds ready at once. */
const A_TURN = 32

/** Lets at most so many through in one turn, in order; the others wait for the next, so that nobody else waits long. */
export function makeGate(clock: Clock): () => Promise<void> {
  const waiting: (() => void)[] = []
  let passed = 0
  let planned = false

  function nextTurn(): void {
    planned = false
    passed = 0
    for (const pass of waiting.splice(0, A_TURN)) {
      passed++
      pass()
    }
    plan()
  }
  function plan(): void {
    if (planned || (waiting.length === 0 && passed === 0)) return
    planned = true
    clock.soon(nextTurn)
  }
  return () => {
    plan()
    if (passed < A_TURN && waiting.length === 0) {
      passed++
      plan()
      return Promise.resolve()
    }
    return new Promise((resolve) => waiting.push(resolve))
  }
}
