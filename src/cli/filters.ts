/** The filters of `penny tasks`: `status:open priority:urgent to:legal from:pmo overdue older:2h thread:ID`. */
import { type Config, holdersOf } from '../core/config.ts'
import type { TaskRow } from '../core/control.ts'
import { idTimeMs } from '../core/ids.ts'
import { nearest } from '../core/names.ts'
import { isSettled, STATUSES, type Status } from '../core/status.ts'
import { shellWord } from '../core/text.ts'
import { EXIT, refuse } from './exit.ts'
import { needDuration } from './times.ts'

export type Filter = Readonly<{
  /** Settled tasks are asked for too. */
  settled: boolean
  /** What the name and the folder alone can rule out. */
  byName: (place: Readonly<{ holder: string; priority: string; id: TaskRow['id'] }>) => boolean
  byRow: (row: TaskRow) => boolean
}>

const WORDS = ['status', 'priority', 'to', 'from', 'overdue', 'older', 'thread']

export function readFilters(words: readonly string[], nowMs: number): Filter {
  const named: Filter['byName'][] = []
  const rows: Filter['byRow'][] = []
  let statuses: readonly Status[] | undefined
  for (const word of words) {
    const { key, values } = split(word)
    if (key !== 'overdue' && WORDS.includes(key) && values.length === 0)
      refuse(EXIT.usage, `${key}: needs a value`, 'a filter is a word, a colon and what it must be', `penny tasks ${EXAMPLES[key] ?? ''}`)
    switch (key) {
      case 'status':
        statuses = values.map(knownStatus)
        break
      case 'priority':
        named.push(({ priority }) => values.includes(priority))
        break
      case 'to':
        named.push(({ holder }) => values.includes(holder))
        break
      case 'from':
        rows.push(({ from }) => values.includes(from))
        break
      case 'overdue':
        if (word !== key) refuse(EXIT.usage, `${JSON.stringify(word)}: overdue takes no value`, 'a task is overdue or not', 'penny tasks overdue')
        rows.push(({ due, status }) => due !== undefined && Date.parse(due) < nowMs && status !== null && !isSettled(status))
        break
      case 'older': {
        const before = nowMs - needDuration(values[0] ?? '', 'penny tasks older:2h')
        named.push(({ id }) => idTimeMs(id) <= before)
        break
      }
      case 'thread':
        rows.push(({ thread }) => values.some((value) => thread.endsWith(value.toLowerCase())))
        break
      default: {
        const near = nearest(key, WORDS)
        refuse(
          EXIT.usage,
          `there is no filter ${JSON.stringify(word)}`,
          near === undefined ? `filters are ${WORDS.join(' ')}` : `did you mean ${near}?`,
          `penny tasks ${EXAMPLES[near ?? 'status'] ?? ''}`,
        )
      }
    }
  }
  const wanted = statuses
  rows.push(({ status }) => status !== null && (wanted ? wanted.includes(status) : !isSettled(status)))
  return { settled: wanted?.some(isSettled) ?? false, byName: (place) => named.every((one) => one(place)), byRow: (row) => rows.every((one) => one(row)) }
}

function split(word: string): { key: string; values: string[] } {
  const [key = '', ...rest] = word.split(':')
  return {
    key,
    values: rest
      .join(':')
      .split(',')
      .filter((value) => value !== ''),
  }
}

/** Where nothing was found: refuses (64) a mailbox or a priority that the organisation doesn't have, with the nearest that it has. */
export function doubt(words: readonly string[], config: Config): void {
  const names = holdersOf(config)
  const known: Readonly<Record<string, readonly string[]>> = {
    to: names,
    from: [...names, 'pennypost', 'unknown'],
    priority: [...config.priorities.byName.keys()],
  }
  for (const { key, values } of words.map(split)) {
    const unknown = values.find((value) => known[key] && !known[key].includes(value))
    if (unknown === undefined) continue
    const near = nearest(unknown, known[key] ?? [])
    const what = key === 'priority' ? 'priority' : 'mailbox'
    refuse(
      EXIT.usage,
      `there is no ${what} ${JSON.stringify(unknown)}`,
      near === undefined ? `it is one of ${(known[key] ?? []).join(' ')}` : `did you mean ${near}?`,
      `penny tasks ${shellWord(`${key}:${near ?? known[key]?.[0] ?? ''}`)}`,
    )
  }
}

const EXAMPLES: Readonly<Record<string, string>> = {
  status: 'status:open',
  priority: 'priority:urgent',
  to: 'to:legal',
  from: 'from:pmo',
  overdue: 'overdue',
  older: 'older:2h',
  thread: 'thread:9c41',
}

function knownStatus(word: string): Status {
  return (
    STATUSES.find((status) => status === word) ??
    refuse(
      EXIT.usage,
      `there is no status ${JSON.stringify(word)}`,
      `it is one of ${STATUSES.join(' ')}`,
      `penny tasks status:${nearest(word, STATUSES) ?? 'open'}`,
    )
  )
}
