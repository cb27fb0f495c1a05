/** What a run printed, out of the log of its message. */
import { closeSync } from 'node:fs'
import { oneLine } from '../core/text.ts'
import { endOf } from '../system/logfile.ts'
import { UNSEEN, unless } from './exit.ts'
import { openPlain } from './holder.ts'

/** However much was printed: a last line stands at the end. */
const TAIL_BYTES = 256 * 1024

/** The last line that this run printed; undefined: it printed nothing, or the log may not be read or is past the retention time. */
export function lastLineOf(path: string, run: string): string | undefined {
  const fd = unless(UNSEEN, () => openPlain(path))
  if (fd === undefined) return undefined
  try {
    const text = endOf(fd, 0, TAIL_BYTES).toString('utf8')
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
