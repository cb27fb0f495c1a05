/** What commands print: tables, JSON lines, refusals. Colour is never the only sign. */
import { styleText } from 'node:util'
import { shellWord, showBodySafely, showSafely } from '../core/text.ts'
import { typedAgain } from './again.ts'
import type { Call, Surroundings } from './command.ts'
import { AGAIN, type Refusal, UP } from './exit.ts'
import { byWhoMay } from './rights.ts'
import { rootMeant, rootWord } from './root.ts'

type Style = 'bold' | 'dim' | 'red' | 'yellow' | 'green'

/** Colours only a terminal, and obeys NO_COLOR (no-color.org) and TERM=dumb. */
export function paint({ surroundings }: Pick<Call, 'surroundings'>, style: Style, text: string): string {
  const { env, stdoutIsTerminal } = surroundings
  return stdoutIsTerminal && !env['NO_COLOR'] && env['TERM'] !== 'dumb' ? styleText(style, text) : text
}

export function say(call: Call, line: string): void {
  call.surroundings.out(`${line}\n`)
}

/** Talk: to standard error. */
export function tell(call: Call, line: string): void {
  call.surroundings.err(`${line}\n`)
}

/** What is shown without a daemon is not all there is to know. */
export function tellNobodyWatches(call: Call, what: string): void {
  tell(call, `the daemon is not running: ${what}   fix: ${fixOf(call.surroundings, UP)}`)
}

/** One object of `--json`; the schema's name is the command's. */
export function sayJson(call: Call, object: object): void {
  call.surroundings.out(`${JSON.stringify({ schema: `penny/${call.name}/1`, ...object })}\n`)
}

/** Rows in columns; every cell is shown safely. `mark` colours a whole line. */
export function sayTable(
  call: Call,
  header: readonly string[],
  rows: readonly (readonly string[])[],
  mark: (row: readonly string[], index: number) => Style | undefined = () => undefined,
): void {
  const safe = rows.map((row) => row.map((cell) => showSafely(cell)))
  const widths = header.map((title, column) => Math.max(width(title), widest(safe, column)))
  const line = (cells: readonly string[]): string =>
    cells.map((cell, column) => (column === cells.length - 1 ? cell : cell + ' '.repeat((widths[column] ?? 0) - width(cell)))).join('  ')
  say(call, paint(call, 'bold', line(header)))
  for (const [index, row] of safe.entries()) {
    const style = mark(row, index)
    say(call, style ? paint(call, style, line(row)) : line(row))
  }
}

function widest(rows: readonly (readonly string[])[], column: number): number {
  return rows.reduce((most, row) => Math.max(most, width(row[column] ?? '')), 0)
}

function width(text: string): number {
  return [...text].length
}

/** What, why, and a command to paste. */
export function printRefusal(surroundings: Surroundings, refusal: Refusal): void {
  const { message, why, fix } = refusal
  const reason = why === '' ? '' : `  why: ${showBodySafely(why).replaceAll('\n', '\n       ')}\n`
  surroundings.err(`${showSafely(message)}\n${reason}  fix: ${fixOf(surroundings, fix)}\n`)
}

/** As it can be pasted by this user. */
export function fixOf(surroundings: Surroundings, fix: string): string {
  if (fix === AGAIN) return typedAgain(surroundings)
  return showSafely(withRoot(surroundings, byWhoMay(surroundings, fix)))
}

/** The same beside what it is about, on a screen. */
export function paintFix(call: Pick<Call, 'surroundings'>, fix: string): string {
  return paint(call, 'dim', fixOf(call.surroundings, fix))
}

/** Where nobody took what was dropped: each half as this user can paste it. */
export function statusOrUp(surroundings: Surroundings): string {
  return `${fixOf(surroundings, 'penny status')} || ${fixOf(surroundings, UP)}`
}

/** Commands of ours mean the same organisation as the one that failed. The environment stays as it is, `--root` does not. */
function withRoot(surroundings: Surroundings, fix: string): string {
  if (rootWord(surroundings.typed) === undefined || /^cd |--root/.test(fix)) return fix
  return fix.replace(/(^|&& |; |\|\| )penny (?!help\b|init\b)([a-z]+)/g, (called) => `${called} --root ${shellWord(rootMeant(surroundings))}`)
}

/** The part of an id that people type: its last eight characters are random. */
export function shortId(id: string): string {
  return id.slice(-8)
}
