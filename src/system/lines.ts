/** Files of lines that the daemon alone writes, read piece by piece: the past may be larger than the memory it should take. */
import type { Disk, Path } from './types.ts'

const PIECE_BYTES = 256 * 1024
const LINE_FEED = 10

/** A line without its end, and where it begins. */
export type Line = Readonly<{ text: string; at: number }>

/** Every whole line from `from`, where one begins; a last line without an end is not one. The file is open while they are asked for. */
export function* linesOf(disk: Disk, path: Path, from = 0): Generator<Line> {
  let begun: Buffer[] = []
  let at = from
  for (const { bytes, offset } of piecesOf(disk, path, from)) {
    let start = 0
    for (let end = bytes.indexOf(LINE_FEED); end >= 0; end = bytes.indexOf(LINE_FEED, start)) {
      const text = begun.length === 0 ? bytes.toString('utf8', start, end) : Buffer.concat([...begun, bytes.subarray(0, end)]).toString('utf8')
      begun = []
      yield { text, at }
      start = end + 1
      at = offset + start
    }
    if (start < bytes.length) begun.push(bytes.subarray(start))
  }
}

/** How many whole lines there are, where the last of them ends, and the length of the file. */
export function countLines(disk: Disk, path: Path): { lines: number; end: number; bytes: number } {
  const found = { lines: 0, end: 0, bytes: 0 }
  for (const { bytes, offset } of piecesOf(disk, path, 0)) {
    for (let end = bytes.indexOf(LINE_FEED); end >= 0; end = bytes.indexOf(LINE_FEED, end + 1)) {
      found.lines++
      found.end = offset + end + 1
    }
    found.bytes = offset + bytes.length
  }
  return found
}

function* piecesOf(disk: Disk, path: Path, from: number): Generator<{ bytes: Buffer; offset: number }> {
  const fd = disk.openRead(path)
  try {
    for (let offset = from; ; ) {
      const bytes = disk.read(fd, PIECE_BYTES, offset)
      if (bytes.length === 0) return
      yield { bytes, offset }
      offset += bytes.length
    }
  } finally {
    disk.close(fd)
  }
}
