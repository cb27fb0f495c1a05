/** When a supervisor is told what: it holds back what needs mail until the daemon is ready, and ends one that hangs. */
import { showSafely } from '../core/text.ts'
import { type Supervision, type Tell, tellSupervisor } from '../system/supervisor.ts'
import type { System } from '../system/types.ts'

export type Supervised = Readonly<{
  /** Mail is admitted. */
  ready: (organisation: string) => void
  /** Does the work and says when it began and when it was done. */
  reloading: (work: () => void) => void
  stopping: (drainMs: number) => void
}>

export async function serveSupervisor(supervision: Supervision | undefined, { clock, log }: Pick<System, 'clock' | 'log'>): Promise<Supervised> {
  const failed = (why: string, fix: string): void => log('warn', 'the supervisor may not know how this daemon is', { why, fix })
  const tell: Tell = supervision ? await tellSupervisor(supervision, clock, failed) : () => undefined
  let isReady = false
  let isStopping = false
  const ready = (status: readonly string[]): void => {
    // A daemon that is already ending is not ready again.
    if (!isStopping) tell('READY=1', ...status)
  }
  tell('STATUS=starting: what is there is being read')
  if (supervision?.watchdogMs !== undefined) {
    // From a timer of the event loop: one that no longer turns says nothing, and half the time is what sd_watchdog_enabled(3) advises.
    clock.every(supervision.watchdogMs / 2, () => tell('WATCHDOG=1'))
  }
  return {
    ready: (organisation) => {
      isReady = true
      ready([`STATUS=${showSafely(organisation)} admits mail`])
    },
    reloading: (work) => {
      // Before it was ready there is nothing to begin again.
      if (!isReady || isStopping) return work()
      tell('RELOADING=1', `MONOTONIC_USEC=${process.hrtime.bigint() / 1000n}`)
      work()
      ready([])
    },
    stopping: (drainMs) => {
      isStopping = true
      // From STOPPING=1 on systemd counts its own time for a stop, which is shorter than runs may be.
      if (drainMs > 0) tell('STATUS=stopping once runs have ended')
      else tell('STOPPING=1', 'STATUS=stopping')
    },
  }
}
