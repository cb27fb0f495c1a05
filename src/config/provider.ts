/** providers/<name>.yaml: a model provider, its key file, its limits, and who stands in for it (contract, page 6). */
import type { Pool } from '../core/config.ts'
import { choice, fields, integer, line, list, mapping, number, type Placed, path, placed, type Reader } from './fields.ts'
import type { Located, Report } from './yaml.ts'

/** What one file says; names are not yet looked up. */
export type ProviderFile = Readonly<{
  name: Placed<string> | undefined
  baseUrl: string
  keyFile: string
  pools: readonly Pool[]
  fallback: readonly Placed<string>[]
  models: ReadonlyMap<string, string>
  urgentCap: number
  weights: ReadonlyMap<string, Placed<number>>
}>

/** Half of what there is goes to urgent work while others wait. */
const URGENT_CAP = 0.5
/** Ten times the largest limit that is known of, and far from where numbers get inexact. */
const MOST_A_MINUTE = 1e12

export function readProvider(node: Located, report: Report): ProviderFile | undefined {
  const read = fields(
    node,
    report,
    {
      name: placed(line),
      api: choice('anthropic-messages'),
      base_url: baseUrl,
      key_file: path,
      pools: list(pool),
      fallback: list(placed(line)),
      models: mapping(line),
      share,
    },
    { needed: ['api', 'base_url', 'key_file'], own: true },
  )
  if (read.api === undefined || read.base_url === undefined || read.key_file === undefined) return undefined
  return {
    name: read.name,
    baseUrl: read.base_url,
    keyFile: read.key_file,
    pools: read.pools ?? [],
    fallback: read.fallback ?? [],
    models: read.models ?? new Map(),
    urgentCap: read.share?.urgentCap ?? URGENT_CAP,
    weights: read.share?.weights ?? new Map(),
  }
}

/** Without a slash at its end, so that a path can follow. A key goes there: in the clear only where nobody else listens. */
const baseUrl: Reader<string> = (node, report) => {
  const text = line(node, report)
  if (text === undefined) return undefined
  const url = URL.canParse(text) ? new URL(text) : undefined
  if (!url || !['http:', 'https:'].includes(url.protocol) || url.username !== '' || url.password !== '' || /[?#]/.test(text)) {
    // Not shown: what was taken for a part of it may be a key.
    report(node.spot, 'an address such as https://api.anthropic.com is needed, without account, ? or #')
    return undefined
  }
  if (url.protocol === 'http:' && !isNear(url.hostname)) {
    report(node.spot, 'http:// would show the key to the network: write https://, or the address of a machine in your own network')
    return undefined
  }
  return url.href.replace(/\/+$/, '')
}

/** This machine, or a private network (RFC 1918, RFC 4193). */
function isNear(host: string): boolean {
  if (host === 'localhost' || host === '[::1]' || /^\[f[cd]/.test(host)) return true
  // As URL writes an IPv4 address, whatever way it was written.
  return /^(127|10|192\.168|172\.(1[6-9]|2\d|3[01]))(\.\d+){2,3}$/.test(host)
}

const limit = integer(1, MOST_A_MINUTE)

const pool: Reader<Pool> = (node, report) => {
  const { models, rpm, itpm, otpm } = fields(node, report, { models: list(line, 1), rpm: limit, itpm: limit, otpm: limit }, { needed: ['models'] })
  return models && { models, rpm, itpm, otpm }
}

const share: Reader<Pick<ProviderFile, 'urgentCap' | 'weights'>> = (node, report) => {
  const read = fields(node, report, { urgent_cap: number(0.01, 1), weights: mapping(placed(number(0.01, 100))) })
  return { urgentCap: read.urgent_cap ?? URGENT_CAP, weights: read.weights ?? new Map() }
}
