/** Front matter and body of a text, by one linear look: no regular expression over the whole, nothing is run. */
import type { Spot } from './fault.ts'

export type Split =
  /** `yaml` begins on line 2 of the text. */
  Readonly<{ kind: 'parts'; yaml: string; body: string }> | Readonly<{ kind: 'plain'; body: string }> | Readonly<{ kind: 'bad'; spot: Spot; what: string }>

/**
 * Front matter stands between a first line that is exactly `---` and the next such line; a BOM is skipped, CRLF is fine.
 * Any other first line that begins with `---` is refused: `---js` is an order to run code where other parsers are concerned.
 */
export function splitFrontMatter(text: string): Split {
  const start = text.startsWith('\ufeff') ? 1 : 0
  if (!text.startsWith('---', start)) return { kind: 'plain', body: text.slice(start) }
  const first = lineAt(text, start)
  if (first.text !== '---') return { kind: 'bad', spot: { line: 1, column: 4 }, what: 'the first line must be exactly ---' }
  for (let at = first.next; at < text.length; ) {
    const line = lineAt(text, at)
    if (line.text === '---') return { kind: 'parts', yaml: text.slice(first.next, at), body: text.slice(line.next) }
    at = line.next
  }
  return { kind: 'bad', spot: { line: 1, column: 1 }, what: 'the front matter is not closed: a second line --- is missing' }
}

function lineAt(text: string, at: number): { text: string; next: number } {
  const end = text.indexOf('\n', at)
  const stop = end < 0 ? text.length : end
  const line = text.slice(at, stop)
  return { text: line.endsWith('\r') ? line.slice(0, -1) : line, next: end < 0 ? text.length : end + 1 }
}
