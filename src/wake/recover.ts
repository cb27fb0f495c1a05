/** What a killed daemon left: runs that still go on, claims without a run, ends without their consequences. */

import { noteTally } from './consequences.ts'
import type { WakeGiven } from './given.ts'
import { endLeftover } from './process.ts'
import type { Records, RunRecord } from './records.ts'
import { conclude } from './run.ts'

/** Resolves when no run of an earlier daemon goes on, and no message is claimed for one. */
export async function recover(given: WakeGiven, records: Records): Promise<void> {
  records.load()
  for (const [id, tally] of records.tallies()) {
    const mail = given.ledger.get(id)
    if (mail) noteTally(mail, tally)
    else await records.forgetTally(id)
  }
  for (const record of records.all()) await recoverOne(given, records, record)
}

async function recoverOne(given: WakeGiven, records: Records, record: RunRecord): Promise<void> {
  const { run, id, agent } = record
  // Pids of another boot are other processes.
  const { found, gone } = record.boot === given.bootId ? await endLeftover(given, run, record.process) : { found: false, gone: true }
  given.log('info', 'run of an earlier daemon', { run, id, agent, alive: found, ended: record.end !== undefined })
  if (!gone) {
    given.log('error', 'a run cannot be ended; its message stays claimed', { run, id, agent })
    return
  }
  await conclude(given, records, record, { how: 'orphaned', started: found || record.process !== undefined }, '')
}
