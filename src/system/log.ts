import type { Clock, Log, LogLevel } from './types.ts'

const LEVELS: readonly LogLevel[] = ['debug', 'info', 'warn', 'error']

/** NDJSON lines to `write`, from `least` upwards. */
export function makeLog(clock: Clock, least: LogLevel, write: (line: string) => void): Log {
  return (level, what, fields) => {
    if (LEVELS.indexOf(level) < LEVELS.indexOf(least)) return
    write(`${JSON.stringify({ at: new Date(clock.now()).toISOString(), level, what, ...fields })}\n`)
  }
}
