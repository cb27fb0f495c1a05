/** Rung when requests that wait may have a better way: a key came, a provider is overloaded. */
import type { Cancel } from '../system/types.ts'

export type Bell = Readonly<{ ring: () => void; heard: (call: () => void) => Cancel }>

export function createBell(): Bell {
  const calls = new Set<() => void>()
  return {
    ring: () => {
      for (const call of [...calls]) call()
    },
    heard: (call) => {
      calls.add(call)
      return () => void calls.delete(call)
    },
  }
}
