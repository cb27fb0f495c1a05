/** Tokens of a prompt, and what of it the cache has. A count of bytes, not a tokenizer: the same prompt always counts the same. */
import { createHash } from 'node:crypto'

/** One part, in the order in which the cache sees them: tools, system, messages. */
type Part = Readonly<{ text: string; tokens: number; marked: boolean }>

const IMAGE_TOKENS = 1600
const CACHE_MS = 300_000

export function countTokens(body: Readonly<Record<string, unknown>>): number {
  return partsOf(body).reduce((sum, { tokens }) => sum + tokens, 0)
}

export type PromptCache = Readonly<{
  /** What is read, what is written (now, if `keep`), what is neither. */
  look: (
    organisation: string,
    body: Readonly<Record<string, unknown>>,
    nowMs: number,
  ) => Readonly<{ read: number; write: number; input: number; keep: () => void }>
}>

export function createPromptCache(): PromptCache {
  const kept = new Map<string, number>()
  return {
    look: (organisation, body, nowMs) => {
      const parts = partsOf(body)
      const hash = createHash('sha256').update(JSON.stringify([organisation, body['model']]))
      let tokens = 0
      let read = 0
      let marked = 0
      const passed: string[] = []
      for (const part of parts) {
        tokens += part.tokens
        const digest = hash.update(part.text).copy().digest('base64')
        passed.push(digest)
        if (part.marked) marked = passed.length
        if ((kept.get(digest) ?? 0) > nowMs) read = tokens
      }
      const written = parts.slice(0, marked).reduce((sum, part) => sum + part.tokens, 0)
      // Without a mark nothing is looked up.
      if (marked === 0) read = 0
      const write = Math.max(0, written - read)
      const keep = (): void => {
        for (const digest of passed.slice(0, marked)) kept.set(digest, nowMs + CACHE_MS)
      }
      return { read, write, input: tokens - read - write, keep }
    },
  }
}

function partsOf(body: Readonly<Record<string, unknown>>): Part[] {
  const messages = listOf(body['messages']).flatMap((message) => {
    const { role, content } = (message ?? {}) as { role?: unknown; content?: unknown }
    return listOf(content).map((block) => ({ role, block }))
  })
  return [...listOf(body['tools']), ...listOf(body['system']), ...messages].map(partOf)
}

function listOf(value: unknown): readonly unknown[] {
  if (value === undefined || value === null) return []
  return Array.isArray(value) ? value : [value]
}

function partOf(value: unknown): Part {
  let images = 0
  let marked = false
  const text = JSON.stringify(value, (key, inner: unknown) => {
    if (key === 'cache_control') {
      marked = true
      return undefined
    }
    if (key !== 'source' || typeof inner !== 'object') return inner
    images++
    return createHash('sha256').update(JSON.stringify(inner)).digest('base64')
  })
  return { text, tokens: Math.ceil(Buffer.byteLength(text) / 4) + images * IMAGE_TOKENS, marked }
}
