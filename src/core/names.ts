/** Names of agents, people and groups share one name space (contract, page 1). */

declare const nameBrand: unique symbol
/** A valid name: `[a-z][a-z0-9-]{0,30}`, not ending in `-`, not reserved. */
export type Name = string & { readonly [nameBrand]: true }

const PATTERN = /^[a-z][a-z0-9-]{0,30}$/
const RESERVED: ReadonlySet<string> = new Set(
  'new cur done tmp sent outbox home files alerts held attachments runs root daemon signer canary pennypost postmaster all'.split(' '),
)

export function isName(text: string): text is Name {
  return PATTERN.test(text) && !text.endsWith('-') && !RESERVED.has(text)
}

export function isReserved(text: string): boolean {
  return RESERVED.has(text)
}

/** Edit distance with neighbouring letters swapped counted as one (optimal string alignment); `limit` ends it early. */
export function editDistance(a: string, b: string, limit: number): number {
  if (Math.abs(a.length - b.length) > limit) return limit + 1
  let before: number[] = []
  let last = Array.from({ length: b.length + 1 }, (_, j) => j)
  for (let i = 1; i <= a.length; i++) {
    const row = [i]
    for (let j = 1; j <= b.length; j++) {
      const same = a[i - 1] === b[j - 1]
      let best = Math.min((last[j] ?? 0) + 1, (row[j - 1] ?? 0) + 1, (last[j - 1] ?? 0) + (same ? 0 : 1))
      if (i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1]) best = Math.min(best, (before[j - 2] ?? 0) + 1)
      row.push(best)
    }
    before = last
    last = row
  }
  return last[b.length] ?? limit + 1
}

/** The known word nearest to `word`, if any is near enough to be what was meant. */
export function nearest(word: string, known: Iterable<string>): string | undefined {
  const wanted = word.slice(0, 64).toLowerCase()
  const limit = wanted.length <= 3 ? 1 : wanted.length <= 6 ? 2 : 3
  let best: string | undefined
  let bestDistance = limit + 1
  for (const candidate of known) {
    const distance = editDistance(wanted, candidate.toLowerCase(), limit)
    if (distance < bestDistance) [best, bestDistance] = [candidate, distance]
  }
  return best
}
