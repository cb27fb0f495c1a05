/** An order to write a checkpoint, as it stands in a file that hooks read. */

export type Order = Readonly<{
  message: string | undefined
  session: string | undefined
  /** RFC 3339: a checkpoint must be newer. */
  ordered: string
  usedTokens: number
  windowTokens: number
  /** The highest mark that was passed, percent. */
  passed: number
}>

export function orderText(order: Order): string {
  return `${JSON.stringify(order)}\n`
}

/** undefined: nothing that the daemon wrote. */
export function readOrder(text: string): Order | undefined {
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch (cause) {
    if (cause instanceof SyntaxError) return undefined
    throw cause
  }
  if (typeof value !== 'object' || value === null) return undefined
  const { message, session, ordered, usedTokens, windowTokens, passed } = value as Readonly<Record<string, unknown>>
  if (typeof ordered !== 'string' || Number.isNaN(Date.parse(ordered))) return undefined
  if (typeof usedTokens !== 'number' || typeof windowTokens !== 'number' || typeof passed !== 'number') return undefined
  const word = (one: unknown): string | undefined => (typeof one === 'string' ? one : undefined)
  return { message: word(message), session: word(session), ordered, usedTokens, windowTokens, passed }
}
