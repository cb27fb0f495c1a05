/** Which headers go through: all but those of one connection (RFC 9110, 7.6.1), those that say who asks, and our own. */

const OF_CONNECTION = ['connection', 'keep-alive', 'proxy-connection', 'te', 'trailer', 'transfer-encoding', 'upgrade', 'content-length']
const OF_CALLER = ['host', 'authorization', 'x-api-key', 'proxy-authorization', 'cookie', 'expect', 'accept-encoding', 'forwarded', 'via']
const OURS = /^(x-penny-|x-forwarded-)/

/** Of a request: the agent's placeholder goes, the provider's key comes; the answer is not packed, so that its usage can be read. */
export function toProvider(raw: readonly string[], key: string): string[] {
  return [...passed(raw, [...OF_CONNECTION, ...OF_CALLER]), 'accept-encoding', 'identity', 'x-api-key', key]
}

export function toAgent(raw: readonly string[]): string[] {
  return passed(
    raw,
    OF_CONNECTION.filter((name) => name !== 'content-length'),
  )
}

function passed(raw: readonly string[], left: readonly string[]): string[] {
  const listed = new Set(left)
  // What a Connection header names belongs to the connection, too.
  for (const [name, value] of pairs(raw)) if (name.toLowerCase() === 'connection') for (const word of value.split(',')) listed.add(word.trim().toLowerCase())
  return pairs(raw).flatMap(([name, value]) => {
    // Some servers take the one for the other.
    const lower = name.toLowerCase().replaceAll('_', '-')
    return listed.has(lower) || OURS.test(lower) ? [] : [name, value]
  })
}

function pairs(raw: readonly string[]): (readonly [name: string, value: string])[] {
  return Array.from({ length: raw.length >> 1 }, (_, n) => [raw[2 * n] ?? '', raw[2 * n + 1] ?? ''] as const)
}
