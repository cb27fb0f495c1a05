/**
 * Whether a request asks for the summary that replaces its session's context, or is the last turn before that. Told by the words of the
 * clients themselves (Claude Code 2.1, OpenClaw 2026.2, our own `builtin: anthropic`), where they put them: the newest message, or the system prompt. The same words
 * in an older message, or in what a tool has read, are somebody's text.
 */
import { type Fields, fieldsOf, readFields } from './json.ts'
import type { RequestFacts, Span } from './request.ts'

export type Compaction = 'claude-code' | 'openclaw-flush' | 'openclaw-summary' | 'own-loop'

/** `builtin: anthropic` begins its order with them: a text of its own, the last of the newest message. */
export const OWN_ORDER = 'Your context is nearly full and will be emptied: write the checkpoint now, as your answer.'

const CLAUDE_CODE = 'Your task is to create a detailed summary of '
const FLUSH = 'Pre-compaction memory flush'
const SUMMARY = 'You are a context summarization assistant'
/** What stands before them is a paragraph at most. */
const BEGINNING = 2000
/** Larger messages carry files, not orders; and what is read here keeps all others waiting, a quarter of a second for each MB that is nested deep. */
const MAX_MESSAGE = 1024 * 1024
const MAX_SYSTEM = 1024 * 1024

export function compactionIn(body: Uint8Array, facts: RequestFacts): Compaction | undefined {
  const bytes = Buffer.from(body.buffer, body.byteOffset, body.byteLength)
  const order = orderIn(bytes, facts)
  if (order) return order
  return facts.system && !facts.hasTools && summarises(bytes, facts.system) ? 'openclaw-summary' : undefined
}

/** In the newest message of the user; one of the system may follow it, as Claude Code lists its agents there. */
function orderIn(bytes: Buffer, { newest }: RequestFacts): Compaction | undefined {
  const [last] = newest
  const first = newest.at(-1)
  if (!last || !first || last.to - first.from > MAX_MESSAGE) return undefined
  const part = bytes.subarray(first.from, last.to)
  if (!part.includes(CLAUDE_CODE) && !part.includes(FLUSH) && !part.includes(OWN_ORDER)) return undefined
  for (const { from, to } of newest) {
    const message = readFields(bytes.toString('utf8', from, to))
    if (message?.['role'] === 'system') continue
    if (message?.['role'] !== 'user') return undefined
    if (textsOf(message).at(-1)?.startsWith(OWN_ORDER)) return 'own-loop'
    if (orders(message, CLAUDE_CODE)) return 'claude-code'
    return orders(message, FLUSH) ? 'openclaw-flush' : undefined
  }
  return undefined
}

function orders(message: Fields, words: string): boolean {
  return textsOf(message).some((text) => beginsLine(text.slice(0, BEGINNING), words))
}

function summarises(bytes: Buffer, { from, to }: Span): boolean {
  if (to - from > MAX_SYSTEM || !bytes.subarray(from, to).includes(SUMMARY)) return false
  const fields = readFields(`{"content":${bytes.toString('utf8', from, to)}}`)
  return textsOf(fields).some((text) => text.trimStart().startsWith(SUMMARY))
}

/** Its own words: not what tools gave back. */
function textsOf(message: Fields | undefined): string[] {
  const content = message?.['content']
  if (typeof content === 'string') return [content]
  if (!Array.isArray(content)) return []
  return content.flatMap((block) => {
    const fields = fieldsOf(block)
    const text = fields?.['type'] === 'text' ? fields['text'] : undefined
    return typeof text === 'string' ? [text] : []
  })
}

/** At the beginning of a line; a time in brackets may stand before. */
function beginsLine(text: string, words: string): boolean {
  return text.split('\n').some((line) =>
    line
      .replace(/^\s*\[[^\]]{0,100}\]\s*/, '')
      .trimStart()
      .startsWith(words),
  )
}
