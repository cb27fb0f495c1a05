/** Moments as people and programs write them: a date (the end of that day) or an RFC 3339 time; shown with the offset of a time zone. */

export type Moment = Readonly<{
  /** Milliseconds since 1970. */
  ms: number
  /** RFC 3339 with the offset that the time zone has at that moment. */
  text: string
}>

/** RFC 3339, section 5.6, and what people write beside it: a space for the T, no seconds, no offset. */
const PATTERN = /^(\d{4})-(\d{2})-(\d{2})(?:[Tt ](\d{2}):(\d{2})(?::(\d{2})(?:\.(\d{1,12}))?)?(?:([Zz])|([+-])(\d{2}):(\d{2}))?)?$/
const DAY_MS = 86_400_000
const MINUTE_MS = 60_000

const clocks = new Map<string, Intl.DateTimeFormat>()

/** Throws RangeError where there is no such time zone. Making one costs about 0.1 ms, so they are kept. */
function clockOf(timezone: string): Intl.DateTimeFormat {
  let clock = clocks.get(timezone)
  if (!clock) {
    const fields = { year: 'numeric', month: '2-digit', day: '2-digit', hour: '2-digit', minute: '2-digit', second: '2-digit' } as const
    clock = new Intl.DateTimeFormat('en-US', { timeZone: timezone, calendar: 'gregory', numberingSystem: 'latn', hourCycle: 'h23', era: 'short', ...fields })
    clocks.set(timezone, clock)
  }
  return clock
}

/** Milliseconds of the proleptic Gregorian calendar's fields, read as UTC; unlike Date.UTC, years 0-99 are themselves. */
function utc(year: number, month: number, day: number, hour: number, minute: number, second: number, ms: number): number {
  const date = new Date(0)
  date.setUTCFullYear(year, month - 1, day)
  return date.setUTCHours(hour, minute, second, ms)
}

/** How far the time zone's wall clock is ahead of UTC at `ms`, in milliseconds. */
export function offsetAt(ms: number, timezone: string): number {
  const fields: Record<string, string> = {}
  for (const part of clockOf(timezone).formatToParts(ms)) fields[part.type] = part.value
  const field = (name: string): number => Number(fields[name])
  const year = fields.era?.startsWith('B') ? 1 - field('year') : field('year')
  const wall = utc(year, field('month'), field('day'), field('hour'), field('minute'), field('second'), 0)
  return wall - Math.floor(ms / 1000) * 1000
}

/**
 * The moment at which the wall clock shows `wall`. Shown twice (clocks set back): the last one for the end of a day,
 * else the first. Never shown (clocks set forward): as if they had not yet been.
 */
function fromWall(wall: number, timezone: string, endOfDay: boolean): number {
  const before = offsetAt(wall - DAY_MS, timezone)
  const after = offsetAt(wall + DAY_MS, timezone)
  const shown = [wall - before, wall - after].filter((ms) => ms + offsetAt(ms, timezone) === wall)
  if (shown.length === 0) return wall - before
  return endOfDay ? Math.max(...shown) : Math.min(...shown)
}

const two = (n: number): string => String(n).padStart(2, '0')

/** RFC 3339 with the time zone's offset; a part of a second only where there is one that somebody wrote. */
function formatMoment(ms: number, timezone: string, withMs: boolean): string {
  const minutes = Math.round(offsetAt(ms, timezone) / MINUTE_MS)
  const wall = new Date(ms + minutes * MINUTE_MS).toISOString()
  const size = Math.abs(minutes)
  return `${wall.slice(0, withMs ? 23 : 19)}${minutes < 0 ? '-' : '+'}${two(Math.floor(size / 60))}:${two(size % 60)}`
}

/**
 * Reads a date (23:59:59.999 of that day in `timezone`) or an RFC 3339 date-time (without offset: in `timezone`).
 * undefined where the text is neither, or names a day or an hour that no calendar has. Throws RangeError for an unknown time zone.
 */
export function parseMoment(text: string, timezone: string): Moment | undefined {
  const match = PATTERN.exec(text)
  if (!match) return undefined
  const number = (group: number): number => Number(match[group] ?? 0)
  const [year, month, day, hour, minute, second] = [number(1), number(2), number(3), number(4), number(5), number(6)]
  const isDate = match[4] === undefined
  if (hour > 23 || minute > 59 || second > 59 || number(10) > 23 || number(11) > 59) return undefined
  const midnight = utc(year, month, day, 0, 0, 0, 0)
  if (new Date(midnight).getUTCMonth() !== month - 1 || new Date(midnight).getUTCDate() !== day) return undefined
  const fraction = Number((match[7] ?? '').slice(0, 3).padEnd(3, '0'))
  const wall = isDate ? midnight + DAY_MS - 1 : utc(year, month, day, hour, minute, second, fraction)
  const offset = match[8] !== undefined ? 0 : match[9] === undefined ? undefined : (match[9] === '-' ? -1 : 1) * (number(10) * 60 + number(11)) * MINUTE_MS
  const ms = offset === undefined ? fromWall(wall, timezone, isDate) : wall - offset
  const shownYear = new Date(ms + DAY_MS).getUTCFullYear()
  if (shownYear < 1 || shownYear > 9999) return undefined // no four digits for it in every time zone
  return { ms, text: formatMoment(ms, timezone, !isDate && fraction > 0) }
}

/** RFC 3339, UTC, with milliseconds. */
export function formatTime(ms: number): string {
  return new Date(ms).toISOString()
}
