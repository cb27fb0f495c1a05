/** Where each top-level key of a front matter stands in the text. */
import type { Node, Pair } from 'yaml'
import { isCollection, isScalar } from 'yaml'
import { type Layout, layOutPlain, type Place } from '../core/rewrite.ts'
import { type Lines, lineAt, lineStarts } from './lines.ts'
import { compose, keyOf } from './strict.ts'

/** `head`: the text up to the closing line; `from`: where the front matter begins in it. */
export function layOut(head: string, from: number): Layout {
  const plain = layOutPlain(head, from)
  if (plain) return plain
  const source = head.slice(from - 1) // with the line end before it, so that it reads as the parser reads it
  const shift = from - 1
  const places = new Map<string, Place>()
  const composition = compose(source)
  if (!composition.ok) throw new Error(`rewrite needs front matter that parses: ${composition.complaints[0]?.what ?? ''}`)
  const { map } = composition.composed
  const lines = lineStarts(source)
  const indent = (map.items[0]?.key.range?.[0] ?? 1) - (lines[lineAt(lines, map.items[0]?.key.range?.[0] ?? 1)] ?? 1)
  let keepsBlanks = false
  map.items.forEach((pair, index) => {
    const place = placeOf(source, lines, pair, map.items[index + 1], indent)
    const { from: start, to, colonEnd, valueAt, valueEnd } = place
    const removeTo = shift + (keepsBlanks ? afterBlankLines(source, to) : to)
    keepsBlanks ||= /[|>]\d?\+/.test(source.slice(start, to))
    places.set(keyOf(pair), {
      ...place,
      from: shift + start,
      to: shift + to,
      removeTo,
      colonEnd: shift + colonEnd,
      valueAt: shift + valueAt,
      valueEnd: shift + valueEnd,
    })
  })
  return { places, indent: ' '.repeat(indent) }
}

function placeOf(
  source: string,
  lines: Lines,
  pair: Pair<Node, Node | null>,
  next: Pair<Node, Node | null> | undefined,
  indent: number,
): Omit<Place, 'removeTo'> {
  const keyLine = lineAt(lines, pair.key.range?.[0] ?? 0)
  const nextLine = next ? lineAt(lines, next.key.range?.[0] ?? 0) : lines.length - 1
  const separators = pair.srcToken && 'sep' in pair.srcToken ? (pair.srcToken.sep ?? []) : []
  const colon = separators.find((token) => token.type === 'map-value-ind')
  if (!colon) throw new Error('a key without a colon was composed')
  const colonEnd = colon.offset + 1
  const value = pair.value
  const [start, end] = value?.range && value.range[1] > value.range[0] ? [value.range[0], value.range[1]] : [colonEnd, colonEnd]
  const isBlock =
    value !== null && ((isCollection(value) && !value.flow) || (isScalar(value) && (value.type === 'BLOCK_LITERAL' || value.type === 'BLOCK_FOLDED')))
  const from = lines[keyLine] ?? 0
  const lastLine = isBlock ? lastOwnLine(source, lines, keyLine, nextLine, indent) : lineAt(lines, Math.max(end - 1, colonEnd - 1))
  const comment = separators.find((token) => token.type === 'comment' && lineAt(lines, token.offset) === keyLine)?.source ?? ''
  const to = lines[lastLine + 1] ?? source.length
  return { from, to, colonEnd, valueAt: start, valueEnd: end, singleLine: lastLine === keyLine && !isBlock, comment }
}

function afterBlankLines(source: string, from: number): number {
  let at = from
  const blank = /[ \r]*\n/y
  blank.lastIndex = at
  while (blank.test(source)) at = blank.lastIndex
  return at
}

/** A block ends before the blank lines and the comments that stand between it and the next key. */
function lastOwnLine(source: string, lines: Lines, keyLine: number, nextLine: number, indent: number): number {
  let last = nextLine - 1
  while (last > keyLine) {
    const line = source.slice(lines[last], lines[last + 1])
    // Blank to YAML: any other white space is a value's.
    const content = line.search(/[^ \t\r\n]/)
    if (content !== -1 && !(line[content] === '#' && content <= indent)) break
    last--
  }
  return last
}
