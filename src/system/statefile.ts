/** Small state under .penny/, which nobody else writes: there write-file-atomic is safe (docs/decisions/0004-libraries.md). */
import { closeSync, fsyncSync, openSync } from 'node:fs'
import { dirname } from 'node:path'
import writeFileAtomic from 'write-file-atomic'

/**
 * Whole or as before. What was written is on the medium before it has its name; a power cut may still bring the version before back,
 * for the folder is not waited for. Calls for one path come one after the other.
 */
export function writeState(path: string, text: string): Promise<void> {
  return writeFileAtomic(path, text, { mode: 0o600 })
}

/** Whole or as before, and no power cut brings the version before back: for what is used the moment this returns. Holds everybody up. */
export function writeStateNow(path: string, text: string): void {
  writeFileAtomic.sync(path, text, { mode: 0o600 })
  // The library syncs the file, not the folder that tells its name.
  const folder = openSync(dirname(path), 'r')
  try {
    fsyncSync(folder)
  } finally {
    closeSync(folder)
  }
}
