/** One run, from its record to what followed from it. */
import type { Runner } from '../core/config.ts'
import type { MessageId } from '../core/ids.ts'
import { formatTime } from '../core/time.ts'
import type { Mail } from '../mailbox/index.ts'
import { follow } from './consequences.ts'
import type { Identity, WakeGiven } from './given.ts'
import { commandOf, environmentOf, faultOfStart, readMessage } from './plan.ts'
import { collectPrinted, type Printed } from './printed.ts'
import { awaitEnd, type Leash, startProcess } from './process.ts'
import type { Records, RunRecord } from './records.ts'
import { openRunLog, type RunLog } from './runlog.ts'
import { describeEnding, type Ending, judge } from './verdict.ts'
import { repliesFor } from './wakes.ts'

/** Front matter that the daemon writes above a reply. Bytes. */
const ROOM_FOR_HEAD = 4096
/** After a disk that was full or a letter that was refused. Milliseconds. */
const AGAIN_MS = 5_000

export type RunPlan = Readonly<{ run: MessageId; mail: Mail; runner: Runner; identity: Identity; leash: Leash }>

/** Resolves when the run is over and done with, or there was none because somebody else has the message. Rejects with nothing claimed where its record could not be written. */
export async function conduct(given: WakeGiven, records: Records, plan: RunPlan): Promise<void> {
  const { run, mail, leash } = plan
  let record = firstRecord(given, records, plan)
  await records.write(record)
  try {
    if (leash.stopped || !(await claim(given, record))) {
      await records.remove(run)
      return
    }
  } catch (cause) {
    given.log('error', 'a claim broke off', { id: mail.id, run, why: String(cause) })
    return insist(given, leash, record, () => conclude(given, records, record, { how: 'orphaned', started: false }, ''))
  }
  const log = openRunLog(given.disk, given.log, `${given.layout.runs(mail.holder)}/${mail.id}.log`, plan.identity.logOwner)
  const printed = collectPrinted(Math.max(0, given.config().org.limits.messageBytes - ROOM_FOR_HEAD))
  log.say(`run ${run}, attempt ${record.attempt} of ${record.maxAttempts}, ${formatTime(given.clock.now())}`)
  const ending = await execute(given, plan, record, { log, printed }, async (process) => {
    record = { ...record, process }
    given.record({ event: 'run-started', run, id: mail.id, agent: mail.holder, attempt: record.attempt })
    // Without pid and start time it would still be found, by its environment.
    await records.write(record).catch((cause: unknown) => given.log('warn', 'pid of a run is not recorded', { run, why: String(cause) }))
  }).catch((cause: unknown): Ending => {
    given.log('error', 'a run broke off', { id: mail.id, run, why: String(cause) })
    return { how: 'orphaned', started: true }
  })
  log.say(`${describeEnding(ending)}, ${formatTime(given.clock.now())}`)
  log.close()
  await insist(given, leash, record, () => conclude(given, records, record, ending, printed.text(`runs/${mail.id}.log`)))
}

/** Judges an end, writes down what follows, and does it. */
export async function conclude(given: WakeGiven, records: Records, record: RunRecord, ending: Ending, printed: string): Promise<void> {
  if (record.end) return follow(given, records, { ...record, end: record.end })
  const status = await given.lookAgain(record.id, record.agent)
  const tally = records.tallyOf(record.id)
  const verdict = judge(ending, status, { attempts: tally?.attempts ?? 0, deferrals: tally?.deferrals ?? 0 }, record.maxAttempts, given.clock.now())
  const ended = { ...record, end: { ending, verdict, printed } }
  await records.write(ended)
  await follow(given, records, ended)
}

/** What has to happen is tried until it does; a stopping daemon leaves it to the next one's recovery. */
async function insist(given: WakeGiven, leash: Leash, { id, run }: RunRecord, work: () => Promise<void>): Promise<void> {
  for (;;) {
    try {
      return await work()
    } catch (cause) {
      given.log('error', 'a run cannot be concluded', { id, run, why: String(cause) })
    }
    if (leash.closing) return
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

async function claim(given: WakeGiven, { id, agent, isNote }: RunRecord): Promise<boolean> {
  const by = `run:${agent}`
  const changed = isNote ? await given.moveNote(id, 'cur', by) : await given.apply({ id, to: 'in_progress', actor: 'daemon', by, claim: true })
  return changed.outcome === 'changed'
}

type Output = Readonly<{ log: RunLog; printed: Printed }>

async function execute(
  given: WakeGiven,
  plan: RunPlan,
  record: RunRecord,
  output: Output,
  started: (process: { pid: number; startTime: string }) => Promise<void>,
): Promise<Ending> {
  const { mail, runner, identity, leash } = plan
  if (leash.stopped) return { how: 'stopped', why: leash.stopped }
  const home = given.layout.home(mail.holder)
  const argv = commandOf(runner, given)
  const fault = faultOfStart(given.disk, argv, home)
  const stdin = readMessage(given, mail)
  if (fault !== undefined || !stdin) {
    const why = fault ?? `the message is not in ${mail.folder}/ as a plain file`
    output.log.say(why)
    return { how: 'not-started', why, passing: false }
  }
  const begun = await startProcess(given.spawner, {
    argv,
    cwd: home,
    env: environmentOf(given, mail, record),
    as: identity.as,
    stdin,
    output: (stream, chunk) => {
      output.log.write(chunk)
      if (stream === 'stdout') output.printed.add(chunk)
    },
  })
  if (!begun.ok) {
    output.log.say(describeEnding(begun.ending))
    return begun.ending
  }
  const { spawned } = begun
  const [ending] = await Promise.all([
    awaitEnd(given, { run: plan.run, uid: identity.as?.uid }, spawned, runner.timeoutMs, leash),
    started({ pid: spawned.pid, startTime: spawned.startTime }),
  ])
  return ending
}
