/** Values as YAML text that the strict parser reads back exactly. */
import type { Value } from './message.ts'
import { isPlainString, isPlainWord } from './plain.ts'

/** What follows `key:` on its line, and the lines under it. */
export type Written = Readonly<{ head: string; lines: readonly string[] }>

/** Longer lists are written one item a line. */
const MAX_FLOW = 100
/** As an escape they take no lines, of which front matter may have only so many blank ones in a row. */
const MANY_BLANK_LINES = '\n'.repeat(16)
/** Words that YAML 1.1 readers take for booleans or nothing; quoted for their sake. */
const OLD_WORDS = /^(?:y|n|yes|no|on|off|true|false|null)$/i
/** Characters that some reader or terminal would not take for themselves. */
const ESCAPED = /[\u007f-\u00a0\u061c\u200b-\u200f\u2028-\u202f\u2060-\u2069\ufeff\ufff0-\uffff]/g
// biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what this finds
const BLOCK_UNSAFE = /[\u0000-\u0009\u000b-\u001f\u007f-\u00a0\u061c\u200b-\u200f\u2028-\u202f\u2060-\u2069\ufeff\ufff0-\uffff]|\p{Surrogate}/u

function quoted(text: string): string {
  // JSON's strings are YAML's double-quoted ones; half a character cannot be written in UTF-8 and becomes U+FFFD.
  const whole = text.replace(/\p{Surrogate}/gu, '\ufffd')
  return JSON.stringify(whole).replace(ESCAPED, (c) => `\\u${c.charCodeAt(0).toString(16).padStart(4, '0')}`)
}

function scalar(value: string | number | boolean | null, inFlow: boolean): string {
  if (typeof value === 'string') {
    const plain = inFlow ? isPlainWord(value) : isPlainString(value)
    return plain && !OLD_WORDS.test(value) && !/\p{Surrogate}/u.test(value) && value.length <= 1000 ? value : quoted(value)
  }
  if (typeof value === 'number' && !Number.isFinite(value)) return Number.isNaN(value) ? '.nan' : value > 0 ? '.inf' : '-.inf'
  return Object.is(value, -0) ? '-0' : String(value)
}

function flow(value: Value): string {
  if (value === null || typeof value !== 'object') return scalar(value, true)
  if (Array.isArray(value)) return `[${(value as readonly Value[]).map(flow).join(', ')}]`
  const pairs = Object.entries(value as Readonly<Record<string, Value>>)
  return pairs.length === 0 ? '{}' : `{ ${pairs.map(([key, inner]) => `${/^[a-z][a-z0-9_-]*$/.test(key) ? key : quoted(key)}: ${flow(inner)}`).join(', ')} }`
}

/** A literal block reads well with `cat`; it holds several lines with no odd white space at their borders. */
function isBlock(text: string): boolean {
  return /^\S.*\S\n?$/s.test(text) && text.trimEnd().includes('\n') && !BLOCK_UNSAFE.test(text) && !/^ +$/m.test(text) && !text.includes(MANY_BLANK_LINES)
}

export function writeValue(value: Value): Written {
  if (typeof value === 'string' && isBlock(value)) {
    const ends = value.endsWith('\n')
    const lines = (ends ? value.slice(0, -1) : value).split('\n')
    return { head: ends ? '|' : '|-', lines: lines.map((line) => (line === '' ? '' : `  ${line}`)) }
  }
  if (value === null || typeof value !== 'object') return { head: scalar(value, false), lines: [] }
  const inline = flow(value)
  if (!Array.isArray(value) || value.length === 0 || inline.length <= MAX_FLOW) return { head: inline, lines: [] }
  return { head: '', lines: (value as readonly Value[]).map((item) => `  - ${flow(item)}`) }
}

/** A key as it is written: plain where that is surely a string, else quoted. */
export function writeKey(key: string): string {
  return /^[A-Za-z][A-Za-z0-9_-]*$/.test(key) ? key : quoted(key)
}
