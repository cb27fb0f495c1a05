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
  /** It has more keys at its top than any client writes: what comes after so many was not read. */
  isCrowded?: true
  /** The newest messages, the last one first: some clients put one of the system after that of the user. */
  newest: readonly Span[]
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
/** A client that writes hundreds of thousands of keys would keep all others waiting. */
const MOST_KEYS = 1_000
/** Longer ones are not what they are called. */
const MAX_SCALAR = 4096
/** Messages whose places are kept. */
const NEWEST = 4

/** undefined: not an object of JSON, as far as it was looked at. */
export function readRequest(body: Uint8Array): RequestFacts | undefined {
  const bytes = Buffer.from(body.buffer, body.byteOffset, body.byteLength)
  const scan: Scan = { bytes, at: 0, starts: [], count: 0, newest: [], imageBytes: 0, images: 0, documentBytes: 0, isCrowded: false }
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
  return {
    stream: scalar('stream') === true,
    hasTools: tools !== undefined && !/^(\[\s*\]|null)$/.test(bytes.toString('latin1', tools.from, Math.min(tools.to, tools.from + 64))),
    caches: bytes.includes(MARK),
    bytes: bytes.length,
    imageBytes: scan.imageBytes,
    images: scan.images,
    documentBytes: scan.documentBytes,
    newest: scan.newest,
    ...(typeof model === 'string' ? { model, modelAt: spans.get('model') as Span } : {}),
    ...(typeof maxTokens === 'number' && maxTokens > 0 ? { maxTokens } : {}),
    ...(typeof userId === 'string' ? { userId } : {}),
    ...(system ? { system } : {}),
    ...(scan.isCrowded ? { isCrowded: true } : {}),
  }
}

type Scan = {
  readonly bytes: Buffer
  at: number
  /** Where the last elements of the array that was read last begin; `count` of them there were in all. */
  readonly starts: number[]
  count: number
  newest: readonly Span[]
  imageBytes: number
  images: number
  documentBytes: number
  isCrowded: boolean
}

/** Where the value of each key at the top is. Of a key that stands there twice the last counts, as for JSON.parse. */
function readTop(scan: Scan): Map<string, Span> | undefined {
  const { bytes } = scan
  const spans = new Map<string, Span>()
  skipSpace(scan)
  if (bytes[scan.at] !== OPEN_BRACE) return undefined
  scan.at++
  for (let count = 0; ; count++) {
    skipSpace(scan)
    if (bytes[scan.at] === CLOSE_BRACE) return spans
    scan.isCrowded = count >= MOST_KEYS
    if (scan.isCrowded) return spans
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
    if (key === 'messages') scan.newest = bytes[from] === OPEN_BRACKET ? newestOf(scan, scan.at) : []
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
  for (let at = quoteAt + 1; ; ) {
    // Most are words, nearer than what a call of indexOf costs; so is the next one where many are escaped.
    const near = Math.min(at + NEAR, bytes.length)
    for (; at < near; at++) {
      const byte = bytes[at]
      if (byte === QUOTE) return at + 1
      if (byte === BACKSLASH) at++
    }
    const end = bytes.indexOf(QUOTE, at)
    if (end < 0) return bytes.length + 1
    if (!isEscaped(bytes, end, at)) return end + 1
    at = end + 1
  }
}

/** `from`: where something begins that is not escaped. */
function isEscaped(bytes: Buffer, at: number, from: number): boolean {
  let before = at - 1
  while (before >= from && bytes[before] === BACKSLASH) before--
  return (at - 1 - before) % 2 === 1
}

/**
 * After a value of any depth; past the end where it has none. Brackets are counted, not matched: whoever parses it whole says what is
 * wrong. Of an array, `scan` knows then where its last elements begin.
 */
function endOfValue(scan: Scan, from: number): number {
  const { bytes } = scan
  const { length } = bytes
  const isArray = bytes[from] === OPEN_BRACKET
  let depth = 0
  scan.count = 0
  for (let at = from; at < length; at++) {
    const byte = bytes[at] as number
    if (byte === QUOTE) {
      const end = endOfString(bytes, at)
      if (end - at > LEAST_BINARY) weigh(scan, at + 1, end - 1)
      if (depth === 0) return end
      at = end - 1
    } else if (byte === OPEN_BRACE || byte === OPEN_BRACKET) {
      if (++depth === 1 && isArray) scan.starts[scan.count++ % NEWEST] = at + 1
    } else if (byte === CLOSE_BRACE || byte === CLOSE_BRACKET) {
      if (depth === 0) return at
      if (--depth === 0) return at + 1
    } else if (byte === COMMA) {
      if (depth === 0) return at
      if (depth === 1 && isArray) scan.starts[scan.count++ % NEWEST] = at + 1
    } else if (depth === 0 && isSpace(byte)) return at
  }
  return depth === 0 ? length : length + 1
}

/** Of the array that ends at `to`. */
function newestOf({ bytes, starts, count }: Scan, to: number): Span[] {
  const newest: Span[] = []
  let end = to - 1
  for (let n = count - 1; n >= Math.max(0, count - NEWEST); n--) {
    let from = starts[n % NEWEST] as number
    const next = from - 1
    while (from < end && isSpace(bytes[from])) from++
    while (end > from && isSpace(bytes[end - 1])) end--
    if (from < end) newest.push({ from, to: end })
    end = next
  }
  return newest
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
