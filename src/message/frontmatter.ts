/**
 * The one guarded door to gray-matter, which by itself runs the code in `---js`, caches by content and is quadratic in blank lines.
 * It is given a text whose first and last line are `---` and were put there by us, never a body, always options; every engine but
 * ours refuses. Its `stringify` parses again and is never used.
 */
import matter from 'gray-matter'
import type { Complaint } from '../core/fault.ts'
import type { Value } from '../core/message.ts'
import { readPlain } from '../core/plain.ts'
import { readStrict } from './strict.ts'
import type { FrontReading, Limits } from './types.ts'

/** gray-matter looks for comments with `/^\s*#/gm`, whose cost is the square of the lines in one run of white space - what JavaScript takes for a line. */
const MAX_BLANK_LINES = 32

function refuse(): never {
  throw new Error('front matter is YAML; no other language is read')
}

/** By the fast way where that is sure, else the strict one. `text` begins with the end of the line `---` and ends before the next one. */
export function readFront(text: string, leavesRoom = false): FrontReading {
  const entries = readPlain(text)
  if (!entries) return readStrict(text, leavesRoom)
  const values = Object.create(null) as Record<string, Value>
  const spots = new Map<string, { line: number; column: number }>()
  for (const { key, value, line } of entries) {
    values[key] = value
    spots.set(key, { line, column: 1 })
  }
  return { ok: true, front: { values, written: values, spots } }
}

const REFUSING = Object.fromEntries(
  ['javascript', 'js', 'coffee', 'coffeescript', 'cson', 'json', 'toml'].map((name) => [name, { parse: refuse, stringify: refuse }]),
)

function optionsFor(leavesRoom: boolean) {
  const yaml = { parse: (text: string) => ({ text, reading: readFront(`${text}\n`, leavesRoom) }), stringify: refuse }
  return { language: 'yaml', delimiters: '---', engines: Object.assign(Object.create(null) as Record<string, never>, { yaml, ...REFUSING }), excerpt: false }
}

const OPTIONS = optionsFor(false)
const OPTIONS_WITH_ROOM = optionsFor(true)

/** Where `^` matches (ECMA-262, LineTerminator); \r only ever stands before \n here, and the two are one. */
const LINE_ENDS = /[\n\u2028\u2029]/g
/** A line end and the white space around it, up to the next thing that is none. */
const BLANK = /\s+/g

/** The line (of the text, ended by \n) after a run of more blank lines than allowed, if there is one. Linear: each run is looked at once. */
function blankRun(text: string): number | undefined {
  for (const { 0: run, index } of text.matchAll(BLANK)) {
    if (run.length <= MAX_BLANK_LINES) continue
    // At the start of the text the first line is blank as well.
    const lines = run.split(LINE_ENDS).length - (index === 0 ? 1 : 2)
    if (lines <= MAX_BLANK_LINES) continue
    const [end] = [...run.matchAll(LINE_ENDS)].slice(MAX_BLANK_LINES)
    return text.slice(0, index + (end?.index ?? 0)).split('\n').length
  }
  return undefined
}

/** `source`: the text between the lines `---`, in a file whose line 1 is the first of them. */
export function readFrontMatter(source: string, { leavesRoom = false }: Pick<Limits, 'leavesRoom'> = {}): FrontReading {
  const run = blankRun(source)
  if (run !== undefined) {
    const complaint: Complaint = {
      code: 'bad-front-matter',
      spot: { line: run + 1, column: 1 },
      what: `front matter has more than ${MAX_BLANK_LINES} blank lines in a row`,
    }
    return { ok: false, complaints: [complaint] }
  }
  const refusal = (what: string): FrontReading => ({ ok: false, complaints: [{ code: 'bad-front-matter', spot: { line: 1, column: 1 }, what }] })
  const data: { text?: string; reading?: FrontReading } = matter(`---\n${source}\n---\n`, leavesRoom ? OPTIONS_WITH_ROOM : OPTIONS).data
  // gray-matter asks no engine where nothing but comments is left.
  if (!data.reading || (data.reading.ok && data.reading.front.spots.size === 0)) return refusal('the front matter is empty')
  // It ends at any line that begins with ---; the borders were found so that there is none, and this proves it.
  return data.text === `\n${source}` ? data.reading : refusal('a line in the front matter begins with ---')
}
