/** Changes single keys of a front matter in its text: only the lines that must change, never the body. */
import { findBorders } from './borders.ts'
import type { Value } from './message.ts'
import { readPlain } from './plain.ts'
import { writeKey, writeValue } from './yamltext.ts'

/** Where a top-level key stands in the text. */
export type Place = Readonly<{
  /** The key's whole lines: from the start of its own to after the last line end of its value. */
  from: number
  to: number
  /** Where a removal ends: after the blank lines too, if a value above (`|+`) would take them for its own. */
  removeTo: number
  /** Offset after the colon. */
  colonEnd: number
  /** Offsets of the value, where it is on the key's own line. */
  valueAt: number
  valueEnd: number
  singleLine: boolean
  /** The comment on the key's line, where the value is on others. */
  comment: string
}>

/** Where each stands; `indent` is what its lines begin with. */
export type Layout = Readonly<{ places: ReadonlyMap<string, Place>; indent: string }>

/** `head`: the text up to the closing line; `from`: where the front matter begins in it. undefined: not known. */
export type LayOut = (head: string, from: number) => Layout | undefined

export type Edits = Readonly<Record<string, Value | undefined>>

type Change = Readonly<{ from: number; to: number; text: string }>

const BOM = '\ufeff'

/** A key that is not yet there, as whole lines. */
function newLines(key: string, value: Value, indent: string, eol: string): string {
  const { head, lines } = writeValue(value)
  const first = head === '' ? `${writeKey(key)}:` : `${writeKey(key)}: ${head}`
  return [first, ...lines].map((line) => (line === '' ? '' : indent + line) + eol).join('')
}

/** The changes that give the key at `place` another value; its name, its comment and the space around them stay. */
function replaceValue(text: string, place: Place, value: Value, indent: string, eol: string): Change[] {
  const { head, lines } = writeValue(value)
  const after = head.startsWith('|') ? withoutSpaces(text, place.to) : []
  const under = lines.map((line) => (line === '' ? '' : indent + line) + eol).join('')
  if (!place.singleLine) {
    const comment = place.comment === '' ? '' : ` ${place.comment}`
    return [{ from: place.colonEnd, to: place.to, text: `${head === '' ? '' : ` ${head}`}${comment}${eol}${under}` }, ...after]
  }
  const keepsSpace = place.valueAt > place.colonEnd && head !== ''
  const changes: Change[] = [{ from: keepsSpace ? place.valueAt : place.colonEnd, to: place.valueEnd, text: keepsSpace || head === '' ? head : ` ${head}` }]
  if (under !== '') changes.push({ from: place.to, to: place.to, text: under })
  return [...changes, ...after]
}

/** Lines of blanks that come to stand after a block would be its last lines; without any blanks they are not. */
function withoutSpaces(text: string, at: number): Change[] {
  const blank = /(?:[ \t]*\r?\n)*[ \t]+\r?\n/y
  blank.lastIndex = at
  const [lines] = blank.exec(text) ?? []
  return lines === undefined ? [] : [{ from: at, to: at + lines.length, text: lines.replace(/[ \t]/g, '') }]
}

/** Lines put in at the start of a line that goes come before it is gone; those put in at one place stay in their order. */
function apply(text: string, changes: readonly Change[]): string {
  let result = ''
  let at = 0
  for (const { from, to, text: replacement } of changes.toSorted((a, b) => a.from - b.from || a.to - b.to)) {
    result += text.slice(at, from) + replacement
    at = to
  }
  return result + text.slice(at)
}

/** Of front matter whose every line is plain. */
export function layOutPlain(head: string, from: number): Layout | undefined {
  const source = head.slice(from - 1) // with the line end before it, so that it reads as the parser reads it
  const shift = from - 1
  const entries = readPlain(source)
  if (!entries) return undefined
  const places = new Map<string, Place>()
  for (const { key, keyAt, colonEnd, valueAt, valueEnd } of entries) {
    const lineEnd = source.indexOf('\n', valueEnd) + 1
    places.set(key, {
      from: shift + keyAt,
      to: shift + lineEnd,
      removeTo: shift + lineEnd,
      colonEnd: shift + colonEnd,
      valueAt: shift + valueAt,
      valueEnd: shift + valueEnd,
      singleLine: true,
      comment: '',
    })
  }
  return { places, indent: '' }
}

/**
 * Sets top-level keys (undefined removes one) and returns the new text. New keys come last, in the order given; a text without
 * front matter gets one. undefined: the layout is not known. Throws on front matter that is not whole.
 */
export function rewriteBy(layOut: (head: string, from: number) => Layout, text: string, edits: Edits): string
export function rewriteBy(layOut: LayOut, text: string, edits: Edits): string | undefined
export function rewriteBy(layOut: LayOut, text: string, edits: Edits): string | undefined {
  const borders = findBorders(text)
  if (borders.kind === 'none') {
    const at = text.startsWith(BOM) ? 1 : 0
    const newline = text.indexOf('\n')
    const eol = newline > 0 && text[newline - 1] === '\r' ? '\r\n' : '\n'
    const lines = Object.entries(edits).map(([key, value]) => (value === undefined ? '' : newLines(key, value, '', eol)))
    return `${text.slice(0, at)}---${eol}${lines.join('')}---${eol}${text.slice(at)}`
  }
  if (borders.kind !== 'found') throw new Error(`rewrite needs whole front matter; this one is ${borders.kind}`)
  const { closeAt, eol } = borders
  const layout = layOut(text.slice(0, closeAt), borders.from)
  if (!layout) return undefined
  const { places, indent } = layout
  const changes: Change[] = []
  let added = ''
  for (const [key, value] of Object.entries(edits)) {
    const place = places.get(key)
    if (place && value === undefined) changes.push({ from: place.from, to: place.removeTo, text: '' }, ...withoutSpaces(text, place.removeTo))
    else if (place && value !== undefined) changes.push(...replaceValue(text, place, value, indent, eol))
    else if (value !== undefined) added += newLines(key, value, indent, eol)
  }
  if (added !== '') changes.push({ from: closeAt, to: closeAt, text: added })
  return apply(text, changes)
}
