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
      const all = parts.reduce((sum, part) => sum + part.tokens, 0)
      const marked = parts.findLastIndex((part) => part.marked) + 1
      // Without a mark nothing is looked up, or kept.
      if (marked === 0) return { read: 0, write: 0, input: all, keep: () => undefined }
      for (const [digest, untilMs] of kept) if (untilMs <= nowMs) kept.delete(digest)
      const hash = createHash('sha256').update(JSON.stringify([organisation, body['model']]))
      let written = 0
      let read = 0
      const passed = parts.slice(0, marked).map((part) => {
        written += part.tokens
        const digest = hash.update(part.text).copy().digest('base64')
        if ((kept.get(digest) ?? 0) > nowMs) read = written
        return digest
      })
      const keep = (): void => {
        for (const digest of passed) kept.set(digest, nowMs + CACHE_MS)
      }
      return { read, write: written - read, input: all - written, keep }
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
  const plain = JSON.stringify(value)
  // Most are only text: not worth a look at every key.
  if (!plain.includes('"cache_control"') && !plain.includes('"source"')) return { text: plain, tokens: Math.ceil(Buffer.byteLength(plain) / 4), marked: false }
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
