/** A run's process: started, bounded in time, ended with everything it started. */
import type { MessageId } from '../core/ids.ts'
import type { Clock, Spawned, Spawner, SpawnPlan } from '../system/types.ts'
import type { Ending, Stop } from './verdict.ts'

/** From SIGTERM to SIGKILL: page 5 gives 500 ms until nothing is left. Milliseconds. */
const GRACE_MS = 300
/** The kernel's end of a killed process takes no longer, unless it hangs in a broken device. Milliseconds. */
const DEAD_WITHIN_MS = 2_000
/** What a fork fails with when the machine is short of something. */
const PASSING = new Set(['EAGAIN', 'ENOMEM', 'EMFILE', 'ENFILE', 'ETXTBSY'])

type World = Readonly<{ clock: Clock; spawner: Spawner }>

/** What a stop has to reach, whatever the run is doing just then. */
export type Leash = {
  stopped: Stop | undefined
  /** The daemon ends: what cannot be done now is left to the next one. */
  closing: boolean
  /** Set while there is something to be ended: a process, or a wait. */
  end: (() => void) | undefined
}

/** The run, and as whom it acts (undefined: as the daemon). */
type Whose = Readonly<{ run: MessageId; uid: number | undefined }>

export type Started = { ok: true; spawned: Spawned } | { ok: false; ending: Extract<Ending, { how: 'not-started' }> }

export async function startProcess(spawner: Spawner, plan: SpawnPlan): Promise<Started> {
  try {
    return { ok: true, spawned: await spawner.spawn(plan) }
  } catch (cause) {
    const { code = 'unknown error' } = cause as NodeJS.ErrnoException
    const [program = ''] = plan.argv
    // execvp(3) says EACCES where a folder of PATH may not be searched: for a bare name that is as good as none.
    const nowhere = code === 'ENOENT' || (code === 'EACCES' && !program.includes('/'))
    const why = nowhere ? `there is no program ${program} in PATH` : `${program}: ${code}`
    return { ok: false, ending: { how: 'not-started', why, passing: PASSING.has(code) } }
  }
}

/** Resolves when the program has ended, in time or not. */
export async function awaitEnd(world: World, { run, uid }: Whose, spawned: Spawned, timeoutMs: number, leash: Leash): Promise<Ending> {
  const { clock, spawner } = world
  let timedOut = false
  let ended = false
  let cancel = (): void => undefined

  function end(): void {
    // What may see or do less now has no time left.
    if (leash.stopped === 'configuration') return spawned.kill('SIGKILL')
    spawned.kill('SIGTERM')
    clock.after(GRACE_MS, () => {
      if (!ended) spawned.kill('SIGKILL')
    })
  }
  const deadline = clock.monotonic() + timeoutMs
  /** Timers have an end of their own (24.8 days): until the deadline is really there, again. */
  const watch = (): void => {
    cancel = clock.after(Math.max(0, deadline - clock.monotonic()), () => {
      if (clock.monotonic() < deadline) return watch()
      timedOut = true
      end()
    })
  }
  watch()
  leash.end = end
  if (leash.stopped) end()
  const { code, signal } = await spawned.ended
  ended = true
  cancel()
  leash.end = undefined
  if (leash.stopped || timedOut) endByEnvironment(spawner, { run, uid })
  if (leash.stopped) return { how: 'stopped', why: leash.stopped }
  if (timedOut) return { how: 'timed-out', afterMs: timeoutMs }
  return code === null ? { how: 'signalled', signal: signal ?? 'a signal' } : { how: 'exited', code }
}

/** Resolves when this process is gone, or hangs in the kernel. */
export async function goneWithin({ clock, spawner }: World, pid: number): Promise<void> {
  const started = clock.monotonic()
  while (spawner.alive(pid) !== undefined && clock.monotonic() - started < DEAD_WITHIN_MS) await new Promise<void>((resolve) => void clock.after(2, resolve))
}

/** Processes that left the group still carry the run's name in their environment, unless they took it off. */
function endByEnvironment(spawner: Spawner, { run, uid }: Whose): number[] {
  const pids = spawner.withEnvironment(`PENNY_RUN=${run}`, uid)
  for (const pid of pids) spawner.kill(pid, 'SIGKILL')
  return pids
}

/**
 * Ends what a run of an earlier daemon left. Resolves to whether anything of it was there, and whether nothing is left.
 * `known`: recorded pid and start time, of this boot.
 */
export async function endLeftover(
  world: World,
  whose: Whose,
  known: Readonly<{ pid: number; startTime: string }> | undefined,
): Promise<{ found: boolean; gone: boolean }> {
  const { clock, spawner } = world
  const isLeader = known !== undefined && spawner.alive(known.pid) === known.startTime
  if (isLeader) spawner.killGroup(known.pid, 'SIGKILL')
  const pids = new Set(endByEnvironment(spawner, whose))
  if (isLeader) pids.add(known.pid)
  const started = clock.monotonic()
  for (;;) {
    const left = [...pids].some((pid) => spawner.alive(pid) !== undefined)
    if (!left) return { found: pids.size > 0, gone: true }
    if (clock.monotonic() - started > DEAD_WITHIN_MS) return { found: true, gone: false }
    await new Promise<void>((resolve) => void clock.after(10, resolve))
    for (const pid of endByEnvironment(spawner, whose)) pids.add(pid)
  }
}
