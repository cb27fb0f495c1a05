/** Who was told already: each level once for one stay in a status, and once for one due date. */
import type { Entry } from '../core/event.ts'
import type { MessageId } from '../core/ids.ts'
import { isSettled } from '../core/status.ts'
import type { Ledger, Mail } from '../mailbox/index.ts'
import type { LateCode, Lateness, Level } from './lateness.ts'

/** undefined: of before the restart; what it belongs to is what the task has now. */
type Known = { sinceMs: number | undefined; stuck: number; dueMs: number | undefined; due: number }

export type Told = Readonly<{
  isTold: (mail: Mail, late: Lateness) => boolean
  /** The levels that are reached and not told. */
  missing: (mail: Mail, late: Lateness, levels: readonly Level[]) => Level[]
  tell: (mail: Mail, code: LateCode, dueMs: number | undefined, level: Level) => void
  /** From the journal, at start and as it is written. */
  replay: (entry: Entry) => void
  forgetSettled: (ledger: Ledger) => void
}>

export function makeTold(): Told {
  const records = new Map<MessageId, Known>()
  const recordOf = (id: MessageId): Known => {
    const known = records.get(id)
    if (known) return known
    const record = { sinceMs: undefined, stuck: 0, dueMs: undefined, due: 0 }
    records.set(id, record)
    return record
  }
  /** The record, brought up to the task as it is: another stay or another date begins from nothing. */
  function current(mail: Mail, dueMs: number | undefined): Known {
    const record = recordOf(mail.id)
    if (record.sinceMs !== mail.sinceMs) {
      if (record.sinceMs !== undefined) record.stuck = 0
      record.sinceMs = mail.sinceMs
    }
    if (record.dueMs !== dueMs) {
      if (record.dueMs !== undefined) record.due = 0
      record.dueMs = dueMs
    }
    return record
  }
  return {
    isTold: (mail, late) => {
      const { stuck, due } = current(mail, late.dueMs)
      return Math.max(stuck, due) >= Math.max(late.stuck, late.due)
    },
    missing: (mail, late, levels) => {
      const { stuck, due } = current(mail, late.dueMs)
      // What one clock had told is not told again by the other; a date told before the claim is not told again after it.
      return levels.filter((level) => level > Math.max(stuck, due) && level <= Math.max(late.stuck, late.due))
    },
    tell: (mail, code, dueMs, level) => {
      const record = current(mail, dueMs)
      if (code === 'overdue') record.due = Math.max(record.due, level)
      else record.stuck = Math.max(record.stuck, level)
    },
    replay: (entry) => {
      switch (entry.event) {
        case 'escalated': {
          const record = recordOf(entry.id)
          if (entry.code === 'overdue') record.due = Math.max(record.due, entry.level)
          else record.stuck = Math.max(record.stuck, entry.level)
          return
        }
        case 'status': {
          const record = records.get(entry.id)
          if (!record || entry.was === entry.status) return
          if (entry.status === null || isSettled(entry.status)) records.delete(entry.id)
          else [record.stuck, record.sinceMs] = [0, undefined]
          return
        }
        case 'set': {
          const record = records.get(entry.id)
          if (record && entry.due !== undefined) [record.due, record.dueMs] = [0, undefined]
          return
        }
        default:
      }
    },
    forgetSettled: (ledger) => {
      // What is settled while this listens is forgotten by `replay`; the rest is of before.
      if (records.size <= ledger.size()) return
      for (const id of records.keys()) if (!ledger.get(id)) records.delete(id)
    },
  }
}
