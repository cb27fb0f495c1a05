/**
 * The log of a daemon in the background: a file it was started with, to which it only appends. Past a size its end moves to `<file>.1`,
 * in place of the one before, and the file begins again; who has it open goes on writing to it.
 */
import { closeSync, fstatSync, lstatSync, openSync, readSync, truncateSync, writeFileSync } from 'node:fs'

/** A few days of a busy organisation; so much is kept beside it. */
const MOST_BYTES = 8 * 1024 ** 2
/** Looked at after so much was written. */
const LOOK_BYTES = 256 * 1024
/** Enough for whoever asks why a start failed. */
const END_BYTES = 64 * 1024

/** Writes lines to standard error, and bounds `path` where that is what standard error leads to. Where it cannot, the log says so. */
export function boundedWriter(path: string, stderr: Readonly<{ fd: number; write: (line: string) => unknown }>): (line: string) => void {
  let written = LOOK_BYTES
  return (line) => {
    stderr.write(line)
    written += line.length
    if (written < LOOK_BYTES) return
    written = 0
    try {
      if (isSame(path, stderr.fd)) boundLog(path)
    } catch (cause) {
      stderr.write(`${JSON.stringify({ level: 'warn', what: 'the log could not be shortened', file: path, why: String(cause) })}\n`)
    }
  }
}

export function boundLog(path: string, mostBytes = MOST_BYTES): void {
  const { size = 0 } = lstatSync(path, { throwIfNoEntry: false }) ?? {}
  if (size <= mostBytes) return
  writeFileSync(`${path}.1`, endOf(path, 0, mostBytes), { mode: 0o640 })
  truncateSync(path)
}

/** What comes after `from` in a file, named or open, at most its last so many bytes: a log may be larger than any string. */
export function endOf(file: string | number, from: number, mostBytes = END_BYTES): Buffer {
  const fd = typeof file === 'number' ? file : openSync(file, 'r')
  try {
    const { size } = fstatSync(fd)
    // It may have begun again meanwhile.
    const start = Math.max(from > size ? 0 : from, size - mostBytes)
    const end = Buffer.alloc(size - start)
    return end.subarray(0, readSync(fd, end, 0, end.length, start))
  } finally {
    if (typeof file === 'string') closeSync(fd)
  }
}

function isSame(path: string, fd: number): boolean {
  const [named, opened] = [lstatSync(path, { throwIfNoEntry: false }), fstatSync(fd)]
  return named !== undefined && named.ino === opened.ino && named.dev === opened.dev
}
