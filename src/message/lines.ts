/** Offsets into a text as lines and columns. */
import type { Spot } from '../core/fault.ts'

export type Lines = readonly number[]

/** The offset at which each line begins. */
export function lineStarts(text: string): Lines {
  const starts = [0]
  for (let at = text.indexOf('\n'); at !== -1; at = text.indexOf('\n', at + 1)) starts.push(at + 1)
  return starts
}

/** 0-based number of the line that holds `offset`. */
export function lineAt(lines: Lines, offset: number): number {
  let low = 0
  let high = lines.length - 1
  while (low < high) {
    const middle = (low + high + 1) >> 1
    if ((lines[middle] ?? 0) <= offset) low = middle
    else high = middle - 1
  }
  return low
}

export function spotAt(lines: Lines, offset: number): Spot {
  const line = lineAt(lines, offset)
  return { line: line + 1, column: offset - (lines[line] ?? 0) + 1 }
}
