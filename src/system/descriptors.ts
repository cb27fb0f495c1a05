/** How many files and connections this process may have open at a time. */
import { readFileSync } from 'node:fs'

/** Node has raised it to the hard limit when it began. Infinite where there is no limit, or nobody can tell. */
export function mostDescriptors(): number {
  const soft = /^Max open files +(\d+) /m.exec(readLimits())?.[1]
  return soft === undefined ? Number.POSITIVE_INFINITY : Number(soft)
}

/** proc(5). */
function readLimits(): string {
  try {
    return readFileSync('/proc/self/limits', 'latin1')
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === 'ENOENT') return ''
    throw cause
  }
}
