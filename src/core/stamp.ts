/** Moments as they stand in names of files, which sort by them. */
const STAMP = /^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)(\d{3})Z$/

export function stampOf(ms: number): string {
  return new Date(ms).toISOString().replace(/[-:.]/g, '')
}

/** After all before it, also where the clock was set back. */
export function stampAfter(newest: string | undefined, nowMs: number): string {
  const stamp = stampOf(nowMs)
  const [, year, month, day, hours, minutes, seconds, ms] = STAMP.exec(newest ?? '') ?? []
  if (newest === undefined || year === undefined || stamp > newest) return stamp
  return stampOf(Date.parse(`${year}-${month}-${day}T${hours}:${minutes}:${seconds}.${ms}Z`) + 1)
}
