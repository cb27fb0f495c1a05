/** Five fields of crontab(5): minute, hour, day of the month, month, day of the week. */

const MONTHS = ['JAN', 'FEB', 'MAR', 'APR', 'MAY', 'JUN', 'JUL', 'AUG', 'SEP', 'OCT', 'NOV', 'DEC']
const DAYS = ['SUN', 'MON', 'TUE', 'WED', 'THU', 'FRI', 'SAT']
/** February has 29 here: a slot every four years is one. */
const MONTH_DAYS = [31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31]

type Field = Readonly<{ name: string; least: number; most: number; words: readonly string[]; firstWord: number }>

const FIELDS: readonly Field[] = [
  { name: 'minute', least: 0, most: 59, words: [], firstWord: 0 },
  { name: 'hour', least: 0, most: 23, words: [], firstWord: 0 },
  { name: 'day of the month', least: 1, most: 31, words: [], firstWord: 0 },
  { name: 'month', least: 1, most: 12, words: MONTHS, firstWord: 1 },
  { name: 'day of the week', least: 0, most: 7, words: DAYS, firstWord: 0 },
]

const NICKNAMES: Readonly<Record<string, string>> = {
  '@yearly': '0 0 1 1 *',
  '@annually': '0 0 1 1 *',
  '@monthly': '0 0 1 * *',
  '@weekly': '0 0 * * 0',
  '@daily': '0 0 * * *',
  '@midnight': '0 0 * * *',
  '@hourly': '0 * * * *',
}

/** What is wrong with a cron expression, or undefined. */
export function faultOfCron(text: string): { what: string; near?: string } | undefined {
  const nickname = Object.hasOwn(NICKNAMES, text) ? NICKNAMES[text] : undefined
  if (nickname !== undefined) return { what: 'five fields are needed', near: nickname }
  const parts = text.trim().split(/\s+/)
  if (parts.length !== 5) return { what: `five fields are needed (minute hour day month weekday), these are ${text.trim() === '' ? 0 : parts.length}` }
  const values: number[][] = []
  for (const [i, field] of FIELDS.entries()) {
    const found = valuesOf(parts[i] ?? '', field)
    if (typeof found === 'string') return { what: `${field.name}: ${found}` }
    values.push(found)
  }
  const [, , days = [], months = []] = values
  // As crontab(5): a weekday that begins with a star doesn't come in the place of the date.
  const byWeekday = !parts[4]?.startsWith('*')
  if (!byWeekday && !months.some((month) => days.some((day) => day <= (MONTH_DAYS[month - 1] ?? 0))))
    return { what: 'no month it names has such a day: it would never come' }
  return undefined
}

function valuesOf(text: string, field: Field): number[] | string {
  const values: number[] = []
  for (const part of text.split(',')) {
    const [range = '', step, more] = part.split('/')
    if (more !== undefined || (step !== undefined && !/^[1-9][0-9]{0,3}$/.test(step))) return `${JSON.stringify(part)} has no such step`
    const [low, high, extra] = range === '*' ? [field.least, field.most] : range.split('-').map((word) => numberOf(word, field))
    if (low === undefined || extra !== undefined || (range.includes('-') && high === undefined))
      return `${JSON.stringify(part)} is not ${field.least}-${field.most}${field.words.length > 0 ? `, nor one of ${field.words.join(' ')}` : ''}`
    if (step !== undefined && high === undefined) return `${JSON.stringify(part)}: a step needs a range, as in ${low}-${field.most}/${step}`
    if (high !== undefined && high < low) return `${JSON.stringify(part)} runs backwards`
    for (let value = low; value <= (high ?? low); value += Number(step ?? 1)) values.push(value)
  }
  return values
}

function numberOf(word: string, field: Field): number | undefined {
  const named = field.words.indexOf(word.toUpperCase())
  if (named >= 0) return named + field.firstWord
  const value = /^[0-9]{1,2}$/.test(word) ? Number(word) : Number.NaN
  return value >= field.least && value <= field.most ? value : undefined
}
