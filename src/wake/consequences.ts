/** Does what follows from a run's end. Every step may be done twice: after a crash the whole is done again. */
import { isHolder } from '../core/config.ts'
import type { Change } from '../core/post.ts'
import { counted, oneLine, shellWord } from '../core/text.ts'
import { formatTime } from '../core/time.ts'
import type { Mail } from '../mailbox/index.ts'
import type { WakeGiven } from './given.ts'
import type { Records, RunRecord } from './records.ts'
import { describeEnding, type Tally } from './verdict.ts'

type Ended = RunRecord & Required<Pick<RunRecord, 'end'>>

/** Rejects where a letter or record could not be written. */
export async function follow(given: WakeGiven, records: Records, record: Ended): Promise<void> {
  const { verdict, ending } = record.end
  const how = describeEnding(ending)
  const by = `run:${record.agent}`
  let retryAtMs: number | undefined
  let isAttempt = false
  switch (verdict.act) {
    case 'settle':
      await reply(given, record, 'done')
      await settle(given, record, by)
      break
    case 'settled':
      await reply(given, record, 'no')
      break
    case 'leave':
      break
    case 'return':
      await giveBack(given, record, by, how)
      break
    case 'retry':
      retryAtMs = verdict.tally.retryAtMs
      isAttempt = verdict.attempt
      await records.keepTally(record.id, verdict.tally)
      noteTally(given.ledger.get(record.id), verdict.tally)
      await giveBack(given, record, by, how)
      noteTally(given.ledger.get(record.id), verdict.tally)
      break
    case 'fail':
      isAttempt = true
      await fail(given, record, verdict.attempts, by)
      break
  }
  if (verdict.act === 'settle' || verdict.act === 'settled' || verdict.act === 'fail') await records.forgetTally(record.id)
  const isThrough = verdict.act === 'settle' || verdict.act === 'settled' || verdict.act === 'leave'
  if (isThrough) for (const read of record.replies) await given.moveNote(read, 'done', by)
  const { run, id, agent } = record
  given.record({ event: 'run-ended', run, id, agent, how, attempt: isAttempt, ...(retryAtMs === undefined ? {} : { retry_at: formatTime(retryAtMs) }) })
  await records.remove(run)
}

/** So that the dispatcher, status and deadlines see it. */
export function noteTally(mail: Mail | undefined, { attempts, retryAtMs }: Tally): void {
  if (mail) Object.assign(mail, { attempts, retryAtMs })
}

async function settle(given: WakeGiven, record: Ended, by: string): Promise<void> {
  if (record.isNote) await given.moveNote(record.id, 'done', by)
  else await change(given, { id: record.id, to: 'done', actor: 'daemon', by })
}

async function giveBack(given: WakeGiven, record: Ended, by: string, why: string): Promise<void> {
  if (record.isNote) await given.moveNote(record.id, 'new', by)
  else await change(given, { id: record.id, to: 'open', actor: 'daemon', by, why })
}

/** Somebody has the file open: what follows from a run has to happen, so the whole is tried again. */
async function change(given: WakeGiven, asked: Change): Promise<void> {
  const changed = await given.apply(asked)
  if (changed.outcome === 'busy') throw new Error(changed.why)
}

/** Sealed before the task is settled, so that whoever waits for the settling finds the reply. What a run for a note prints goes to its log only. */
async function reply(given: WakeGiven, record: Ended, settles: 'done' | 'no'): Promise<void> {
  const { end, sender, subject } = record
  if (end.printed === '' || record.isNote || sender === record.agent || !isHolder(given.config(), sender)) return
  await given.submit({
    key: `reply:${record.run}`,
    from: record.agent,
    to: sender,
    kind: 'note',
    subject: /^re:/i.test(subject) ? subject : oneLine(`Re: ${subject}`),
    body: end.printed,
    priority: record.priority,
    inReplyTo: record.id,
    settles,
  })
}

async function fail(given: WakeGiven, record: Ended, attempts: number, by: string): Promise<void> {
  const { id, agent, isNote, run, sender, subject, end } = record
  const ended = describeEnding(end.ending)
  const how = end.lastLine === undefined ? ended : `${ended}: ${end.lastLine}`
  const log = `workspaces/${agent}/runs/${id}.log`
  const tries = counted(attempts, 'attempt')
  if (isNote) await given.moveNote(id, 'done', by)
  else {
    await change(given, { id, to: 'failed', actor: 'daemon', by, result: `Failed after ${tries}: ${how} (${log})`, why: ended })
    if (sender !== agent && isHolder(given.config(), sender)) {
      await given.submit({
        key: `failed:${run}`,
        from: 'pennypost',
        to: sender,
        kind: 'bounce',
        subject: oneLine(`Failed: ${subject}`),
        body: `Your task "${subject}" (${id}) to ${agent} is failed: its runner ended without settling it in ${tries}; the last one: ${how}\n\nWhat it printed is in ${log}. To have it tried again: penny set ${id} status=open\n`,
        inReplyTo: id,
      })
    }
  }
  const outcome = isNote ? 'the note was put away' : 'the task is failed and its sender told'
  given.raise({
    code: 'run-failed',
    about: id,
    agent,
    sentence: `The runner of ${agent} did not get through "${subject}" (${id}) in ${tries}; the last one: ${how}. So ${outcome}. What it printed is in ${log}.`,
    fix: fixOf(record, log),
  })
}

/**
 * Whoever only has it tried again sees it fail again: first what it said, or the line that names its program. A log is what the program
 * printed, byte by byte, also what a terminal would obey.
 */
function fixOf({ id, agent, isNote, end }: Ended, log: string): string {
  const mendCommand = end.ending.how === 'not-started' ? `\${EDITOR:-vi} policies/agents/${agent}.md` : `cat -v ${shellWord(log)}`
  if (isNote) return mendCommand
  return end.ending.how === 'not-started'
    ? `${mendCommand} && penny set ${id} status=open`
    : `${mendCommand}   # mend the runner, then: penny set ${id} status=open`
}
