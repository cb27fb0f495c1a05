/**
 * Strict YAML with places: text → a plain tree in which every value knows its line and column.
 * Refused: duplicate keys, anchors, aliases, tags, directives, several documents, control characters, nesting beyond 32.
 */
import { createRequire } from 'node:module'
import type { CST, LineCounter, Node } from 'yaml'
import type { Spot } from '../core/fault.ts'
import { mistakeOf } from '../core/mistakes.ts'

export type Entry = Readonly<{ key: string; keySpot: Spot; value: Located /** 1-based lines of the file. */; firstLine: number; lastLine: number }>

export type Located = Readonly<
  { spot: Spot } & (
    | { kind: 'map'; block: boolean; entries: readonly Entry[] }
    | { kind: 'list'; items: readonly Located[] }
    | { kind: 'scalar'; value: string | number | boolean | null }
  )
>

export type Report = (spot: Spot | undefined, what: string, near?: string) => void

type Yaml = typeof import('yaml')
let loaded: Yaml | undefined
/** Loaded with the first text: `penny init` writes a configuration and reads none, and the parser is a third of its start. */
const yaml = (): Yaml => (loaded ??= createRequire(import.meta.url)('yaml') as Yaml)

const DEEPEST = 32
const TOO_DEEP = `nested deeper than ${DEEPEST}`
const OPTIONS = { version: '1.2', schema: 'core', uniqueKeys: true, stringKeys: true, strict: true, prettyErrors: false } as const
/** What the parser says once for each place. */
const OWN_PLACES: readonly string[] = ['DUPLICATE_KEY', 'TAG_RESOLVE_FAILED']
const MOST_COMPLAINTS = 10
// biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what this finds
const CONTROL = /[\u0000-\u0008\u000b\u000c\u000e-\u001f\u007f-\u0084\u0086-\u009f]/

/** The tree of `text`, whose first line is line `firstLine` of its file; undefined where something was reported, or where there is no value at all. */
export function readYaml(text: string, firstLine: number, report: Report): Located | undefined {
  const { isAlias, isMap, isScalar, isSeq, LineCounter } = yaml()
  const lines = new LineCounter()
  const spotAt = (offset: number): Spot => {
    const at = lines.linePos(Math.max(0, Math.min(offset, text.length)))
    return { line: Math.max(1, at.line) + firstLine - 1, column: Math.max(1, at.col) }
  }
  const root = compose(text, lines, spotAt, report)
  if (root === null) return undefined
  let sound = true
  const refuse = (spot: Spot, what: string): Located => {
    sound = false
    report(spot, what)
    return { spot, kind: 'scalar', value: null }
  }

  const locate = (node: unknown, fallback: Spot): Located => {
    const range = (node as Node | null)?.range
    const spot = range ? spotAt(range[0]) : fallback
    if (isAlias(node)) return refuse(spot, `aliases (*${node.source}) are not used here: write the value out, or in quotes if it is text`)
    if ((isMap(node) || isSeq(node) || isScalar(node)) && node.anchor !== undefined)
      return refuse(spot, `anchors (&${node.anchor}) are not used here; text that begins with & stands in quotes`)
    if ((isMap(node) || isSeq(node) || isScalar(node)) && node.tag !== undefined) return refuse(spot, `tags (${node.tag}) are not used here`)
    if (isMap(node)) {
      const entries = node.items.map((pair): Entry => {
        const key = locate(pair.key, spot)
        const value = locate(pair.value, key.spot)
        const end = (pair.value as Node | null)?.range?.[1] ?? (pair.key as Node | null)?.range?.[1] ?? 0
        const name = key.kind === 'scalar' && typeof key.value === 'string' ? key.value : ''
        return { key: name, keySpot: key.spot, value, firstLine: key.spot.line, lastLine: Math.max(key.spot.line, lastLineOf(text, end, spotAt)) }
      })
      return { spot, kind: 'map', block: node.flow !== true, entries }
    }
    if (isSeq(node)) return { spot, kind: 'list', items: node.items.map((item) => locate(item, spot)) }
    if (isScalar(node)) return { spot, kind: 'scalar', value: plain(node.value) }
    return { spot, kind: 'scalar', value: null }
  }

  const tree = locate(root, { line: firstLine, column: 1 })
  return sound ? tree : undefined
}

/** The parser's own tree, once it is known to be harmless; null where something was reported, or where there is no value. */
function compose(text: string, lines: LineCounter, spotAt: (offset: number) => Spot, report: Report): Node | null {
  const { Composer, Parser } = yaml()
  const tokens = [...new Parser(lines.addNewLine).parse(text)]
  const unfit = CONTROL.exec(text) ?? /^%/m.exec(text)
  if (unfit) {
    const what =
      unfit[0] === '%'
        ? 'YAML directives (%…) are not used here'
        : `a control character (U+${unfit[0].charCodeAt(0).toString(16).padStart(4, '0')}) has no place here`
    report(spotAt(unfit.index), what)
    return null
  }
  const deep = offsetTooDeep(tokens)
  if (deep !== undefined) {
    report(spotAt(deep), TOO_DEEP)
    return null
  }
  const [document, another] = new Composer(OPTIONS).compose(tokens, true, text.length)
  const complaints = [...(document?.errors ?? []), ...(document?.warnings ?? [])]
  const own = complaints.filter(({ code }) => OWN_PLACES.includes(code))
  for (const { code, pos } of own.slice(0, MOST_COMPLAINTS)) report(spotAt(pos[0]), sentence(code, wordAt(text, pos[0])))
  // One broken line makes the parser complain of those after it.
  const [broken] = complaints.filter(({ code }) => !OWN_PLACES.includes(code))
  if (broken) {
    const { offset, what } = mistakeOf(text, tokens, { code: broken.code, message: broken.message, offset: broken.pos[0] })
    report(spotAt(offset), what)
  }
  if (another) report(spotAt(another.range[0]), 'a second YAML document (---) begins here; a file holds one')
  if (complaints.length > 0 || another) return null
  return document?.contents ?? null
}

/**
 * The place of a collection nested too deeply, if there is one; found without recursion. The composer does recurse, and a
 * regular expression compiled at the very end of the stack ends the whole process (V8: "RegExpCompiler Allocation failed").
 */
function offsetTooDeep(tokens: readonly CST.Token[]): number | undefined {
  const open = tokens.map((token) => ({ token, depth: 0 }))
  for (let at = open.pop(); at; at = open.pop()) {
    const { token, depth } = at
    if (depth > DEEPEST) return token.offset
    if (token.type === 'document' && token.value) open.push({ token: token.value, depth })
    if (!('items' in token)) continue
    for (const item of token.items) for (const inner of [item.key, item.value]) if (inner) open.push({ token: inner, depth: depth + 1 })
  }
  return undefined
}

/** A value's range may end behind its line break: the line of its last character is meant. */
function lastLineOf(text: string, end: number, spotAt: (offset: number) => Spot): number {
  let last = end
  while (last > 0 && /\s/.test(text[last - 1] ?? '')) last--
  return spotAt(Math.max(0, last - 1)).line
}

function plain(value: unknown): string | number | boolean | null {
  return typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean' ? value : null
}

function wordAt(text: string, offset: number): string {
  return /^[^\s:]{1,64}/.exec(text.slice(offset, offset + 64))?.[0] ?? ''
}

function sentence(code: string, word: string): string {
  return code === 'DUPLICATE_KEY' ? `the key ${word} stands here twice` : `tags (${word}) are not used here; text that begins with ! stands in quotes`
}
