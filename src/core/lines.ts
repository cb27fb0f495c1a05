/** Journal segments are text with one JSON object a line; finding some of them must not cost parsing all. */
import type { Entry } from './event.ts'

const LINE_FEED = 10
/** A clock may have been stepped since a segment was begun. */
const CLOCK_MARGIN_MS = 86_400_000

/** The whole lines of `data` that hold one of the texts, in their order; a last line without an end counts as one. Linear in data × texts. */
export function linesWith(data: Buffer, texts: readonly string[]): string[] {
  const starts = new Set<number>()
  for (const text of texts) {
    for (let at = data.indexOf(text); at >= 0; ) {
      starts.add(data.lastIndexOf(LINE_FEED, at) + 1)
      const end = data.indexOf(LINE_FEED, at)
      at = end < 0 ? -1 : data.indexOf(text, end)
    }
  }
  return [...starts].sort((a, b) => a - b).map((start) => data.toString('utf8', start, lineEnd(data, start)))
}

function lineEnd(data: Buffer, start: number): number {
  const end = data.indexOf(LINE_FEED, start)
  return end < 0 ? data.length : end
}

/** A line as an object; undefined: half written, or spoiled by a power cut. */
export function parseLine(line: string): object | undefined {
  try {
    const value: unknown = JSON.parse(line)
    return typeof value === 'object' && value !== null ? value : undefined
  } catch (cause) {
    if (cause instanceof SyntaxError) return undefined
    throw cause
  }
}

/** As `parseLine`, for a line of the journal. */
export function parseEntry(line: string): Entry | undefined {
  const value = parseLine(line)
  return value && 'event' in value ? (value as Entry) : undefined
}

/** Whether a segment may hold what came since then. It ends where the next begins (none: it is the last), unless the clock was set back between. */
export function mayReach(sinceMs: number, begunMs: number, nextBegunMs: number | undefined): boolean {
  return Math.max(begunMs, nextBegunMs ?? Number.POSITIVE_INFINITY) + CLOCK_MARGIN_MS >= sinceMs
}
