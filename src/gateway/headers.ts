/** Which headers go through: all but those of one connection (RFC 9110, 7.6.1), those that say who asks, and our own. */

const OF_CONNECTION = ['connection', 'keep-alive', 'proxy-connection', 'te', 'trailer', 'transfer-encoding', 'upgrade']
const OF_CALLER = ['host', 'authorization', 'x-api-key', 'proxy-authorization', 'cookie', 'expect', 'accept-encoding', 'forwarded', 'via']
const NOT_TO_AGENT: ReadonlySet<string> = new Set(OF_CONNECTION)
const NOT_TO_PROVIDER: ReadonlySet<string> = new Set([...OF_CONNECTION, 'content-length', ...OF_CALLER])
const OURS = ['x-penny-', 'x-forwarded-']

/** Of a request: the agent's placeholder goes, the provider's key comes; the answer is not packed, so that its usage can be read. */
export function toProvider(raw: readonly string[], key: string): string[] {
  return [...passed(raw, NOT_TO_PROVIDER), 'accept-encoding', 'identity', 'x-api-key', key]
}

export function toAgent(raw: readonly string[]): string[] {
  return passed(raw, NOT_TO_AGENT)
}

function passed(raw: readonly string[], left: ReadonlySet<string>): string[] {
  const listed = listedIn(raw)
  const kept: string[] = []
  for (let at = 0; at < raw.length; at += 2) {
    const name = raw[at] ?? ''
    // Some servers take the one for the other.
    const lower = name.toLowerCase().replaceAll('_', '-')
    if (left.has(lower) || listed?.has(lower) || OURS.some((word) => lower.startsWith(word))) continue
    kept.push(name, raw[at + 1] ?? '')
  }
  return kept
}

/** What a Connection header names belongs to the connection, too. */
function listedIn(raw: readonly string[]): Set<string> | undefined {
  let listed: Set<string> | undefined
  for (let at = 0; at < raw.length; at += 2) {
    if (raw[at]?.toLowerCase() !== 'connection') continue
    listed ??= new Set()
    for (const word of (raw[at + 1] ?? '').split(',')) listed.add(word.trim().toLowerCase())
  }
  return listed
}
