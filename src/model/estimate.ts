/** What a request will probably cost, before it is sent: it is reserved, and corrected from usage. Cheap first, better with each answer. */
import type { RequestFacts } from './request.ts'
import type { Usage } from './usage.ts'

/** What is known of earlier answers in the same session (or of the same agent and model). */
export type Memory = Readonly<{
  bytesPerToken: number
  /** What the provider's cache holds of this session. */
  cachedTokens: number
  outputTokens: number
  atMs: number
}>

export type Estimate = Readonly<{
  /** What the limit of input tokens will count: without what the cache has. */
  inputTokens: number
  outputTokens: number
  /** All that goes into the window. */
  promptTokens: number
}>

/** Prompts of Claude Code with its JSON around; text alone is nearer to 4, newer tokenizers nearer to 3. */
const BYTES_PER_TOKEN = 3.5
const LEAST_BYTES_PER_TOKEN = 1
const MOST_BYTES_PER_TOKEN = 12
/** An answer in a loop of tools is short; `max_tokens` is far above it and doesn't count against the limit. */
const OUTPUT_TOKENS = 500
/** "Vision" of the API's documentation: larger images are made smaller until they take about this. */
const IMAGE_TOKENS = 1600
/** "PDF support": 1,500-3,000 tokens a page, some 50 kB in base64. */
const DOCUMENT_BYTES_PER_TOKEN = 20
/** The cache keeps for five minutes after it was last read; some of that is the request on its way. */
const CACHE_MS = 270_000
const SHARE_OF_NEWEST = 0.5

export function estimate(facts: RequestFacts, nowMs: number, memory?: Memory): Estimate {
  const fixed = fixedTokens(facts)
  const promptTokens = Math.max(1, Math.ceil(textBytes(facts) / (memory?.bytesPerToken ?? BYTES_PER_TOKEN)) + fixed)
  const cached = memory && facts.caches && nowMs - memory.atMs <= CACHE_MS ? Math.min(memory.cachedTokens, promptTokens - 1) : 0
  const outputTokens = Math.max(1, Math.round(Math.min(memory?.outputTokens ?? OUTPUT_TOKENS, facts.maxTokens ?? Number.POSITIVE_INFINITY)))
  return { inputTokens: promptTokens - cached, outputTokens, promptTokens }
}

/** `memory` with what this answer showed. */
export function learn(facts: RequestFacts, usage: Usage, nowMs: number, memory?: Memory): Memory {
  const prompt = usage.inputTokens + usage.cacheWriteTokens + usage.cacheReadTokens
  const text = prompt - fixedTokens(facts)
  const seen = text > 0 && !usage.compacted ? textBytes(facts) / text : undefined
  const ratio = Math.min(Math.max(seen ?? memory?.bytesPerToken ?? BYTES_PER_TOKEN, LEAST_BYTES_PER_TOKEN), MOST_BYTES_PER_TOKEN)
  return {
    bytesPerToken: mix(memory?.bytesPerToken, ratio),
    // After the provider's own compaction the next prompt begins otherwise.
    cachedTokens: usage.compacted ? 0 : usage.cacheReadTokens + usage.cacheWriteTokens,
    outputTokens: mix(memory?.outputTokens, usage.outputTokens),
    atMs: nowMs,
  }
}

function textBytes(facts: RequestFacts): number {
  return facts.bytes - facts.imageBytes - facts.documentBytes
}

function fixedTokens(facts: RequestFacts): number {
  return facts.images * IMAGE_TOKENS + Math.ceil(facts.documentBytes / DOCUMENT_BYTES_PER_TOKEN)
}

function mix(before: number | undefined, newest: number): number {
  return before === undefined ? newest : before * (1 - SHARE_OF_NEWEST) + newest * SHARE_OF_NEWEST
}
