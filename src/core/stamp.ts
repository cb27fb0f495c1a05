/** Moments as they stand in names of files, which sort by them. */
const STAMP = /^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)(\d{3})Z$/

export function stampOf(ms: number): string {
  return new Date(ms).toISOString().replace(/[-:.]/g, '')
}

/** RFC 3339, UTC; undefined: it is no stamp. */
export function timeOfStamp(stamp: string): string | undefined {
  const [, year, month, day, hours, minutes, seconds, ms] = STAMP.exec(stamp) ?? []
  return year === undefined ? undefined : `${year}-${month}-${day}T${hours}:${minutes}:${seconds}.${ms}Z`
}

/** After all before it, also where the clock was set back. */
export function stampAfter(newest: string | undefined, nowMs: number): string {
  const stamp = stampOf(nowMs)
  const time = newest === undefined ? undefined : timeOfStamp(newest)
  if (newest === undefined || time === undefined || stamp > newest) return stamp
  return stampOf(Date.parse(time) + 1)
}
