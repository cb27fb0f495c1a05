/** What a run printed, out of the log of its message. */
import { closeSync, constants, fstatSync, openSync, readSync } from 'node:fs'
import { oneLine } from '../core/text.ts'
import { UNSEEN, unless } from './exit.ts'

/** However much was printed: a last line stands at the end. */
const TAIL_BYTES = 256 * 1024

/** The last line that this run printed; undefined: it printed nothing, or the log may not be read or is past the retention time. */
export function lastLineOf(path: string, run: string): string | undefined {
  const { O_RDONLY, O_NOFOLLOW, O_NONBLOCK } = constants
  const fd = unless([...UNSEEN, 'ELOOP', 'ENXIO'], () => openSync(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK))
  if (fd === undefined) return undefined
  try {
    const stat = fstatSync(fd)
    if (!stat.isFile()) return undefined
    const buffer = Buffer.alloc(Math.min(stat.size, TAIL_BYTES))
    const text = buffer.toString('utf8', 0, readSync(fd, buffer, 0, buffer.length, stat.size - buffer.length))
    const begun = `\n${text}`.lastIndexOf(`\n--- run ${run},`)
    const own = begun < 0 ? [] : text.slice(begun).split('\n').slice(1)
    const end = own.findIndex((line) => line.startsWith('--- run '))
    const printed = (end < 0 ? own : own.slice(0, end)).filter((line) => line.trim() !== '' && !line.startsWith('--- '))
    const [last] = printed.slice(-1)
    return last === undefined ? undefined : oneLine(last)
  } finally {
    closeSync(fd)
  }
}
