/** Small state under .penny/, which nobody else writes: there write-file-atomic is safe (docs/decisions/0004-libraries.md). */
import { sync as writeFileAtomic } from 'write-file-atomic'

/** Whole or as before, on the medium when it returns. */
export function writeState(path: string, text: string): void {
  writeFileAtomic(path, text, { mode: 0o600 })
}
