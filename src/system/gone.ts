/** That somebody has gone, told once to whoever listens. An AbortSignal would do, and cost a request a tenth of all the rest of its way. */
import type { Cancel } from './types.ts'

export type Gone = Readonly<{
  isSo: () => boolean
  /** Calls once, at once where it is so already. */
  heard: (call: () => void) => Cancel
}>

export function createGone(): Gone & Readonly<{ tell: () => void }> {
  const calls = new Set<() => void>()
  let isSo = false
  return {
    isSo: () => isSo,
    heard: (call) => {
      if (isSo) call()
      else calls.add(call)
      return () => void calls.delete(call)
    },
    tell: () => {
      if (isSo) return
      isSo = true
      for (const call of calls) call()
      calls.clear()
    },
  }
}
