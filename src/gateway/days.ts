/** Days of a time zone. */
import { offsetAt, parseMoment } from '../core/time.ts'

/** A date as it stands in a calendar, and the moments from which it counts and at which the next begins. */
export type Day = Readonly<{ date: string; fromMs: number; toMs: number }>

const DAY_MS = 86_400_000

/** Asked of one line after another, most of which are of the same day: it is kept. Throws RangeError for an unknown time zone. */
export function daysOf(timezone: string): (ms: number) => Day {
  let last: Day | undefined
  return (ms) => {
    if (!last || ms < last.fromMs || ms >= last.toMs) last = dayAt(ms, timezone)
    return last
  }
}

function dayAt(ms: number, timezone: string): Day {
  const wall = ms + offsetAt(ms, timezone)
  const date = dateOf(wall)
  return { date, fromMs: endOf(dateOf(wall - DAY_MS), timezone) ?? ms, toMs: endOf(date, timezone) ?? ms + DAY_MS }
}

const dateOf = (wallMs: number): string => new Date(wallMs).toISOString().slice(0, 10)

/** undefined: outside of the calendar of four digits. */
function endOf(date: string, timezone: string): number | undefined {
  const moment = parseMoment(date, timezone)
  return moment && moment.ms + 1
}
