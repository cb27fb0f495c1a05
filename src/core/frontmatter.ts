/** Front matter and body of a text, by the borders that every reader goes by (borders.ts): nothing is run. */
import { findBorders } from './borders.ts'
import type { Spot } from './fault.ts'

export type Split =
  /** `yaml` begins on line 2 of the text. */
  Readonly<{ kind: 'parts'; yaml: string; body: string }> | Readonly<{ kind: 'plain'; body: string }> | Readonly<{ kind: 'bad'; spot: Spot; what: string }>

/**
 * Front matter stands between a first line that is exactly `---` and the next such line; a BOM is skipped, CRLF is fine.
 * Any other line before that which begins with `---` is refused: `---js` is an order to run code where other parsers are concerned.
 */
export function splitFrontMatter(text: string): Split {
  const borders = findBorders(text)
  switch (borders.kind) {
    case 'none':
      return { kind: 'plain', body: text.startsWith('\ufeff') ? text.slice(1) : text }
    case 'found':
      return { kind: 'parts', yaml: text.slice(borders.from, borders.closeAt), body: text.slice(borders.bodyAt) }
    case 'inexact':
      return { kind: 'bad', spot: { line: borders.line, column: 4 }, what: 'a line that begins with --- must be exactly ---' }
    case 'unclosed':
      return { kind: 'bad', spot: { line: 1, column: 1 }, what: 'the front matter is not closed: a second line --- is missing' }
  }
}
