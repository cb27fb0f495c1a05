/**
 * The fast way through ordinary front matter: a line per key, values that can only be strings (or nothing, or a flow list of such).
 * Whatever it is not sure of it leaves to the strict parser; a property test holds the two to the same answer.
 */
import type { Value } from './message.ts'

export type Entry = Readonly<{
  key: string
  value: Value
  /** 1-based line of the text read. */
  line: number
  keyAt: number
  /** Offset after the colon. */
  colonEnd: number
  /** Offsets of the value; equal where there is none. */
  valueAt: number
  valueEnd: number
}>

const KEY = /^[A-Za-z][A-Za-z0-9_-]{0,63}$/
/** Plain scalars may begin with more than this; these are the ones that begin nothing else. */
const PLAIN_START = /^[A-Za-z0-9_(/\u00a1-\u167f\u3041-\ud7ff]/
/** Control characters, and white space and marks that parsers disagree about. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what this finds
const DOUBTFUL = /[\u0000-\u001f\u007f-\u00a0\u061c\u1680\u180e\u2000-\u200f\u2028-\u202f\u205f-\u2064\u3000\ufeff\ufff0-\ufffe\uffff]/
/** What the core schema reads as something else than a string (YAML 1.2.2, section 10.3.2). */
const NOT_STRING =
  /^(?:null|Null|NULL|true|True|TRUE|false|False|FALSE|~|[-+]?\d+|0o[0-7]+|0x[0-9a-fA-F]+|[-+]?(?:\.\d+|\d+(?:\.\d*)?)(?:[eE][-+]?\d+)?|[-+]?\.(?:inf|Inf|INF)|\.(?:nan|NaN|NAN))$/
const FLOW_WORD = /^[A-Za-z0-9_][A-Za-z0-9_.@/+-]*$/
const FLOW_QUOTED = /^"[^"\\,]*"$/
const DOUBLE_QUOTED = /^"[^"\\]*(?:\\["\\nt][^"\\]*)*"$/
const SINGLE_QUOTED = /^'[^']*'$/
/** Longer values go the strict way, which has no backtracking. */
const MAX_VALUE = 4096
/** Front matter with more than this goes the strict way too, which has bounds of its own: these are well within them. */
const MAX_KEYS = 100
const MAX_ITEMS = 400
const MAX_LINES = 800

export function isPlainString(text: string): boolean {
  return (
    PLAIN_START.test(text) &&
    !text.includes(': ') &&
    !text.includes(' #') &&
    !text.endsWith(':') &&
    !text.endsWith(' ') &&
    !DOUBTFUL.test(text) &&
    !NOT_STRING.test(text)
  )
}

export function isPlainWord(text: string): boolean {
  return FLOW_WORD.test(text) && !NOT_STRING.test(text)
}

function readFlowList(text: string): Value | undefined {
  if (!text.endsWith(']')) return undefined
  const inner = text.slice(1, -1).trim()
  if (inner === '') return []
  const items: string[] = []
  for (const raw of inner.split(',')) {
    const item = raw.trim()
    if (isPlainWord(item)) items.push(item)
    else if (FLOW_QUOTED.test(item)) items.push(item.slice(1, -1))
    else return undefined
  }
  return items
}

/** undefined: not sure. */
function readValue(text: string): Value | undefined {
  if (text === '') return null
  if (text.length > MAX_VALUE) return undefined
  switch (text[0]) {
    case '"':
      if (!DOUBLE_QUOTED.test(text) || DOUBTFUL.test(text)) return undefined
      return text.includes('\\') ? (JSON.parse(text) as string) : text.slice(1, -1)
    case "'":
      return SINGLE_QUOTED.test(text) && !DOUBTFUL.test(text) ? text.slice(1, -1) : undefined
    case '[':
      return DOUBTFUL.test(text) ? undefined : readFlowList(text)
    default:
      return isPlainString(text) ? text : undefined
  }
}

/** The entries, in order; undefined where one line is not surely what it looks like. Line ends may be LF or CRLF. */
export function readPlain(text: string): readonly Entry[] | undefined {
  const entries: Entry[] = []
  const seen = new Set<string>()
  let line = 0
  let items = 0
  for (let at = 0; at <= text.length; ) {
    if (++line > MAX_LINES) return undefined
    const newline = text.indexOf('\n', at)
    const next = newline === -1 ? text.length + 1 : newline + 1
    let end = newline === -1 ? text.length : newline
    if (newline !== -1 && text[end - 1] === '\r' && end > at) end--
    if (end > at && text[at] !== '#') {
      const colon = text.indexOf(':', at)
      if (colon === -1 || colon >= end) return undefined
      const key = text.slice(at, colon)
      if (!KEY.test(key) || seen.has(key)) return undefined
      let valueAt = colon + 1
      while (valueAt < end && text[valueAt] === ' ') valueAt++
      if (valueAt === colon + 1 && valueAt < end) return undefined
      while (end > valueAt && text[end - 1] === ' ') end--
      const value = readValue(text.slice(valueAt, end))
      if (value === undefined) return undefined
      if (value === null) valueAt = end = colon + 1
      if (Array.isArray(value)) items += value.length
      seen.add(key)
      if (items > MAX_ITEMS || seen.size > MAX_KEYS) return undefined
      entries.push({ key, value, line, keyAt: at, colonEnd: colon + 1, valueAt, valueEnd: end })
    }
    at = next
  }
  return entries
}
