/** What is remembered of each schedule: `.penny/state/schedules.json`. */
import { readKept, replaceFile } from '../system/durable.ts'
import type { Disk } from '../system/types.ts'

export type Remembered = Readonly<{
  cron: string
  timezone: string
  /** Slots up to this moment are done, or came before the schedule was there. Milliseconds since 1970. */
  doneMs: number
}>

export type ScheduleState = Map<string, Remembered>

/** A file that cannot be read is as none: then every schedule begins now. */
export function readState(disk: Disk, path: string): ScheduleState {
  const state: ScheduleState = new Map()
  const text = readKept(disk, path)
  if (text === undefined) return state
  for (const [name, value] of Object.entries(parsed(text))) {
    const { cron, timezone, doneMs } = (value ?? {}) as Partial<Record<keyof Remembered, unknown>>
    if (typeof cron === 'string' && typeof timezone === 'string' && typeof doneMs === 'number') state.set(name, { cron, timezone, doneMs })
  }
  return state
}

export function writeState(disk: Disk, path: string, state: ScheduleState): Promise<void> {
  return replaceFile(disk, path, `${JSON.stringify(Object.fromEntries(state), undefined, 1)}\n`)
}

function parsed(text: string): object {
  try {
    const value: unknown = JSON.parse(text)
    return typeof value === 'object' && value !== null ? value : {}
  } catch (cause) {
    if (cause instanceof SyntaxError) return {}
    throw cause
  }
}
