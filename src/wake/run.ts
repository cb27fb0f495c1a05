/** One run, from its record to what followed from it. */
import type { Changed } from '../core/post.ts'
import { formatTime } from '../core/time.ts'
import type { JailFault } from '../jail/index.ts'
import { follow } from './consequences.ts'
import { execute, type RunPlan } from './execute.ts'
import type { WakeGiven } from './given.ts'
import { collectLastLine, collectPrinted } from './printed.ts'
import type { Leash } from './process.ts'
import type { Records, RunRecord } from './records.ts'
import { openRunLog } from './runlog.ts'
import { describeEnding, type Ending, judge } from './verdict.ts'
import { repliesFor } from './wakes.ts'

/** Front matter that the daemon writes above a reply. Bytes. */
const ROOM_FOR_HEAD = 4096
/** After a disk that was full or a letter that was refused. Milliseconds. */
const AGAIN_MS = 5_000

/** `noJail`: why its jail could not be made; the message is back. */
export type Conducted = 'over' | 'busy' | Readonly<{ noJail: JailFault }>

/** Resolves when the run is over and done with, or there was none because somebody else has the message (`busy`: open, so that it cannot be claimed now). `waits` is called when the process is over and what follows is waited for. Rejects with nothing claimed where its record could not be written. */
export async function conduct(given: WakeGiven, records: Records, plan: RunPlan, waits: () => void): Promise<Conducted> {
  const { run, mail, leash } = plan
  let record = firstRecord(given, records, plan)
  await records.write(record)
  try {
    const claimed = leash.stopped ? 'gone' : await claim(given, record)
    if (claimed !== 'changed') {
      await records.remove(run)
      return claimed === 'busy' ? 'busy' : 'over'
    }
  } catch (cause) {
    given.log('error', 'a claim broke off', { id: mail.id, run, why: String(cause) })
    await insist(given, leash, record, concluding(given, records, record, { how: 'orphaned', started: false }, ''), waits)
    return 'over'
  }
  const log = openRunLog(given.disk, given.log, `${given.layout.runs(mail.holder)}/${mail.id}.log`, plan.identity.logOwner)
  const printed = collectPrinted(Math.max(0, given.config().org.limits.messageBytes - ROOM_FOR_HEAD))
  log.say(`run ${run}, attempt ${record.attempt} of ${record.maxAttempts}, ${formatTime(given.clock.now())}`)
  const lastLine = collectLastLine()
  const ending = await execute(given, plan, record, { log, printed, lastLine }, async (process) => {
    const isFirst = record.process === undefined
    record = { ...record, process }
    if (isFirst) given.record({ event: 'run-started', run, id: mail.id, agent: mail.holder, attempt: record.attempt })
    // Without pid and start time it would still be found, by its environment.
    await records.write(record).catch((cause: unknown) => given.log('warn', 'pid of a run is not recorded', { run, why: String(cause) }))
  }).catch((cause: unknown): Ending => {
    given.log('error', 'a run broke off', { id: mail.id, run, why: String(cause) })
    return { how: 'orphaned', started: true }
  })
  log.say(`${describeEnding(ending)}, ${formatTime(given.clock.now())}`)
  log.close()
  await insist(given, leash, record, concluding(given, records, record, ending, printed.text(`runs/${mail.id}.log`), lastLine.text()), waits)
  return ending.how === 'no-jail' ? { noJail: ending.fault } : 'over'
}

/** Judges an end, writes down what follows, and does it. */
export async function conclude(given: WakeGiven, records: Records, record: RunRecord, ending: Ending, printed: string, lastLine?: string): Promise<void> {
  await concluding(given, records, record, ending, printed, lastLine)()
}

/** The same, to be tried again: it is judged once, or each time would count as an attempt. */
function concluding(given: WakeGiven, records: Records, record: RunRecord, ending: Ending, printed: string, lastLine?: string): () => Promise<void> {
  let ended = record.end && { ...record, end: record.end }
  return async () => {
    ended ??= await end(given, records, record, ending, printed, lastLine)
    await follow(given, records, ended)
  }
}

async function end(
  given: WakeGiven,
  records: Records,
  record: RunRecord,
  ending: Ending,
  printed: string,
  lastLine: string | undefined,
): Promise<RunRecord & Required<Pick<RunRecord, 'end'>>> {
  const status = await given.lookAgain(record.id, record.agent)
  const tally = records.tallyOf(record.id)
  const verdict = judge(ending, status, { attempts: tally?.attempts ?? 0, deferrals: tally?.deferrals ?? 0 }, record.maxAttempts, given.clock.now())
  const ended = { ...record, end: { ending, verdict, printed, ...(lastLine === undefined ? {} : { lastLine }) } }
  await records.write(ended)
  return ended
}

/** What has to happen is tried until it does; a stopping daemon leaves it to the next one's recovery. */
async function insist(given: WakeGiven, leash: Leash, { id, run }: RunRecord, work: () => Promise<void>, waits: () => void): Promise<void> {
  for (;;) {
    try {
      return await work()
    } catch (cause) {
      given.log('error', 'a run cannot be concluded', { id, run, why: String(cause) })
    }
    if (leash.closing) return
    waits()
    await new Promise<void>((resolve) => {
      const cancel = given.clock.after(AGAIN_MS, resolve)
      leash.end = () => {
        cancel()
        resolve()
      }
    })
    leash.end = undefined
  }
}

function firstRecord(given: WakeGiven, records: Records, { run, mail, runner }: RunPlan): RunRecord {
  return {
    run,
    id: mail.id,
    agent: mail.holder,
    isNote: mail.status === null,
    sender: mail.from,
    subject: mail.subject,
    priority: mail.priority,
    attempt: (records.tallyOf(mail.id)?.attempts ?? 0) + 1,
    maxAttempts: runner.maxAttempts,
    boot: given.bootId,
    startedMs: given.clock.now(),
    replies: repliesFor(mail, given).map(({ id }) => id),
  }
}

async function claim(given: WakeGiven, { id, agent, isNote }: RunRecord): Promise<Changed['outcome']> {
  const by = `run:${agent}`
  const changed = isNote ? await given.moveNote(id, 'cur', by) : await given.apply({ id, to: 'in_progress', actor: 'daemon', by, claim: true, waitMs: 0 })
  return changed.outcome
}
