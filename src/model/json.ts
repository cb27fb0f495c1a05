/** Values of somebody else's JSON, one step at a time: what is not what it should be is undefined. */

export type Fields = Readonly<Record<string, unknown>>

export function fieldsOf(value: unknown): Fields | undefined {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Fields) : undefined
}

/** A text that is one object. */
export function readFields(text: string): Fields | undefined {
  return fieldsOf(parse(text))
}

export function textIn(fields: Fields | undefined, key: string): string | undefined {
  const value = fields && Object.hasOwn(fields, key) ? fields[key] : undefined
  return typeof value === 'string' ? value : undefined
}

/** A whole number from 0 up. */
export function countIn(fields: Fields | undefined, key: string): number | undefined {
  const value = fields && Object.hasOwn(fields, key) ? fields[key] : undefined
  return Number.isSafeInteger(value) && (value as number) >= 0 ? (value as number) : undefined
}

export function parse(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}
