/** What the daemon writes down and knows by it: journal, sealed intents, ledger, and where their files are. */
import { openJournal, openSealed } from '../journal/index.ts'
import { type Layout, makeLedger, pinFolders } from '../mailbox/index.ts'
import { writeState } from '../system/index.ts'
import type { System } from '../system/types.ts'
import { createState } from './state.ts'

export type Records = ReturnType<typeof openRecords>

export function openRecords({ clock, disk, ids }: System, layout: Layout) {
  const pins = pinFolders(disk)
  const ledger = makeLedger()
  const journal = openJournal(disk, clock, layout.private('journal'))
  const sealed = openSealed(disk, clock, layout.private('sealed'), `${layout.private('intents')}/mark.json`, (path, text) => writeState(path, text))
  const state = createState(clock, ids, journal, ledger)
  const snapshot = { disk, clock, journal, state, file: `${layout.private('state')}/ledger.jsonl` }
  /** Where the past ends. */
  const past = journal.end()
  return { disk, layout, pins, ledger, journal, sealed, state, snapshot, past }
}
