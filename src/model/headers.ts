/**
 * Rate limits as the headers of an answer tell them. Source of the names and of their meaning: "Rate limits" of the API's documentation
 * (platform.claude.com/docs/en/api/rate-limits). Tokens come rounded to thousands; `reset` is the moment when the bucket is full again.
 */

/** As node:http gives them: names in lower case. */
export type Headers = Readonly<Record<string, string | readonly string[] | undefined>>

export const METERS = ['requests', 'tokens', 'inputTokens', 'outputTokens'] as const
export type Meter = (typeof METERS)[number]

export type Level = Readonly<{
  /** Per minute. */
  limit?: number
  remaining?: number
  fullInMs?: number
}>
export type Levels = Readonly<Partial<Record<Meter, Level>>>

const WORD: Readonly<Record<Meter, string>> = { requests: 'requests', tokens: 'tokens', inputTokens: 'input-tokens', outputTokens: 'output-tokens' }
/** Put together once, and not for each answer. */
const NAMES = METERS.map((meter) => {
  const name = (what: string): string => `anthropic-ratelimit-${WORD[meter]}-${what}`
  return { meter, limit: name('limit'), remaining: name('remaining'), reset: name('reset') }
})
const COUNT = /^\d{1,15}$/
const SECONDS = /^\d{1,15}(\.\d{1,9})?$/
const MOMENT = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,9})?(Z|[+-]\d\d:\d\d)$/
/** A bucket of a minute is full after a minute; one in debt takes longer. More than this is no moment of a refill. */
const MAX_REFILL_MS = 3_600_000
/** Nobody waits longer for a rate limit; what says more is cut, so that a broken header can't stop a pool for ever. */
const MAX_WAIT_MS = 86_400_000
/** Both clocks tell whole seconds; past this they differ, and the server's counts. */
const SKEW_MS = 5000

/** What is not said, or is no number or moment, is left out. */
export function readLevels(headers: Headers, wallMs: number): Levels {
  const levels: Partial<Record<Meter, Level>> = {}
  const serverMs = clockOf(headers, wallMs)
  for (const { meter, ...names } of NAMES) {
    const limit = readCount(only(headers[names.limit]))
    const remaining = readCount(only(headers[names.remaining]))
    const full = readMoment(only(headers[names.reset]))
    const level = {
      // A limit of nothing would hold every request for ever: it is read as none told.
      ...(limit ? { limit } : {}),
      ...(remaining === undefined ? {} : { remaining: limit ? Math.min(remaining, limit) : remaining }),
      ...(full === undefined ? {} : { fullInMs: within(full - serverMs, MAX_REFILL_MS) }),
    }
    if (Object.keys(level).length > 0) levels[meter] = level
  }
  return levels
}

/** Seconds, or a date (RFC 9110, 10.2.3); `retry-after-ms` is finer where a provider sends it. */
export function readRetryAfterMs(headers: Headers, wallMs: number): number | undefined {
  const ms = only(headers['retry-after-ms'])
  if (ms !== undefined && SECONDS.test(ms)) return within(Math.ceil(Number(ms)), MAX_WAIT_MS)
  const said = only(headers['retry-after'])
  if (said === undefined) return undefined
  if (SECONDS.test(said)) return within(Math.ceil(Number(said) * 1000), MAX_WAIT_MS)
  const at = /^[A-Z][a-z]{2}/.test(said) ? Date.parse(said) : Number.NaN
  return Number.isNaN(at) ? undefined : within(at - clockOf(headers, wallMs), MAX_WAIT_MS)
}

/** The server's clock where it differs from ours by more than rounding. */
function clockOf(headers: Headers, wallMs: number): number {
  const said = only(headers['date'])
  const at = said === undefined ? Number.NaN : Date.parse(said)
  return Math.abs(at - wallMs) > SKEW_MS ? at : wallMs
}

/** A header told twice with two values says nothing. */
function only(value: string | readonly string[] | undefined): string | undefined {
  if (value === undefined || typeof value === 'string') return value?.trim()
  return new Set(value).size === 1 ? value[0]?.trim() : undefined
}

function readCount(text: string | undefined): number | undefined {
  return text !== undefined && COUNT.test(text) ? Number(text) : undefined
}

function readMoment(text: string | undefined): number | undefined {
  const at = text !== undefined && MOMENT.test(text) ? Date.parse(text) : Number.NaN
  return Number.isNaN(at) ? undefined : at
}

function within(ms: number, most: number): number {
  return Math.min(Math.max(ms, 0), most)
}
