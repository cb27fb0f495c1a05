/** Tokens of one request, as the provider counted them. Source: `usage` of the API, described in the types of @anthropic-ai/sdk. */
import { countIn, type Fields, fieldsOf, readFields, textIn } from './json.ts'

export type Usage = Readonly<{
  /** Neither read from the cache nor written to it. */
  inputTokens: number
  cacheWriteTokens: number
  /** Of the written ones: kept for an hour, which costs more. */
  cacheWriteHourTokens: number
  cacheReadTokens: number
  outputTokens: number
  /** What the next request of this session begins with. */
  contextTokens: number
  /** The provider itself has summarised the context within this request. */
  compacted: boolean
}>

type Tokens = Readonly<{ input: number; write: number; writeHour: number; read: number; output: number }>

const NONE: Tokens = { input: 0, write: 0, writeHour: 0, read: 0, output: 0 }
/** More than any answer has; the rest of a longer list is not counted. */
const MAX_ITERATIONS = 10_000
/** A JSON answer is at most a few hundred thousand tokens. */
const MAX_ANSWER = 16 * 1024 * 1024

/** What the limit of input tokens counts: reads from the cache are free. */
export function countedInput(usage: Usage): number {
  return usage.inputTokens + usage.cacheWriteTokens
}

/** From the body of an answer that came whole; undefined: it has no usage. */
export function readUsage(body: Uint8Array): Usage | undefined {
  if (body.length > MAX_ANSWER) return undefined
  return usageIn(readFields(Buffer.from(body.buffer, body.byteOffset, body.byteLength).toString('utf8'))?.['usage'])
}

/** `before`: what the same request said earlier; counts are cumulative, so that the greater one holds. */
export function usageIn(value: unknown, before?: Usage): Usage | undefined {
  const usage = fieldsOf(value)
  if (!usage) return before
  const top = tokensIn(usage)
  const { sum, last, compacted } = readIterations(usage['iterations'])
  // The top level leaves out what a compaction or another model took: the sum over the iterations is what was billed.
  const billed = mostOf(top, sum)
  const contextTokens = totalOf(last ?? mostOf(top, earlier(before)))
  return {
    inputTokens: Math.max(billed.input, before?.inputTokens ?? 0),
    cacheWriteTokens: Math.max(billed.write, before?.cacheWriteTokens ?? 0),
    cacheWriteHourTokens: Math.max(billed.writeHour, before?.cacheWriteHourTokens ?? 0),
    cacheReadTokens: Math.max(billed.read, before?.cacheReadTokens ?? 0),
    outputTokens: Math.max(billed.output, before?.outputTokens ?? 0),
    contextTokens,
    compacted: compacted || (before?.compacted ?? false),
  }
}

function earlier(usage: Usage | undefined): Tokens {
  if (!usage) return NONE
  const { inputTokens: input, cacheWriteTokens: write, cacheWriteHourTokens: writeHour, cacheReadTokens: read, outputTokens: output } = usage
  return { input, write, writeHour, read, output }
}

function tokensIn(fields: Fields): Tokens {
  const kept = fieldsOf(fields['cache_creation'])
  const written = (countIn(kept, 'ephemeral_5m_input_tokens') ?? 0) + (countIn(kept, 'ephemeral_1h_input_tokens') ?? 0)
  const write = Math.max(countIn(fields, 'cache_creation_input_tokens') ?? 0, written)
  return {
    input: countIn(fields, 'input_tokens') ?? 0,
    write,
    writeHour: countIn(kept, 'ephemeral_1h_input_tokens') ?? 0,
    read: countIn(fields, 'cache_read_input_tokens') ?? 0,
    output: countIn(fields, 'output_tokens') ?? 0,
  }
}

/** `last`: the last one of the conversation itself. An entry of a compaction or an adviser doesn't tell the size of the context. */
function readIterations(value: unknown): { sum: Tokens; last: Tokens | undefined; compacted: boolean } {
  let sum = NONE
  let last: Tokens | undefined
  let compacted = false
  for (const one of Array.isArray(value) ? value.slice(0, MAX_ITERATIONS) : []) {
    const fields = fieldsOf(one)
    if (!fields) continue
    const tokens = tokensIn(fields)
    const type = textIn(fields, 'type')
    sum = add(sum, tokens)
    if (type === 'compaction') compacted = true
    if (type === 'message' || type === 'fallback_message') last = tokens
  }
  return { sum, last, compacted }
}

function add(one: Tokens, other: Tokens): Tokens {
  return {
    input: one.input + other.input,
    write: one.write + other.write,
    writeHour: one.writeHour + other.writeHour,
    read: one.read + other.read,
    output: one.output + other.output,
  }
}

function mostOf(one: Tokens, other: Tokens): Tokens {
  return {
    input: Math.max(one.input, other.input),
    write: Math.max(one.write, other.write),
    writeHour: Math.max(one.writeHour, other.writeHour),
    read: Math.max(one.read, other.read),
    output: Math.max(one.output, other.output),
  }
}

function totalOf({ input, write, read, output }: Tokens): number {
  return input + write + read + output
}
