/** The program of a run: started in its agent's jail, its output taken, its end awaited. */
import type { Runner } from '../core/config.ts'
import type { MessageId } from '../core/ids.ts'
import { type Enclosed, enclose, type Jail, lookWith, readStatus, readyJail } from '../jail/index.ts'
import type { Mail } from '../mailbox/index.ts'
import { signalName } from '../system/spawner.ts'
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
  const { as } = identity
  const home = given.layout.home(mail.holder)
  const ready = identity.jail && readyJail(given.disk, given.host(), identity.jail)
  if (ready?.fault !== undefined) return said(output, { how: 'no-jail', fault: ready.fault })
  const jail = ready?.jail
  const argv = commandOf(runner, given, jail)
  const fault = faultOfStart(given, argv[0] ?? '', home, jail)
  const stdin = readMessage(given, mail)
  if (fault !== undefined || !stdin)
    return said(output, { how: 'not-started', why: fault ?? `the message is not in ${mail.folder}/ as a plain file`, passing: false })
  const line = lineOf(given, jail, argv, environmentOf(given, mail, record, { jail, gateway: jail ? undefined : identity.gateway }))
  let status = ''
  const takeStatus = (chunk: Buffer): void => {
    status += chunk.toString()
  }
  let beginning = ''
  const begun = await startProcess(given.spawner, {
    group,
    argv: line.argv,
    env: line.env,
    cwd: jail ? '/' : home,
    as,
    stdin,
    output: (stream, chunk) => {
      output.log.write(chunk)
      output.lastLine.add(chunk)
      if (stream === 'stdout') output.printed.add(chunk)
      if (jail && beginning.length < KEPT_OF_START) beginning += chunk.toString('utf8', 0, KEPT_OF_START)
    },
    ...(jail ? { jail: { given: line.given, status: takeStatus } } : {}),
  })
  // In a jail it is bwrap or setpriv that could not be started: the program had no chance.
  if (!begun.ok) return said(output, jail && !begun.ending.passing ? { how: 'no-jail', fault: { kind: 'start', why: begun.ending.why } } : begun.ending)
  const { spawned } = begun
  const [ending] = await Promise.all([
    awaitEnd(given, { run: plan.run, uid: as?.uid }, spawned, runner.timeoutMs, leash),
    started({ pid: spawned.pid, startTime: spawned.startTime }),
  ])
  if (!jail) return ending
  const { pid, exitCode } = readStatus(status)
  // Its first process ends after bwrap, and the last of the others before it.
  if (pid !== undefined) await goneWithin(given, pid)
  if (ending.how !== 'exited') return ending
  if (exitCode === undefined) {
    const why = whyNot(beginning, ending.code, null)
    if (!jail.sameUid || jail.readable.length === 0) return { how: 'no-jail', fault: { kind: 'start', why } }
    // Perhaps by what another put in the place of its folders, which is told where it lies: that keeps nobody from running.
    output.log.say(`${why}: once more, without the mail of others`)
    return carryOut(given, { ...plan, identity: { ...identity, jail: { ...jail, readable: [] } } }, group, record, output, started)
  }
  // As a shell does, bwrap tells so of one that was killed.
  const signal = signalName(exitCode - 128)
  return signal === undefined ? ending : { how: 'signalled', signal }
}

function said(output: Output, ending: Ending): Ending {
  output.log.say(describeEnding(ending))
  return ending
}

function lineOf(given: WakeGiven, jail: Jail | undefined, argv: readonly string[], env: Readonly<Record<string, string>>): Enclosed {
  return jail ? enclose(jail, given.host(), lookWith(given.disk), { argv, env }) : { argv, env, given: [] }
}
