/** Bytes → MessageText. */
import { Buffer, isUtf8 } from 'node:buffer'
import { type Borders, findBorders } from '../core/borders.ts'
import type { Complaint, Spot } from '../core/fault.ts'
import { showSafely } from '../core/text.ts'
import { readFrontMatter } from './frontmatter.ts'
import { lineStarts, spotAt } from './lines.ts'
import type { Limits, Parsed, Values } from './types.ts'

// biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what this finds
const CONTROL = /[\u0000-\u0008\u000b\u000c\u000e-\u001f\u007f-\u009f]|\r(?!\n)|(?<=\n)\ufeff/
const NO_VALUES: Values = Object.freeze(Object.create(null) as Values)

function refuse(code: Complaint['code'], what: string, spot: Spot | undefined, incomplete = false): Parsed {
  return { ok: false, complaints: [{ code, spot, what }], incomplete }
}

function view(bytes: Uint8Array): Buffer {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
}

/** Where the bytes stop being UTF-8: the first replacement character of a forgiving reading that is not in the bytes. */
function firstBadByte(bytes: Buffer, text: string): Spot {
  let at = 0
  let line = 1
  let column = 1
  for (const character of text) {
    const code = character.codePointAt(0) ?? 0
    if (code === 0xfffd && !(bytes[at] === 0xef && bytes[at + 1] === 0xbf && bytes[at + 2] === 0xbd)) break
    at += code < 0x80 ? 1 : code < 0x800 ? 2 : code < 0x10000 ? 3 : 4
    column++
    if (code === 10) [line, column] = [line + 1, 1]
  }
  return { line, column }
}

/** What it most likely is instead, so that it can be converted; of one byte for each character there is no way to be sure. */
function notUtf8(bytes: Buffer, text: string): string {
  const [first, second] = bytes
  if ((first === 0xff && second === 0xfe) || (first === 0xfe && second === 0xff)) return 'this is not valid UTF-8; it looks like UTF-16'
  // Five bytes mean nothing there, and text has no NUL.
  const isOdd = /[\0\u0081\u008d\u008f\u0090\u009d]/.test(bytes.toString('latin1'))
  // UTF-8 with a byte too few or too many: converted, each of its good characters would become two or three.
  const isNearlyUtf8 = /[^\0-\x7f\ufffd]/.test(text) || bytes.includes('\ufffd')
  return isOdd || isNearlyUtf8 ? 'this is not valid UTF-8' : 'this is not valid UTF-8; it looks like WINDOWS-1252'
}

/** The bytes that hold whole characters: a prefix of a file may end within one. */
function wholeCharacters(bytes: Buffer): Buffer {
  for (let back = 1; back <= Math.min(3, bytes.length); back++) {
    const byte = bytes[bytes.length - back] ?? 0
    if (byte < 0x80) break
    if (byte >= 0xc0) return back < (byte >= 0xf0 ? 4 : byte >= 0xe0 ? 3 : 2) ? bytes.subarray(0, bytes.length - back) : bytes
  }
  return bytes
}

function firstEol(text: string): '\n' | '\r\n' {
  const at = text.indexOf('\n')
  return at > 0 && text[at - 1] === '\r' ? '\r\n' : '\n'
}

function readText(text: string, borders: Borders, limits: Limits): Parsed {
  switch (borders.kind) {
    case 'none':
      if (!/\S/.test(text)) return refuse('bad-front-matter', 'the file is empty', undefined, true)
      return {
        ok: true,
        message: {
          text,
          hasFrontMatter: false,
          eol: firstEol(text),
          bodyAt: text.startsWith('\ufeff') ? 1 : 0,
          values: NO_VALUES,
          written: NO_VALUES,
          spots: new Map(),
        },
      }
    case 'unclosed':
      return refuse('bad-front-matter', 'the front matter is opened by --- and never closed', { line: 1, column: 1 }, true)
    case 'inexact':
      return refuse('bad-front-matter', `a line that begins with --- must be exactly ---, not ${showSafely(JSON.stringify(borders.content))}`, {
        line: borders.line,
        column: 1,
      })
    case 'found':
      break
  }
  const { from, to, closeAt, bodyAt, eol } = borders
  // A UTF-16 unit is at most three bytes of UTF-8, so most front matter needs no counting.
  if ((to - from) * 3 > limits.frontMatterBytes && Buffer.byteLength(text.slice(from, to)) > limits.frontMatterBytes) {
    return refuse('too-large', `the front matter is larger than ${limits.frontMatterBytes} bytes`, { line: 1, column: 1 })
  }
  const source = text.slice(from, to)
  // With the line end before it: a byte order mark that begins a line is none of a key's letters, and yet in its way.
  const control = CONTROL.exec(text.slice(from - 1, closeAt))
  if (control) {
    const what = `the front matter has a control character (${showSafely(control[0])})`
    return refuse('bad-encoding', what, spotAt(lineStarts(text.slice(0, closeAt)), from - 1 + control.index))
  }
  const reading = readFrontMatter(source, limits)
  if (!reading.ok) return { ok: false, complaints: reading.complaints, incomplete: false }
  return { ok: true, message: { text, hasFrontMatter: true, eol, bodyAt, ...reading.front } }
}

/** The whole of a message's file. Any bytes; time is linear in their number. */
export function parseMessage(bytes: Uint8Array, limits: Limits): Parsed {
  const buffer = view(bytes)
  const text = buffer.toString('utf8')
  if (!isUtf8(buffer)) return refuse('bad-encoding', notUtf8(buffer, text), firstBadByte(buffer, text))
  return readText(text, findBorders(text), limits)
}

/** A prefix of a message's file that holds at least its front matter; what is cut from the body is not looked at. */
export function parseHead(bytes: Uint8Array, limits: Limits): Parsed {
  const buffer = wholeCharacters(view(bytes))
  const text = buffer.toString('utf8')
  const borders = findBorders(text)
  if (!isUtf8(buffer)) {
    // A replacement character is never shorter than the bytes it stands for, so this covers the front matter's bytes.
    const front = borders.kind === 'found' ? buffer.subarray(0, Buffer.byteLength(text.slice(0, borders.bodyAt))) : buffer
    if (!isUtf8(front)) return refuse('bad-encoding', notUtf8(buffer, text), firstBadByte(buffer, text))
  }
  return readText(text, borders, limits)
}
