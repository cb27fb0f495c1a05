/** What people get wrong in YAML, told as what they wrote and how it should read: the parser's words are about YAML itself. */
import type { CST } from 'yaml'
import { showSafely } from './text.ts'

/** What the parser complains of: its code, its words, the place. */
export type Complaint = Readonly<{ code: string; message: string; offset: number }>

export type Mistake = Readonly<{ offset: number; what: string }>

/** Beginnings that mean something to YAML: whoever writes them in a value means text. */
const NOT_FIRST = '*&!%@`|>,]}#'
const CLOSING: Readonly<Record<string, string>> = { '[': ']', '{': '}' }
/** Characters of what somebody wrote that are shown again. */
const MOST_SHOWN = 80

/** What it shows of the text is a sender's: nothing in it may fool a terminal or a page, and none of it is half a character. */
export function mistakeOf(text: string, tokens: readonly CST.Token[], complaint: Complaint): Mistake {
  const { offset, what } = mistakeIn(text, tokens, complaint)
  return { offset, what: showSafely(what.toWellFormed()) }
}

function mistakeIn(text: string, tokens: readonly CST.Token[], complaint: Complaint): Mistake {
  const { code, message } = complaint
  const [open] = [...allOf(tokens)].filter(isOpen).sort((a, b) => b.offset - a.offset)
  if (open)
    return { offset: open.offset, what: `the ${isQuoted(open) ? 'quote' : first(open) === '[' ? 'list' : 'mapping'} opened by ${first(open)} is not closed` }
  const start = text.lastIndexOf('\n', complaint.offset - 1) + 1
  const line = lineFrom(text, start)
  if (/^[ ]*\t/.test(line)) return { offset: start, what: 'lines are indented with spaces, not tabs: write two spaces for each tab' }
  const [begin, lead = '', key = '', gap = '', rest = ''] = /^( *(?:- +)*)([A-Za-z][\w-]*)(:[ \t]+)(.*)$/.exec(line) ?? []
  const value = { key, text: rest.trimEnd(), offset: start + lead.length + key.length + gap.length }
  const what = begin === undefined ? undefined : inValue(value, complaint, text)
  if (what !== undefined) return what
  // Of a value that goes on where a key was meant.
  const next = lineFrom(text, start + line.length + 1)
  if (code === 'BLOCK_AS_IMPLICIT_KEY' && /^ +[\w-]+:/.test(next))
    return { offset: start + line.length + 1, what: `this line is indented too far: write it in the column of the line above, ${shown(next.trim())}` }
  return {
    offset: complaint.offset,
    what: inLine(line, message) ?? `this cannot be read (${oneLine(message)}): lines are key: value, lists are [one, two], other text stands in "quotes"`,
  }
}

type Value = Readonly<{ key: string; text: string; offset: number }>

function inValue({ key, text, offset }: Value, complaint: Complaint, whole: string): Mistake | undefined {
  const write = (value: string): string => `write ${shown(`${key}: ${value}`)}`
  const at = complaint.offset
  const bare = text.replace(/\s#.*$/, '').trimEnd()
  const sign = bare.charAt(0)
  if (complaint.code === 'BAD_DQ_ESCAPE')
    return { offset: at, what: `${whole.slice(at, at + 2)} means nothing inside double quotes: ${write(quoted(bare.slice(1, -1)))}` }
  if (sign === '"' || sign === "'") {
    const end = bare.indexOf(sign, 1)
    if (bare.charAt(end + 1) === '#') return { offset: offset + end + 1, what: 'a comment needs a space before its #' }
    if (end < 0 || end === bare.length - 1) return undefined
    return { offset, what: `a quote closes before the value ends: ${write(quoted(bare.endsWith(sign) ? bare.slice(1, -1) : bare))}` }
  }
  if (sign === '[' || sign === '{') {
    const word = /^[^\s,[\]{}]+/.exec(whole.slice(at, at + MOST_SHOWN))?.[0] ?? ''
    if (NOT_FIRST.includes(word.charAt(0)) && word !== '') return { offset: at, what: `what begins with ${word.charAt(0)} needs quotes: write ${quoted(word)}` }
    return whole.charAt(at) === ',' ? { offset: at, what: 'there is nothing before this comma' } : undefined
  }
  if (NOT_FIRST.includes(sign)) return { offset, what: `a value that begins with ${sign} needs quotes: ${write(quoted(bare))}` }
  if (/^[\w-]+:\s+[[{]/.test(bare)) return { offset, what: `a key inside a value needs braces: ${write(`{ ${bare} }`)}` }
  if (/^[-?] /.test(bare)) return { offset, what: `a list begins in a line of its own, or is written ${shown(`${key}: [${bare.slice(2)}]`)}` }
  return /:(\s|$)/.test(bare) ? { offset, what: `a value with a colon in it needs quotes: ${write(quoted(bare))}` } : undefined
}

/** Of a line that is no `key: value`. */
function inLine(line: string, message: string): string | undefined {
  const text = line.trim()
  const begins = /column|indent|implicit/i.test(message)
  if (/^-[^\s-]/.test(text)) return `a space is needed after the dash: write ${shown(`- ${text.slice(1)}`)}`
  const [, key, rest = ''] = /^([A-Za-z][\w-]*)(.*)$/.exec(text) ?? []
  if (key === undefined) return begins && text.startsWith('- ') ? 'this line begins in another column than the list it belongs to' : undefined
  if (rest === '') return `a key is followed by a colon and its value: write ${shown(key)}: …`
  return hintOfPair(text) ?? (begins && rest.startsWith(':') ? 'this line begins in another column than those it belongs to' : undefined)
}

/** How a pair should be written that YAML takes for text; undefined: it looks like none. */
export function hintOfPair(text: string): string | undefined {
  const [, key, value] = /^([A-Za-z][\w-]*)(?::|\s*=\s*)([^\s:]\S*)/.exec(text) ?? []
  return key === undefined ? undefined : `a colon and a space stand between key and value: write ${shown(`${key}: ${value}`)}`
}

/** As a value of YAML that is surely text. */
function quoted(text: string): string {
  return /["\\]/.test(text) ? `'${text.replaceAll("'", "''")}'` : `"${text}"`
}

function shown(text: string): string {
  return text.length > MOST_SHOWN ? `${text.slice(0, MOST_SHOWN)}…` : text
}

function oneLine(message: string): string {
  const line = message.replace(/\s+/g, ' ').trim().slice(0, 200)
  return `${line.charAt(0).toLowerCase()}${line.slice(1)}`
}

function lineFrom(text: string, start: number): string {
  const end = text.indexOf('\n', start)
  return text.slice(start, end < 0 ? text.length : end).replace(/\r$/, '')
}

/** Every token, those inside others too. Not deep: deeper nesting was refused before. */
function* allOf(tokens: readonly (CST.Token | null | undefined)[]): Generator<CST.Token> {
  for (const token of tokens) {
    if (!token) continue
    yield token
    if (token.type === 'document') yield* allOf([token.value])
    if ('items' in token) for (const item of token.items) yield* allOf([item.key, item.value])
  }
}

function isQuoted(token: CST.Token): token is CST.FlowScalar {
  return token.type === 'double-quoted-scalar' || token.type === 'single-quoted-scalar'
}

function isOpen(token: CST.Token): boolean {
  if (isQuoted(token)) return !/^(?:"(?:[^"\\]|\\[\s\S])*"|'(?:[^']|'')*')$/.test(token.source)
  if (token.type !== 'flow-collection') return false
  return !token.end.some(({ source }) => source === CLOSING[token.start.source])
}

function first(token: CST.Token): string {
  return token.type === 'flow-collection' ? token.start.source : 'source' in token ? token.source.charAt(0) : ''
}
