/** Text that came from outside, made safe to show and to put into a file's name. */

// biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what this finds
const UNSAFE = /[\u0000-\u001f\u007f-\u009f\u061c\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff]|\udb40[\udc00-\uddef]/g

/**
 * Control, direction-changing and invisible characters (also Unicode's tags, in which whole texts can hide) shown as escapes, so that a
 * terminal, a page or its reader cannot be fooled by them.
 */
export function showSafely(text: string): string {
  return text.replace(UNSAFE, (c) => {
    if (c === '\n') return '\\n'
    if (c === '\t') return '\\t'
    if (c === '\r') return '\\r'
    const code = c.codePointAt(0) ?? 0
    if (code > 0xffff) return `\\u{${code.toString(16)}}`
    return code < 0x100 ? `\\x${code.toString(16).padStart(2, '0')}` : `\\u${code.toString(16).padStart(4, '0')}`
  })
}

/** As `showSafely`, but line breaks and tabs stay: for bodies. */
export function showBodySafely(text: string): string {
  return text.replace(UNSAFE, (c) => (c === '\n' || c === '\t' ? c : showSafely(c)))
}

/** ASCII words of a subject for a file's name: `Review: Operating Agreement!` → `review-operating-agreement`; at most 40 characters, never empty. */
export function slugOf(text: string): string {
  const ascii = text
    .slice(0, 400)
    .normalize('NFKD')
    .replace(/[\u0300-\u036f]/g, '')
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, '-')
    .replace(/^-+|-+$/g, '')
  return ascii.slice(0, 40).replace(/-+$/, '') || 'message'
}

/** One line of at most `limit` characters, cut at a whole character. */
export function oneLine(text: string, limit = 200): string {
  const line = text.replace(/\s+/g, ' ').trim()
  if (line.length <= limit) return line
  let end = limit - 1
  if (/[\ud800-\udbff]/.test(line[end - 1] ?? '')) end--
  return `${line.slice(0, end)}…`
}

/** Of one name in a folder, on every file system of Linux. */
export const MOST_NAME_BYTES = 255

/** The first so many bytes of it, cut at a whole character. */
export function cutToBytes(text: string, most: number): string {
  if (Buffer.byteLength(text) <= most) return text
  let left = most
  let end = 0
  for (const character of text) {
    left -= Buffer.byteLength(character)
    if (left < 0) break
    end += character.length
  }
  return text.slice(0, end)
}

/** `1 task`, `3 tasks`, `2 people`; `many` where an s is not enough. */
export function counted(count: number, one: string, many = `${one}s`): string {
  return `${count} ${count === 1 ? one : many}`
}

/**
 * A word as a POSIX shell reads it back: for the commands in `fix:`. Given raw: what `showSafely` would escape is written `$'\033'`
 * (bash, zsh, POSIX of 2024), so that the command is safe to show and still means the very file. Bytes: of a name that is no text.
 */
export function shellWord(text: string | Buffer): string {
  if (typeof text !== 'string') return `$'${text.toString('latin1').replace(/[^A-Za-z0-9_./:@%+=-]/g, (c) => octal(Buffer.from(c, 'latin1')))}'`
  if (/^[A-Za-z0-9_./:@%+=-]+$/.test(text)) return text
  if (showSafely(text) === text) return `'${text.replace(/'/g, `'\\''`)}'`
  const inOctal = (character: string): string => octal(Buffer.from(character))
  return `$'${text.replace(/['!\\]/g, inOctal).replace(UNSAFE, inOctal)}'`
}

/** A file's path as a shell's word: `raw` are the bytes of its name where that is no text. */
export function shellPath(folder: string, name: string, raw: Buffer | undefined): string {
  return shellWord(raw === undefined ? `${folder}/${name}` : Buffer.concat([Buffer.from(`${folder}/`), raw]))
}

function octal(bytes: Buffer): string {
  return [...bytes].map((byte) => `\\${byte.toString(8).padStart(3, '0')}`).join('')
}

/** A copy that keeps nothing else alive: a slice of a long text holds all of that text in memory for as long as it lives (V8). */
export function ownText(text: string): string {
  return Buffer.from(text).toString()
}
