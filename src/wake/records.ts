/** What is written down of runs in `.penny/runs/`: one file per run while it lasts, one per message that has failed so far. */
import { isMessageId, type MessageId } from '../core/ids.ts'
import type { Name } from '../core/names.ts'
import type { Mail } from '../mailbox/index.ts'
import { readKept, removeDurably, replaceFile } from '../system/durable.ts'
import type { Disk, Log } from '../system/types.ts'
import type { Ending, Tally, Verdict } from './verdict.ts'

export type RunRecord = Readonly<{
  run: MessageId
  id: MessageId
  agent: Name
  isNote: boolean
  sender: Mail['from']
  subject: string
  priority: string
  /** Counted from 1. */
  attempt: number
  maxAttempts: number
  boot: string
  startedMs: number
  /** Unread replies that this run was given along. */
  replies: readonly MessageId[]
  /** With the start time, one process for ever; missing: not started yet, or the daemon died in between. */
  process?: Readonly<{ pid: number; startTime: string }>
  /** The run is over, and this follows from it. */
  end?: Readonly<{ ending: Ending; verdict: Verdict; printed: string; lastLine?: string }>
}>

export type Records = Readonly<{
  write: (record: RunRecord) => Promise<void>
  remove: (run: MessageId) => Promise<void>
  /** Every record, oldest first. One that cannot be read is set aside and said. */
  all: () => RunRecord[]
  tallyOf: (id: MessageId) => Tally | undefined
  keepTally: (id: MessageId, tally: Tally) => Promise<void>
  forgetTally: (id: MessageId) => Promise<void>
  tallies: () => ReadonlyMap<MessageId, Tally>
  /** Reads the tallies; once, at start. */
  load: () => void
}>

const NAME = /^(run|tally)-([0-9a-f-]{36})\.json$/

export function openRecords(disk: Disk, folder: string, log: Log): Records {
  const tallies = new Map<MessageId, Tally>()
  const pathOf = (what: 'run' | 'tally', id: MessageId): string => `${folder}/${what}-${id}.json`

  function entries(what: 'run' | 'tally'): { id: MessageId; value: unknown }[] {
    return disk
      .list(folder)
      .flatMap(({ name }) => {
        const [, kind, id = ''] = NAME.exec(name) ?? []
        return kind === what && isMessageId(id) ? [id] : []
      })
      .sort()
      .flatMap((id) => {
        const value = parsed(pathOf(what, id))
        return value === undefined ? [] : [{ id, value }]
      })
  }

  /** Written by us alone and renamed when whole: one that is spoiled was spoiled by something else. */
  function parsed(path: string): unknown {
    try {
      return JSON.parse(readKept(disk, path) ?? 'null')
    } catch (cause) {
      if (!(cause instanceof SyntaxError)) throw cause
      disk.rename(path, `${path}.spoiled`)
      log('error', 'record of a run is spoiled', { path: `${path}.spoiled` })
      return undefined
    }
  }

  return {
    write: (record) => replaceFile(disk, pathOf('run', record.run), JSON.stringify(record)),
    remove: (run) => removeDurably(disk, pathOf('run', run)),
    all: () => entries('run').map(({ value }) => value as RunRecord),
    tallyOf: (id) => tallies.get(id),
    keepTally: async (id, tally) => {
      tallies.set(id, tally)
      await replaceFile(disk, pathOf('tally', id), JSON.stringify(tally))
    },
    forgetTally: async (id) => {
      if (tallies.delete(id)) await removeDurably(disk, pathOf('tally', id))
    },
    tallies: () => tallies,
    load: () => {
      for (const { id, value } of entries('tally')) tallies.set(id, value as Tally)
    },
  }
}
