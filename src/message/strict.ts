/**
 * The strict reading of front matter: one block mapping in the YAML 1.2 core schema, without anchors, aliases, tags, directives,
 * merge keys, several documents or deep nesting. Every lexical token is looked at before the parser gets it, so what is bounded here
 * is bounded in time; warnings are errors (an unknown tag is only a warning to the library).
 */
import type { Node, Pair, Scalar, YAMLMap } from 'yaml'
import { Composer, CST, isMap, isScalar, isSeq, Lexer, Parser } from 'yaml'
import type { Complaint, Spot } from '../core/fault.ts'
import type { Value } from '../core/message.ts'
import { mistakeOf } from '../core/mistakes.ts'
import { type Lines, lineStarts, spotAt } from './lines.ts'
import type { Front, FrontReading, Values } from './types.ts'

const OPTIONS = { version: '1.2', schema: 'core', uniqueKeys: true, stringKeys: true, strict: true, keepSourceTokens: true } as const
/** Nested collections: attachments are a list of mappings (2), and x-… keys may hold somewhat more. */
const MAX_DEPTH = 8
/** Keys in all mappings together: the library compares each with each. */
const MAX_KEYS = 256
/** Values, dashes, commas and brackets in all: enough for a `blocked_on` that fills 16 KiB with ids. */
const MAX_PARTS = 1600
/** The same with blanks, line ends and comments. */
const MAX_LEXEMES = 6400
/** The share of these that a sender may use up. */
const SENDERS_SHARE = 0.8
const MAX_COMPLAINTS = 8

export type Composed = Readonly<{ map: YAMLMap<Node, Node | null>; lines: Lines }>
export type Composition = Readonly<{ ok: true; composed: Composed } | { ok: false; complaints: readonly Complaint[] }>

const REFUSED: Partial<Record<CST.TokenType, string>> = {
  anchor: 'anchors (&name) are not allowed in front matter; a value that begins with & needs quotes',
  alias: 'aliases (*name) are not allowed in front matter; a value that begins with * needs quotes',
  tag: 'tags (!name) are not allowed in front matter; a value that begins with ! needs quotes',
  'directive-line': 'directives (%…) are not allowed in front matter',
  'doc-start': 'front matter is one document; there is a second one here',
  'doc-end': 'front matter is one document; it is ended here by ...',
  'explicit-key-ind': 'keys are written key: value, without ?',
}

const CHEAP: ReadonlySet<string> = new Set(['space', 'newline', 'comment', 'doc-mode', 'flow-error-end'])

class Refusal extends Error {
  readonly complaint: Complaint
  constructor(what: string, spot: Spot | undefined, code: Complaint['code'] = 'bad-front-matter') {
    super(what)
    this.complaint = { code, spot, what }
  }
}

/** Tokens of the syntax tree, each lexical token checked before. Throws Refusal. */
function* checkedTokens(text: string, lines: Lines, share: number): Generator<CST.Token> {
  const parser = new Parser()
  let offset = 0
  let inScalar = false
  let depth = 0
  let dashes = 0
  let keys = 0
  let parts = 0
  let lexemes = 0
  const refuse = (what: string): never => {
    throw new Refusal(what, spotAt(lines, offset))
  }
  for (const lexeme of new Lexer().lex(text)) {
    const type: CST.TokenType | undefined = inScalar ? undefined : (CST.tokenType(lexeme) ?? undefined)
    inScalar = type === 'scalar'
    const refusal = type ? REFUSED[type] : undefined
    if (refusal !== undefined) refuse(refusal)
    if (type === 'newline') dashes = 0
    if (type === 'seq-item-ind') dashes++
    if (type === 'flow-map-start' || type === 'flow-seq-start') depth++
    if (type === 'flow-map-end' || type === 'flow-seq-end') depth--
    if (depth < 0) refuse(`${lexeme} closes nothing here`)
    if (depth > MAX_DEPTH || dashes > MAX_DEPTH) refuse(`front matter is nested more than ${MAX_DEPTH} deep`)
    if (type === 'map-value-ind' && ++keys > MAX_KEYS * share) refuse(`front matter has more than ${Math.floor(MAX_KEYS * share)} keys`)
    if (type && !CHEAP.has(type)) parts++
    if (parts > MAX_PARTS * share || ++lexemes > MAX_LEXEMES * share) refuse('front matter has too many parts')
    for (const token of parser.next(lexeme)) {
      if (token.type === 'error') {
        const { what, offset: at } = mistakeOf(text, [], { code: '', message: token.message, offset: token.offset })
        throw new Refusal(what, spotAt(lines, at))
      }
      yield token
    }
    // The lexer's own marks (document, scalar, end of a broken flow) are no text.
    if (type !== 'scalar' && type !== 'doc-mode' && type !== 'flow-error-end') offset += lexeme.length
  }
  yield* parser.end()
}

/** `text` is the front matter with the line before it, so that its lines are those of the file. */
export function compose(text: string, leavesRoom = false): Composition {
  const lines = lineStarts(text)
  const complaint = (what: string, offset: number): Complaint => ({ code: 'bad-front-matter', spot: spotAt(lines, offset), what })
  try {
    const tokens = [...checkedTokens(text, lines, leavesRoom ? SENDERS_SHARE : 1)]
    const deep = tooDeep(tokens)
    if (deep !== undefined) return { ok: false, complaints: [complaint(`front matter is nested more than ${MAX_DEPTH} deep`, deep)] }
    const documents = withoutStacks(() => [...new Composer(OPTIONS).compose(tokens, true, text.length)])
    const problems = documents.flatMap((document) => [...document.errors, ...document.warnings])
    if (problems.length > 0) {
      // One broken line makes errors in those after it; keys that stand twice are each their own.
      const twice = problems.every((p) => p.code === 'DUPLICATE_KEY')
      const told = problems.slice(0, twice ? MAX_COMPLAINTS : 1)
      const mistakes = told.map(({ code, message, pos }) =>
        code === 'DUPLICATE_KEY' ? { what: 'the same key stands twice', offset: pos[0] } : mistakeOf(text, tokens, { code, message, offset: pos[0] }),
      )
      return { ok: false, complaints: mistakes.map(({ what, offset }) => complaint(what, offset)) }
    }
    const contents = documents[0]?.contents
    if (documents.length !== 1 || !isMap(contents) || contents.flow) {
      return { ok: false, complaints: [complaint('front matter is lines of the form key: value', contents?.range[0] ?? 1)] }
    }
    return { ok: true, composed: { map: contents, lines } }
  } catch (error) {
    if (error instanceof Refusal) return { ok: false, complaints: [error.complaint] }
    throw error
  }
}

/** The library makes an error for every flaw, thousands in hostile text; nearly all of their cost is the stack, which nobody reads. */
function withoutStacks<T>(work: () => T): T {
  const limit = Error.stackTraceLimit
  Error.stackTraceLimit = 0
  try {
    return work()
  } finally {
    Error.stackTraceLimit = limit
  }
}

/** Offset of a collection nested deeper than allowed, found without recursion: the composer after this recurses. */
function tooDeep(tokens: readonly CST.Token[]): number | undefined {
  let level: CST.Token[] = tokens.flatMap((token) => (token.type === 'document' && token.value ? [token.value] : []))
  for (let depth = 0; level.length > 0; depth++) {
    const inner: CST.Token[] = []
    for (const token of level) {
      if (!('items' in token)) continue
      if (depth > MAX_DEPTH) return token.offset
      for (const item of token.items) {
        if (item.key) inner.push(item.key)
        if (item.value) inner.push(item.value)
      }
    }
    level = inner
  }
  return undefined
}

export function keyOf(pair: Pair<Node, Node | null>): string {
  return String((pair.key as Scalar).value)
}

/** Plain data of a node; `written`: numbers and booleans as they stand in the text. */
function toPlain(node: Node | null, written: boolean, lines: Lines): Value {
  if (node === null) return null
  const refuse = (what: string, code?: Complaint['code']): never => {
    throw new Refusal(what, spotAt(lines, node.range?.[0] ?? 0), code)
  }
  if (isScalar(node)) {
    const value: unknown = node.value
    if (value === null) return null
    if (typeof value === 'string') {
      if (/\p{Surrogate}/u.test(value)) refuse('an escape in this value is half a character', 'bad-encoding')
      return value
    }
    if (typeof value === 'number' || typeof value === 'boolean') return written ? (node.source ?? String(value)) : value
  }
  if (isSeq(node)) return node.items.map((item) => toPlain(item as Node | null, written, lines))
  if (isMap(node)) return mapToPlain(node as unknown as Composed['map'], written, lines)
  return refuse('this is no value that front matter can have')
}

function mapToPlain(map: Composed['map'], written: boolean, lines: Lines): Values {
  const values = Object.create(null) as Record<string, Value>
  for (const pair of map.items) {
    const key = keyOf(pair)
    const spot = (): Spot => spotAt(lines, pair.key.range?.[0] ?? 0)
    if (!isScalar(pair.key) || key === '') throw new Refusal('a key is a word', spot())
    if (key === '<<') throw new Refusal('merge keys (<<) are not allowed in front matter', spot())
    if (/\p{Surrogate}/u.test(key)) throw new Refusal('an escape in this key is half a character', spot(), 'bad-encoding')
    values[key] = toPlain(pair.value, written, lines)
  }
  return values
}

/** `text` as for `compose`. */
export function readStrict(text: string, leavesRoom = false): FrontReading {
  const composition = compose(text, leavesRoom)
  if (!composition.ok) return composition
  const { map, lines } = composition.composed
  try {
    const values = mapToPlain(map, false, lines)
    const written = mapToPlain(map, true, lines)
    const spots = new Map(map.items.map((pair) => [keyOf(pair), spotAt(lines, pair.key.range?.[0] ?? 0)]))
    const front: Front = { values, written, spots }
    return { ok: true, front }
  } catch (error) {
    if (error instanceof Refusal) return { ok: false, complaints: [error.complaint] }
    throw error
  }
}
