/** Cron expressions as node-cron reads them. */
import { parse } from 'node-cron'

/** Which values of each field of the wall clock a schedule comes at; days of the week are 0-6 from Sunday. */
export type CronFields = Readonly<Record<'minutes' | 'hours' | 'days' | 'months' | 'weekdays', ReadonlySet<number>>>

/** Throws an Error that says which field is wrong, or that no month has such a day. */
export type ParseCron = (expression: string) => CronFields

/** Five fields. With both fields of days restricted, node-cron's slot needs both to fit, where crontab(5) says either. */
export const parseCron: ParseCron = (expression) => {
  const { minute, hour, dayOfMonth, month, dayOfWeek } = parse(expression)
  return { minutes: new Set(minute), hours: new Set(hour), days: numbers(dayOfMonth), months: new Set(month), weekdays: numbers(dayOfWeek) }
}

/** node-cron's own additions (`L`, `15W`, `MON#2`) are not among the five fields of crontab(5). */
function numbers(values: readonly (number | string)[]): Set<number> {
  const odd = values.find((value) => typeof value !== 'number')
  if (odd !== undefined) throw new Error(`${odd} is no day`)
  return new Set(values.map(Number))
}
