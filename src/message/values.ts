/** Values as words: what was written where the core schema saw a number. */
import type { Value } from '../core/message.ts'

/** The text of a scalar; undefined for lists and mappings, and for nothing. */
export function textOf(value: Value | undefined): string | undefined {
  if (value === undefined || value === null || typeof value === 'object') return undefined
  return String(value)
}

/**
 * A name or a list of names, as people write them: `legal`, `legal, cfo`, `[legal, cfo]`, a block list.
 * undefined where an item is no scalar.
 */
export function namesOf(value: Value | undefined): readonly string[] | undefined {
  if (value === undefined || value === null) return []
  const one = textOf(value)
  const items = one === undefined ? value : one.split(',')
  if (!Array.isArray(items)) return undefined
  const names: string[] = []
  for (const item of items as readonly Value[]) {
    const name = textOf(item)
    if (name === undefined) return undefined
    if (name.trim() !== '') names.push(name.trim())
  }
  return names
}
