/** Where the front matter begins and ends: found by lines alone, before any parser sees the text. Linear. */

export type Borders =
  | Readonly<{ kind: 'none' }>
  | Readonly<{
      kind: 'found'
      /** Offsets of the text between the lines `---`, without its last line end. */
      from: number
      to: number
      /** Offset of the closing line. */
      closeAt: number
      bodyAt: number
      eol: '\n' | '\r\n'
    }>
  | Readonly<{ kind: 'unclosed' }>
  /** A line that begins with `---` and is not exactly that. */
  | Readonly<{ kind: 'inexact'; line: number; content: string }>

const BOM = '\ufeff'

/** Offset after a line that is exactly `---`, whose first character stands at `at`; undefined where more stands on it. */
function afterMark(text: string, at: number): number | undefined {
  const end = at + 3
  if (end === text.length) return end
  if (text[end] === '\n') return end + 1
  return text[end] === '\r' && text[end + 1] === '\n' ? end + 2 : undefined
}

function inexact(text: string, at: number): Borders {
  let line = 1
  for (let next = text.indexOf('\n'); next !== -1 && next < at; next = text.indexOf('\n', next + 1)) line++
  const end = text.indexOf('\n', at)
  return { kind: 'inexact', line, content: text.slice(at, Math.min(end === -1 ? text.length : end, at + 40)).replace(/\r$/, '') }
}

export function findBorders(text: string): Borders {
  const start = text.startsWith(BOM) ? 1 : 0
  if (!text.startsWith('---', start)) return { kind: 'none' }
  const from = afterMark(text, start)
  if (from === undefined) return inexact(text, start)
  if (text[from - 1] !== '\n') return { kind: 'unclosed' }
  const eol = text[from - 2] === '\r' ? '\r\n' : '\n'
  // The first line that begins with --- either closes the front matter or spoils it, so there is one search and no loop.
  const before = text.indexOf('\n---', from - 1)
  if (before === -1) return { kind: 'unclosed' }
  const closeAt = before + 1
  const bodyAt = afterMark(text, closeAt)
  if (bodyAt === undefined) return inexact(text, closeAt)
  const to = closeAt === from ? from : text[before - 1] === '\r' ? before - 1 : before
  return { kind: 'found', from, to, closeAt, bodyAt, eol }
}
