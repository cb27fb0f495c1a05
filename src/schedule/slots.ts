/**
 * When a schedule's slots are, as crontab(5) says it: on the wall clock, and with both fields of days restricted either
 * of them is enough. When clocks are set, as Debian's cron(8) does: a slot of certain hours that the wall clock leaps over
 * comes at the moment of the leap, one that it shows twice comes the first time only; a schedule of every hour goes by
 * the time that really passes.
 */
import { offsetAt } from '../core/time.ts'
import type { CronFields, ParseCron } from '../system/cron.ts'

export type SlotRule = Readonly<{
  /** One, or two where either field of days is enough; none is empty. */
  either: readonly CronFields[]
  timezone: string
}>

const DAY_MS = 86_400_000
const HOUR_MS = 3_600_000
const MINUTE_MS = 60_000
/** A 29 February that must be a certain weekday (a fifth field of "*" with a step) can be forty years away, across 2100; a day for both ends. */
const FURTHEST_DAYS = 40 * 366 + 2

/** Throws an Error with what is wrong where the expression can never come. */
export function readRule(parse: ParseCron, expression: string, timezone: string): SlotRule {
  const [minute = '', hour = '', day = '', month = '', weekday = ''] = expression.trim().split(/\s+/)
  if (day.startsWith('*') || weekday.startsWith('*')) return { either: [parse(expression)], timezone }
  const byWeekday = parse([minute, hour, '*', month, weekday].join(' '))
  const byDay = parsedOrNever(parse, [minute, hour, day, month, '*'].join(' '))
  return { either: byDay ? [byDay, byWeekday] : [byWeekday], timezone }
}

/** A day that none of the months has (31 2) never comes; the days of the week still do. */
function parsedOrNever(parse: ParseCron, expression: string): CronFields | undefined {
  try {
    return parse(expression)
  } catch (cause) {
    if (cause instanceof Error && /impossible day/.test(cause.message)) return undefined
    throw cause
  }
}

/** The first slot after `afterMs`, or undefined where none comes within forty years. */
export function nextSlot(rule: SlotRule, afterMs: number): number | undefined {
  for (let day = dayOf(rule, afterMs) - 1, left = FURTHEST_DAYS; left > 0; day++, left--) {
    const slot = slotsOfDay(rule, day).find((ms) => ms > afterMs)
    if (slot !== undefined) return slot
  }
  return undefined
}

/** The last slot after `afterMs` and not after `untilMs`. */
export function latestSlot(rule: SlotRule, afterMs: number, untilMs: number): number | undefined {
  const first = dayOf(rule, Math.max(afterMs, untilMs - FURTHEST_DAYS * DAY_MS)) - 1
  for (let day = dayOf(rule, untilMs) + 1; day >= first; day--) {
    const slot = slotsOfDay(rule, day).findLast((ms) => ms <= untilMs)
    if (slot !== undefined) return slot > afterMs ? slot : undefined
  }
  return undefined
}

/** The number of the wall clock's day, counted from 1970-01-01. */
function dayOf(rule: SlotRule, ms: number): number {
  return Math.floor((ms + offsetAt(ms, rule.timezone)) / DAY_MS)
}

/** Slots of one day of the wall clock, in the order of time. */
function slotsOfDay(rule: SlotRule, day: number): number[] {
  const date = new Date(day * DAY_MS)
  const fitting = rule.either.filter(
    ({ months, days, weekdays }) => months.has(date.getUTCMonth() + 1) && days.has(date.getUTCDate()) && weekdays.has(date.getUTCDay()),
  )
  const slots = new Set(fitting.flatMap((fields) => momentsOfDay(fields, day * DAY_MS, rule.timezone)))
  return [...slots].sort((a, b) => a - b)
}

function momentsOfDay({ hours, minutes }: CronFields, midnight: number, timezone: string): number[] {
  const early = offsetAt(midnight - DAY_MS, timezone)
  const late = offsetAt(midnight + 2 * DAY_MS, timezone)
  const byElapsedTime = hours.size === 24
  return [...hours].flatMap((hour) =>
    [...minutes].flatMap((minute) => {
      const wall = midnight + hour * HOUR_MS + minute * MINUTE_MS
      if (early === late) return [wall - early]
      const shown = [...new Set([wall - early, wall - late])].filter((ms) => ms + offsetAt(ms, timezone) === wall)
      if (byElapsedTime) return shown
      return shown.length === 0 ? [leapNear(wall - early, wall - late, timezone)] : [Math.min(...shown)]
    }),
  )
}

/** The moment between two at which the wall clock leapt, to the minute. */
function leapNear(a: number, b: number, timezone: string): number {
  let [low, high] = [Math.min(a, b), Math.max(a, b)]
  const before = offsetAt(low, timezone)
  while (high - low > MINUTE_MS) {
    const middle = low + Math.floor((high - low) / 2 / MINUTE_MS) * MINUTE_MS
    if (offsetAt(middle, timezone) === before) low = middle
    else high = middle
  }
  return high
}
