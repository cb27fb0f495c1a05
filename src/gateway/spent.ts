/** What the ledger says: its lines, read one by one however many there are, and their sums. Also for whoever reads while the gateway writes. */
import { parseLine } from '../core/lines.ts'
import { isName } from '../core/names.ts'
import { type Line, linesOf } from '../system/lines.ts'
import type { Disk } from '../system/types.ts'
import { daysOf } from './days.ts'
import { daysIn } from './ledger.ts'
import type { Entry } from './types.ts'

/** Milliseconds of the wall clock: from `fromMs` to before `toMs`. `spoiled` is told of each line that cannot be read: a crash, a power cut. */
export type Span = Readonly<{ fromMs?: number | undefined; toMs?: number | undefined; spoiled?: (path: string, at: number) => void }>

const COUNTS = ['status', 'inputTokens', 'cacheWriteTokens', 'cacheReadTokens', 'outputTokens', 'queueMs', 'ms', 'tries'] as const

export function* readLedger(
  disk: Disk,
  folder: string,
  { fromMs = Number.NEGATIVE_INFINITY, toMs = Number.POSITIVE_INFINITY, spoiled }: Span = {},
): Generator<Entry> {
  for (const day of daysThere(disk, folder)) {
    if (day.toMs <= fromMs || day.fromMs >= toMs) continue
    for (const { text, at } of linesThere(disk, day.path)) {
      const entry = entryIn(text)
      if (!entry) {
        spoiled?.(day.path, at)
        continue
      }
      const ms = Date.parse(entry.at)
      if (ms >= fromMs && ms < toMs) yield entry
    }
  }
}

function entryIn(line: string): Entry | undefined {
  const entry: Partial<Entry> | undefined = parseLine(line)
  if (typeof entry?.at !== 'string' || Number.isNaN(Date.parse(entry.at)) || typeof entry.agent !== 'string' || !isName(entry.agent)) return undefined
  if (!COUNTS.every((key) => isCount(entry[key])) || !(entry.usd === undefined || isCount(entry.usd))) return undefined
  return entry as Entry
}

function isCount(value: unknown): boolean {
  return typeof value === 'number' && Number.isFinite(value) && value >= 0
}

/** Before the first request there is no folder. */
function daysThere(disk: Disk, folder: string): ReturnType<typeof daysIn> {
  try {
    return daysIn(disk, folder)
  } catch (cause) {
    if (isMissing(cause)) return []
    throw cause
  }
}

/** The time of a day may have come since the folder was listed. */
function* linesThere(disk: Disk, path: string): Generator<Line> {
  try {
    yield* linesOf(disk, path)
  } catch (cause) {
    if (!isMissing(cause)) throw cause
  }
}

const isMissing = (cause: unknown): boolean => (cause as NodeJS.ErrnoException).code === 'ENOENT'

export type Sum = Readonly<{
  requests: number
  inputTokens: number
  cacheWriteTokens: number
  cacheReadTokens: number
  outputTokens: number
  usd: number
  /** Requests that took tokens of a model whose price is not known: they are not in `usd`. */
  unpriced: number
}>

export const NOTHING: Sum = { requests: 0, inputTokens: 0, cacheWriteTokens: 0, cacheReadTokens: 0, outputTokens: 0, usd: 0, unpriced: 0 }

export const GROUPINGS = ['agent', 'thread', 'day'] as const
export type Grouping = (typeof GROUPINGS)[number]

export type SumsGiven = Readonly<{
  by: Grouping
  /** Of the organisation. */
  timezone: string
  /** Of a message; undefined: nobody knows it any more, and it stands for itself. */
  threadOf: (message: string) => string | undefined
}>

/** Under which the requests stand that no message is known of. */
export const NO_MESSAGE = '-'

/** What it holds grows with the groups alone. */
export function sumsOf(entries: Iterable<Entry>, given: SumsGiven): ReadonlyMap<string, Sum> {
  const { add, sums } = createSums(given)
  for (const entry of entries) add(entry)
  return sums
}

/** For entries that come one by one. */
export function createSums({ by, timezone, threadOf }: SumsGiven): Readonly<{ add: (entry: Entry) => void; sums: ReadonlyMap<string, Sum> }> {
  const dayAt = daysOf(timezone)
  const groupOf = (entry: Entry): string => {
    switch (by) {
      case 'agent':
        return entry.agent
      case 'thread':
        return entry.message === undefined ? NO_MESSAGE : (threadOf(entry.message) ?? entry.message)
      case 'day':
        return dayAt(Date.parse(entry.at)).date
    }
  }
  const sums = new Map<string, Sum>()
  return {
    sums,
    add: (entry) => {
      const group = groupOf(entry)
      sums.set(group, plus(sums.get(group) ?? NOTHING, entry))
    },
  }
}

export function together(a: Sum, b: Sum): Sum {
  return {
    requests: a.requests + b.requests,
    inputTokens: a.inputTokens + b.inputTokens,
    cacheWriteTokens: a.cacheWriteTokens + b.cacheWriteTokens,
    cacheReadTokens: a.cacheReadTokens + b.cacheReadTokens,
    outputTokens: a.outputTokens + b.outputTokens,
    usd: a.usd + b.usd,
    unpriced: a.unpriced + b.unpriced,
  }
}

export function plus(sum: Sum, entry: Entry): Sum {
  return {
    requests: sum.requests + 1,
    inputTokens: sum.inputTokens + entry.inputTokens,
    cacheWriteTokens: sum.cacheWriteTokens + entry.cacheWriteTokens,
    cacheReadTokens: sum.cacheReadTokens + entry.cacheReadTokens,
    outputTokens: sum.outputTokens + entry.outputTokens,
    usd: sum.usd + (entry.usd ?? 0),
    unpriced: sum.unpriced + (entry.usd === undefined && tokensOf(entry) > 0 ? 1 : 0),
  }
}

/** All of them, as a person reads "tokens". */
export function tokensOf({ inputTokens, cacheWriteTokens, cacheReadTokens, outputTokens }: Omit<Sum, 'requests' | 'usd' | 'unpriced'>): number {
  return inputTokens + cacheWriteTokens + cacheReadTokens + outputTokens
}
