/**
 * What a request asks for, told from the bytes of its body without building its values: a body may be 32 MB, and this is in the way of
 * every request. Strings are jumped over by looking for their closing quote; only what stands at the top is read.
 */
import { parse } from './json.ts'

export type Span = Readonly<{ from: number; to: number }>

export type RequestFacts = Readonly<{
  model?: string
  /** Where its value stands in the body, with its quotes. */
  modelAt?: Span
  stream: boolean
  maxTokens?: number
  /** `metadata.user_id`. */
  userId?: string
  hasTools: boolean
  /** It marks parts for the cache. */
  caches: boolean
  bytes: number
  /** Of these bytes: images and documents, which cost by their size in pixels or pages. */
  imageBytes: number
  images: number
  documentBytes: number
  system?: Span
  lastMessage?: Span
}>

const QUOTE = 34
const BACKSLASH = 92
const OPEN_BRACE = 123
const CLOSE_BRACE = 125
const OPEN_BRACKET = 91
const CLOSE_BRACKET = 93
const COLON = 58
const COMMA = 44
/** A text without a space that is longer is no text. */
const LEAST_BINARY = 2048
const PROBE = 96
/** Looked at one by one before the rest of a string is searched. */
const NEAR = 48
const BASE64 = /^[A-Za-z0-9+/=_-]+$/
/** "%PDF-" in base64. */
const PDF = 'JVBERi0'
const MARK = Buffer.from('"cache_control"')
/** Longer ones are not what they are called. */
const MAX_SCALAR = 4096

/** undefined: not an object of JSON, as far as it was looked at. */
export function readRequest(body: Uint8Array): RequestFacts | undefined {
  const bytes = Buffer.from(body.buffer, body.byteOffset, body.byteLength)
  const scan: Scan = { bytes, at: 0, lastAt: 0, lastMessage: undefined, imageBytes: 0, images: 0, documentBytes: 0 }
  const spans = readTop(scan)
  if (!spans) return undefined
  const scalar = (key: string): unknown => {
    const span = spans.get(key)
    return span && span.to - span.from <= MAX_SCALAR ? parse(bytes.toString('utf8', span.from, span.to)) : undefined
  }
  const model = scalar('model')
  const maxTokens = scalar('max_tokens')
  const metadata = scalar('metadata')
  const userId = typeof metadata === 'object' && metadata !== null && 'user_id' in metadata ? metadata.user_id : undefined
  const tools = spans.get('tools')
  const system = spans.get('system')
  const { lastMessage } = scan
  return {
    stream: scalar('stream') === true,
    hasTools: tools !== undefined && !/^(\[\s*\]|null)$/.test(bytes.toString('latin1', tools.from, Math.min(tools.to, tools.from + 64))),
    caches: bytes.includes(MARK),
    bytes: bytes.length,
    imageBytes: scan.imageBytes,
    images: scan.images,
    documentBytes: scan.documentBytes,
    ...(typeof model === 'string' ? { model, modelAt: spans.get('model') as Span } : {}),
    ...(typeof maxTokens === 'number' && maxTokens > 0 ? { maxTokens } : {}),
    ...(typeof userId === 'string' ? { userId } : {}),
    ...(system ? { system } : {}),
    ...(lastMessage ? { lastMessage } : {}),
  }
}

type Scan = { readonly bytes: Buffer; at: number; lastAt: number; lastMessage: Span | undefined; imageBytes: number; images: number; documentBytes: number }

/** Where the value of each key at the top is. Of a key that stands there twice the last counts, as for JSON.parse. */
function readTop(scan: Scan): Map<string, Span> | undefined {
  const { bytes } = scan
  const spans = new Map<string, Span>()
  skipSpace(scan)
  if (bytes[scan.at] !== OPEN_BRACE) return undefined
  scan.at++
  for (;;) {
    skipSpace(scan)
    if (bytes[scan.at] === CLOSE_BRACE) return spans
    if (bytes[scan.at] !== QUOTE) return undefined
    const keyAt = scan.at
    scan.at = endOfString(bytes, keyAt)
    const key = keyOf(bytes, keyAt, scan.at)
    skipSpace(scan)
    if (bytes[scan.at++] !== COLON) return undefined
    skipSpace(scan)
    const from = scan.at
    scan.at = endOfValue(scan, from)
    if (scan.at > bytes.length || scan.at === from) return undefined
    if (key !== undefined) spans.set(key, { from, to: scan.at })
    if (key === 'messages') scan.lastMessage = bytes[from] === OPEN_BRACKET ? lastElement(scan, scan.at) : undefined
    skipSpace(scan)
    if (bytes[scan.at] === COMMA) scan.at++
    else if (bytes[scan.at] !== CLOSE_BRACE) return undefined
  }
}

function keyOf(bytes: Buffer, from: number, to: number): string | undefined {
  if (to - from > MAX_SCALAR) return undefined
  const text = bytes.toString('utf8', from, to)
  const key = text.includes('\\') ? parse(text) : text.slice(1, -1)
  return typeof key === 'string' ? key : undefined
}

function skipSpace(scan: Scan): void {
  while (scan.at < scan.bytes.length && isSpace(scan.bytes[scan.at])) scan.at++
}

function isSpace(byte: number | undefined): boolean {
  return byte === 32 || byte === 10 || byte === 13 || byte === 9
}

/** After the closing quote; past the end where there is none. */
function endOfString(bytes: Buffer, quoteAt: number): number {
  // Most are words, nearer than what a call of indexOf costs.
  const near = Math.min(quoteAt + NEAR, bytes.length)
  for (let at = quoteAt + 1; at < near; at++) {
    const byte = bytes[at]
    if (byte === QUOTE) return at + 1
    if (byte === BACKSLASH) at++
  }
  let end = bytes.indexOf(QUOTE, near)
  while (end >= 0 && isEscaped(bytes, end, quoteAt)) end = bytes.indexOf(QUOTE, end + 1)
  return end < 0 ? bytes.length + 1 : end + 1
}

function isEscaped(bytes: Buffer, at: number, from: number): boolean {
  let before = at - 1
  while (before > from && bytes[before] === BACKSLASH) before--
  return (at - 1 - before) % 2 === 1
}

/**
 * After a value of any depth; past the end where it has none. Brackets are counted, not matched: whoever parses it whole says what is
 * wrong. `scan.lastAt` becomes the place where the last element begins, if it is an array.
 */
function endOfValue(scan: Scan, from: number): number {
  const { bytes } = scan
  const { length } = bytes
  const isArray = bytes[from] === OPEN_BRACKET
  let depth = 0
  for (let at = from; at < length; at++) {
    const byte = bytes[at] as number
    if (byte === QUOTE) {
      const end = endOfString(bytes, at)
      if (end - at > LEAST_BINARY) weigh(scan, at + 1, end - 1)
      if (depth === 0) return end
      at = end - 1
    } else if (byte === OPEN_BRACE || byte === OPEN_BRACKET) {
      if (++depth === 1 && isArray) scan.lastAt = at + 1
    } else if (byte === CLOSE_BRACE || byte === CLOSE_BRACKET) {
      if (depth === 0) return at
      if (--depth === 0) return at + 1
    } else if (byte === COMMA) {
      if (depth === 0) return at
      if (depth === 1 && isArray) scan.lastAt = at + 1
    } else if (depth === 0 && isSpace(byte)) return at
  }
  return depth === 0 ? length : length + 1
}

/** The last element of the array that ends at `to`. */
function lastElement({ bytes, lastAt }: Scan, to: number): Span | undefined {
  let from = lastAt
  let end = to - 1
  while (from < end && isSpace(bytes[from])) from++
  while (end > from && isSpace(bytes[end - 1])) end--
  return from < end ? { from, to: end } : undefined
}

function weigh(scan: Scan, from: number, to: number): void {
  const head = scan.bytes.toString('latin1', from, from + PROBE)
  const middle = scan.bytes.toString('latin1', (from + to) >> 1, ((from + to) >> 1) + PROBE)
  if (!BASE64.test(head) || !BASE64.test(middle)) return
  if (head.startsWith(PDF)) scan.documentBytes += to - from
  else {
    scan.imageBytes += to - from
    scan.images++
  }
}
