/** Numbers that look random and come again from the same seed: one generator a case, so that a case can be had alone. */

export type Random = Readonly<{
  /** 0 … below - 1. */
  below: (limit: number) => number
  chance: (oneIn: number) => boolean
  pick: <T>(from: readonly T[]) => T
  bytes: (count: number) => Buffer
  /** Mostly few, seldom many. */
  few: (most: number) => number
}>

/** splitmix32: every seed, the next one too, begins somewhere else. */
export function randomFrom(seed: number): Random {
  let state = seed >>> 0
  function next(): number {
    state = (state + 0x9e3779b9) >>> 0
    let mixed = state ^ (state >>> 16)
    mixed = Math.imul(mixed, 0x21f0aaad)
    mixed ^= mixed >>> 15
    mixed = Math.imul(mixed, 0x735a2d97)
    return (mixed ^ (mixed >>> 15)) >>> 0
  }
  const below = (limit: number): number => Math.floor((next() / 0x1_0000_0000) * limit)
  return {
    below,
    chance: (oneIn) => below(oneIn) === 0,
    pick: (from) => {
      const one = from[below(from.length)]
      if (one === undefined) throw new Error('there is nothing to pick from')
      return one
    },
    bytes: (count) => {
      const made = Buffer.allocUnsafe(count)
      for (let at = 0; at < count; at++) made[at] = next() & 0xff
      return made
    },
    few: (most) => Math.floor((below(1001) / 1000) ** 3 * most),
  }
}
