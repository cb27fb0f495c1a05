/** What happens because time passes: deadlines, the canary, recurring drops. */
import type { Clear } from '../core/post.ts'
import { createCanary, createDeadlines, type DeadlinesGiven, type DeadlinesState } from '../deadline/index.ts'
import { createScheduler } from '../schedule/index.ts'
import { parseCron, readKept, writeState } from '../system/index.ts'
import type { System } from '../system/types.ts'
import type { Canaries } from './canaries.ts'
import type { Records } from './records.ts'
import { type ScheduleDropGiven, scheduleDrop } from './schedules.ts'
import { parseKept } from './snapshot.ts'

export type ClockworkGiven = Readonly<{ system: System; records: Records; canaries: Canaries; clear: Clear }> &
  Omit<DeadlinesGiven, 'clock' | 'log' | 'ledger' | 'record' | 'load' | 'save'> &
  Omit<ScheduleDropGiven, 'state'>

export function createClockwork(given: ClockworkGiven) {
  const { config, raise } = given
  const { clock, disk, log } = given.system
  const { layout, ledger, journal, state } = given.records
  const keptDeadlines = `${layout.private('state')}/deadlines.json`
  return {
    deadlines: createDeadlines({
      ...given,
      clock,
      log,
      ledger,
      record: journal.record,
      load: () => parseKept(readKept(disk, keptDeadlines)) as DeadlinesState | undefined,
      save: (kept) => writeState(keptDeadlines, JSON.stringify(kept)),
    }),
    canary: createCanary({ clock, raise, clear: given.clear, dropCanary: given.canaries.drop }),
    scheduler: createScheduler({
      clock,
      disk,
      log,
      parseCron,
      stateFile: `${layout.private('state')}/schedules.json`,
      config,
      drop: scheduleDrop({ ...given, state }),
    }),
  }
}
