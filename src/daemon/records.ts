/** What the daemon writes down and knows by it: journal, sealed intents, ledger, and where their files are. */
import { openJournal, openSealed } from '../journal/index.ts'
import { type Layout, makeFinder, makeLedger, pinFolders } from '../mailbox/index.ts'
import { writeState } from '../system/index.ts'
import type { System } from '../system/types.ts'
import { createHandles } from './handles.ts'
import { createState } from './state.ts'

export type Records = ReturnType<typeof openRecords>

export function openRecords({ clock, disk, ids, log }: System, layout: Layout) {
  const pins = pinFolders(disk)
  const finder = makeFinder(disk, layout, clock, pins)
  const ledger = makeLedger()
  const journal = openJournal(disk, clock, layout.private('journal'))
  const sealed = openSealed(disk, clock, layout.private('sealed'), `${layout.private('intents')}/mark.json`, writeState)
  const handles = createHandles({
    clock,
    disk,
    log,
    path: `${layout.private('state')}/refs`,
    isUnsettled: (id) => ledger.get(id) !== undefined,
    syncJournal: journal.sync,
  })
  const state = createState(clock, ids, journal, ledger, handles)
  const snapshot = { disk, clock, log, journal, state, file: `${layout.private('state')}/ledger.jsonl` }
  /** Where the past ends. */
  const past = journal.end()
  return { disk, layout, pins, finder, ledger, journal, sealed, state, snapshot, past }
}
