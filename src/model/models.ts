/**
 * What is known of the models: windows, list prices, and which share their limits.
 * Sources: "Models overview", "Pricing" and "Rate limits" of platform.claude.com/docs (prices in USD per million tokens, as of 2026-11).
 */
import type { Usage } from './usage.ts'

export type Price = Readonly<{
  input: number
  output: number
  cacheWrite: number
  cacheWriteHour: number
  cacheRead: number
}>

type Row = Readonly<{
  model: RegExp
  input: number
  output: number
  cacheRead: number
  window: number
  pool?: string
  long?: Readonly<{ above: number; times: number }>
}>

const WIDE = 1_000_000
/** The least of all: an unknown model is not thought to have more. */
const NARROW = 200_000
/** Writing for five minutes costs a quarter more than input, writing for an hour twice as much, for all models. */
const WRITE = 1.25
const WRITE_HOUR = 2

/** The first that fits. Without a pool: limits of its own. */
const ROWS: readonly Row[] = [
  { model: /^claude-(fable|mythos)-5-1$/, input: 10, output: 50, cacheRead: 0.25, window: WIDE },
  { model: /^claude-(fable|mythos)-5$/, input: 10, output: 50, cacheRead: 1, window: WIDE },
  { model: /^claude-opus-5-5$/, input: 4, output: 20, cacheRead: 0.2, window: WIDE },
  { model: /^claude-opus-5$/, input: 5, output: 25, cacheRead: 0.5, window: WIDE },
  { model: /^claude-opus-4-[6-9]$/, input: 5, output: 25, cacheRead: 0.5, window: WIDE, pool: 'claude-opus-4' },
  { model: /^claude-opus-4-5$/, input: 5, output: 25, cacheRead: 0.5, window: NARROW, pool: 'claude-opus-4' },
  { model: /^claude-opus-4(-[01])?$/, input: 15, output: 75, cacheRead: 1.5, window: NARROW, pool: 'claude-opus-4' },
  { model: /^claude-sonnet-5-5$/, input: 2, output: 10, cacheRead: 0.1, window: WIDE },
  { model: /^claude-sonnet-5$/, input: 2, output: 10, cacheRead: 0.2, window: WIDE },
  { model: /^claude-sonnet-4-[6-9]$/, input: 3, output: 15, cacheRead: 0.3, window: WIDE, pool: 'claude-sonnet-4' },
  { model: /^claude-sonnet-4(-[0-5])?$/, input: 3, output: 15, cacheRead: 0.3, window: NARROW, pool: 'claude-sonnet-4' },
  { model: /^claude-haiku-5-5$/, input: 0.1, output: 0.5, cacheRead: 0.01, window: WIDE, long: { above: 100_000, times: 5 } },
  { model: /^claude-haiku-4-5$/, input: 1, output: 5, cacheRead: 0.1, window: NARROW },
  { model: /^claude-(haiku-3-5|3-5-haiku)$/, input: 0.8, output: 4, cacheRead: 0.08, window: NARROW },
]

/** Of the model alone; a name that ends in `[1m]` asks for the wide one. */
export function windowOf(model: string): number {
  return /\[1m\]$/i.test(model) ? WIDE : (rowOf(model)?.window ?? NARROW)
}

/** undefined: not known, so no cost is made up. `promptTokens`: some models cost more for long prompts. */
export function priceOf(model: string, promptTokens = 0): Price | undefined {
  const row = rowOf(model)
  if (!row) return undefined
  const times = row.long && promptTokens > row.long.above ? row.long.times : 1
  const { input, output, cacheRead } = row
  return {
    input: input * times,
    output: output * times,
    cacheWrite: input * WRITE * times,
    cacheWriteHour: input * WRITE_HOUR * times,
    cacheRead: cacheRead * times,
  }
}

export function costUsd(model: string, usage: Usage): number | undefined {
  const { inputTokens, cacheWriteTokens, cacheWriteHourTokens, cacheReadTokens, outputTokens } = usage
  const price = priceOf(model, inputTokens + cacheWriteTokens + cacheReadTokens)
  if (!price) return undefined
  const hour = Math.min(cacheWriteHourTokens, cacheWriteTokens)
  const million =
    inputTokens * price.input +
    (cacheWriteTokens - hour) * price.cacheWrite +
    hour * price.cacheWriteHour +
    cacheReadTokens * price.cacheRead +
    outputTokens * price.output
  return million / 1_000_000
}

/** Models with the same word share their limits, where the provider's file says nothing else. */
export function poolOf(model: string): string {
  return rowOf(model)?.pool ?? plain(model)
}

function rowOf(model: string): Row | undefined {
  const name = plain(model)
  return ROWS.find((row) => row.model.test(name))
}

/** Without date, `-latest`, the mark of the wide window, and what other providers put before and after it. */
function plain(model: string): string {
  return model
    .slice(0, 200)
    .toLowerCase()
    .replace(/^.*(?=claude-)/, '')
    .replace(/\[1m\]$/, '')
    .replace(/(-v\d+)?(:\d+)?$/, '')
    .replace(/[@-](20\d{6}|latest)$/, '')
}
