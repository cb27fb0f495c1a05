/** What a killed daemon left: runs that still go on, claims without a run, ends without their consequences. */

import { noteTally } from './consequences.ts'
import type { WakeGiven } from './given.ts'
import { endLeftover } from './process.ts'
import type { Records, RunRecord } from './records.ts'
import { conclude } from './run.ts'

const AGAIN_MS = 60_000

/** Resolves when no run of an earlier daemon goes on, and no message is claimed for one. */
export async function recover(given: WakeGiven, records: Records): Promise<void> {
  records.load()
  for (const [id, tally] of records.tallies()) {
    const mail = given.ledger.get(id)
    if (mail) noteTally(mail, tally)
    else await records.forgetTally(id)
  }
  for (const record of records.all()) await tryOne(given, records, record)
}

/** One that cannot be concluded keeps no other from it, and is tried until it can. */
async function tryOne(given: WakeGiven, records: Records, record: RunRecord): Promise<void> {
  const { run, id, agent } = record
  try {
    await recoverOne(given, records, record)
  } catch (cause) {
    given.log('error', 'a run of an earlier daemon cannot be concluded', { run, id, agent, why: String(cause) })
    given.raise({
      code: 'run-failed',
      about: id,
      agent,
      sentence: `A run of ${agent} for ${id} (${record.subject}) from before the restart cannot be concluded (${String(cause)}); its message stays claimed, and it is tried again each minute.`,
      fix: `penny show ${id}`,
    })
    given.clock.after(AGAIN_MS, () => void tryOne(given, records, record))
  }
}

async function recoverOne(given: WakeGiven, records: Records, record: RunRecord): Promise<void> {
  const { run, id, agent } = record
  // Pids of another boot are other processes.
  const { found, gone } =
    record.boot === given.bootId ? await endLeftover(given, { run, uid: given.identity(agent)?.as?.uid }, record.process) : { found: false, gone: true }
  given.log('info', 'run of an earlier daemon', { run, id, agent, alive: found, ended: record.end !== undefined })
  if (!gone) throw new Error('its process cannot be ended')
  await conclude(given, records, record, { how: 'orphaned', started: found || record.process !== undefined }, '')
}
