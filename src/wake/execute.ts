/** The program of a run: started in its agent's jail, its output taken, its end awaited. */
import type { Runner } from '../core/config.ts'
import type { MessageId } from '../core/ids.ts'
import { faultOfHost } from '../jail/index.ts'
import type { Mail } from '../mailbox/index.ts'
import { signalName } from '../system/spawner.ts'
import { enter } from './enter.ts'
import type { Identity, WakeGiven } from './given.ts'
import { commandOf, environmentOf, faultOfStart, readMessage } from './plan.ts'
import type { Printed } from './printed.ts'
import { awaitEnd, goneWithin, type Leash, startProcess } from './process.ts'
import type { RunRecord } from './records.ts'
import type { RunLog } from './runlog.ts'
import { whyNot } from './tryjail.ts'
import { describeEnding, type Ending } from './verdict.ts'

export type RunPlan = Readonly<{ run: MessageId; mail: Mail; runner: Runner; identity: Identity; leash: Leash }>

type Output = Readonly<{ log: RunLog; printed: Printed; lastLine: Pick<Printed, 'add'> }>

type TakeProcess = (process: { pid: number; startTime: string }) => Promise<void>

/** Enough for what says that a jail cannot be made. Characters. */
const KEPT_OF_START = 2_000

/** Resolves when nothing of it is left. `started` is awaited, too. */
export async function execute(given: WakeGiven, plan: RunPlan, record: RunRecord, output: Output, started: TakeProcess): Promise<Ending> {
  const group = given.groups?.make(plan.run)
  let outOfMemory: boolean | undefined = false
  const ending = await carryOut(given, plan, group, record, output, started).finally(() => {
    outOfMemory = group === undefined ? false : given.groups?.remove(group)
  })
  return outOfMemory && ending.how === 'signalled' ? { ...ending, outOfMemory } : ending
}

async function carryOut(given: WakeGiven, plan: RunPlan, group: string | undefined, record: RunRecord, output: Output, started: TakeProcess): Promise<Ending> {
  const { mail, runner, identity, leash } = plan
  if (leash.stopped) return { how: 'stopped', why: leash.stopped }
  const { as, jail } = identity
  const home = given.layout.home(mail.holder)
  const noJail = jail && faultOfHost(given.host())
  if (noJail !== undefined) return said(output, { how: 'no-jail', why: noJail })
  const argv = commandOf(runner, given, jail)
  const fault = faultOfStart(given, argv[0] ?? '', home, jail)
  const stdin = readMessage(given, mail)
  if (fault !== undefined || !stdin)
    return said(output, { how: 'not-started', why: fault ?? `the message is not in ${mail.folder}/ as a plain file`, passing: false })
  const env = environmentOf(given, mail, record, jail)
  const entry = jail && enter(given.disk, given.host(), jail, { argv, env })
  let beginning = ''
  const begun = await startProcess(given.spawner, {
    group,
    argv: entry?.argv ?? argv,
    env,
    cwd: jail ? '/' : home,
    as,
    stdin,
    output: (stream, chunk) => {
      output.log.write(chunk)
      output.lastLine.add(chunk)
      if (stream === 'stdout') output.printed.add(chunk)
      if (jail && beginning.length < KEPT_OF_START) beginning += chunk.toString('utf8', 0, KEPT_OF_START)
    },
    ...(entry ? { jail: entry.pipes } : {}),
  })
  if (!begun.ok) return said(output, begun.ending)
  const { spawned } = begun
  const [ending] = await Promise.all([
    awaitEnd(given, { run: plan.run, uid: as?.uid }, spawned, runner.timeoutMs, leash),
    started({ pid: spawned.pid, startTime: spawned.startTime }),
  ])
  if (!entry) return ending
  const { pid, exitCode } = entry.said()
  // Its first process ends after bwrap, and the last of the others before it.
  if (pid !== undefined) await goneWithin(given, pid)
  if (ending.how !== 'exited') return ending
  const exchanged = entry.exchanged()
  if (exchanged !== undefined) return { how: 'no-jail', why: `${exchanged} was exchanged for something else` }
  if (exitCode === undefined) return { how: 'no-jail', why: whyNot(beginning, ending.code, null) }
  // As a shell does, bwrap tells so of one that was killed.
  const signal = signalName(exitCode - 128)
  return signal === undefined ? ending : { how: 'signalled', signal }
}

function said(output: Output, ending: Ending): Ending {
  output.log.say(describeEnding(ending))
  return ending
}
