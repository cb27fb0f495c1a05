/** What the holder of a delivered message may change, and everything else as one string to compare. */
import type { Value } from '../core/message.ts'
import { isStatus, type Status } from '../core/status.ts'
import type { MessageText } from './types.ts'
import { namesOf, textOf } from './values.ts'

export type HolderPart = Readonly<{
  status: Status | undefined
  /** What stands there instead, where it is no status. */
  badStatus: string | undefined
  result: string | undefined
  progress: string | undefined
  blockedOn: readonly string[]
  /** The x-… keys. */
  extra: Readonly<Record<string, Value>>
  id: string | undefined
  updated: string | undefined
  /** Equal in two texts: nothing differs that a holder may not change. */
  protectedPart: string
}>

/** `updated` is the daemon's, but it changes with every status and proves nothing. */
const OPEN_KEYS: ReadonlySet<string> = new Set(['status', 'result', 'progress', 'blocked_on', 'updated'])

const isExtra = (key: string): boolean => key.startsWith('x-')

/** Text of any value: what a holder wrote as a list or a mapping is shown as it is, not lost. */
function anyText(value: Value | undefined): string | undefined {
  if (value === undefined || value === null) return undefined
  return textOf(value) ?? JSON.stringify(value)
}

export function readHolder(message: MessageText): HolderPart {
  const { values, written } = message
  const status = anyText(written.status)
  const extra = Object.create(null) as Record<string, Value>
  const kept: [string, Value][] = []
  for (const [key, value] of Object.entries(values)) {
    if (isExtra(key)) extra[key] = value
    else if (!OPEN_KEYS.has(key)) kept.push([key, value])
  }
  kept.sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0))
  return {
    status: isStatus(status) ? status : undefined,
    badStatus: status === undefined || isStatus(status) ? undefined : status,
    result: anyText(written.result),
    progress: anyText(written.progress),
    blockedOn: namesOf(written.blocked_on) ?? [anyText(written.blocked_on) ?? ''],
    extra,
    id: textOf(written.id),
    updated: textOf(written.updated),
    protectedPart: JSON.stringify(kept),
  }
}
