/** Times as people type and read them. */
import { formatAge, parseDuration } from '../core/units.ts'
import { EXIT, refuse } from './exit.ts'

/** `2h` (ago), a date, or an RFC 3339 time → milliseconds since 1970. */
export function parseSince(text: string, nowMs: number, command: string): number {
  const ago = parseDuration(text)
  if (ago !== undefined) return nowMs - ago
  const at = /^\d{4}-\d{2}-\d{2}/.test(text) ? Date.parse(text) : Number.NaN
  if (Number.isNaN(at))
    refuse(EXIT.usage, `${JSON.stringify(text)} is no time`, 'a duration (30m 2h 7d), a date or an RFC 3339 time is needed', `penny ${command} --since 2h`)
  return at
}

/** Refuses what is no duration. Milliseconds. */
export function needDuration(text: string, example: string): number {
  return parseDuration(text) ?? refuse(EXIT.usage, `${JSON.stringify(text)} is no duration`, 'durations are written 30s 5m 2h 3d', example)
}

export function ageSince(time: string | number, nowMs: number): string {
  const ms = typeof time === 'number' ? time : Date.parse(time)
  return Number.isNaN(ms) ? '?' : formatAge(nowMs - ms)
}

export function pause(ms: number): Promise<void> {
  return new Promise((resolve) => void setTimeout(resolve, ms))
}
