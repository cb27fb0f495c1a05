/** What follows from the end of a run: from how it ended and what the file says then. Pure. */
import type { Status } from '../core/status.ts'
import { formatDuration } from '../core/units.ts'
import type { JailFault } from '../jail/index.ts'

export type Stop = 'pause' | 'shutdown' | 'configuration' | 'withdrawn'

export type Ending =
  | Readonly<{ how: 'exited'; code: number }>
  | Readonly<{ how: 'signalled'; signal: string; outOfMemory?: true }>
  | Readonly<{ how: 'timed-out'; afterMs: number }>
  /** We stopped it: no attempt. */
  | Readonly<{ how: 'stopped'; why: Stop }>
  /** `passing`: the machine had no room for it just then, which is not the program's fault. */
  | Readonly<{ how: 'not-started'; why: string; passing: boolean }>
  /** Its jail could not be made. */
  | Readonly<{ how: 'no-jail'; fault: JailFault }>
  /** The daemon died. */
  | Readonly<{ how: 'orphaned'; started: boolean }>

export type Verdict =
  /** The task is done, or the note read. */
  | Readonly<{ act: 'settle' }>
  /** The run settled the task itself. */
  | Readonly<{ act: 'settled' }>
  /** The file is right as it is. */
  | Readonly<{ act: 'leave' }>
  /** Back to new/, as if nothing had been. */
  | Readonly<{ act: 'return' }>
  /** Back to new/, not before a moment (milliseconds since 1970). */
  | Readonly<{ act: 'retry'; tally: Tally; attempt: boolean }>
  | Readonly<{ act: 'fail'; attempts: number }>

/** What went wrong with one message so far. */
export type Tally = Readonly<{
  attempts: number
  /** Times the program itself asked for another try; they are no attempts. */
  deferrals: number
  retryAtMs: number
}>

/** EX_TEMPFAIL of sysexits.h. */
const TRY_AGAIN = 75
const FIRST_DELAY_MS = 1_000
/** Longer than this no message waits for its next try, whatever the clock was set to meanwhile. */
export const LONGEST_DELAY_MS = 600_000

/** 1 s, 4 s, 16 s … 10 min after the first, second, third … end that was none. */
export function retryDelayMs(ends: number): number {
  return Math.min(LONGEST_DELAY_MS, FIRST_DELAY_MS * 4 ** Math.min(ends - 1, 10))
}

/** `status`: what the file says now; null for a note, undefined where it is gone. */
export function judge(
  ending: Ending,
  status: Status | null | undefined,
  so: Pick<Tally, 'attempts' | 'deferrals'>,
  maxAttempts: number,
  nowMs: number,
): Verdict {
  switch (status) {
    case undefined:
    case 'blocked':
    case 'cancelled':
      return { act: 'leave' }
    case 'done':
    case 'failed':
      return { act: 'settled' }
    case 'open':
    case 'in_progress':
    case null:
      return judgeUnsettled(ending, status, so, maxAttempts, nowMs)
  }
}

function judgeUnsettled(
  ending: Ending,
  status: 'open' | 'in_progress' | null,
  so: Pick<Tally, 'attempts' | 'deferrals'>,
  maxAttempts: number,
  nowMs: number,
): Verdict {
  const retry = (attempt: boolean): Verdict => {
    const [attempts, deferrals] = attempt ? [so.attempts + 1, so.deferrals] : [so.attempts, so.deferrals + 1]
    if (attempt && attempts >= maxAttempts) return { act: 'fail', attempts }
    return { act: 'retry', tally: { attempts, deferrals, retryAtMs: nowMs + retryDelayMs(attempts + deferrals) }, attempt }
  }
  switch (ending.how) {
    case 'exited':
      if (ending.code === TRY_AGAIN) return retry(false)
      // Released by its own run: at once again would be again for ever.
      if (ending.code === 0) return status === 'open' ? retry(false) : { act: 'settle' }
      return retry(true)
    case 'signalled':
    case 'timed-out':
      return retry(true)
    case 'not-started':
      return retry(!ending.passing)
    case 'stopped':
    case 'no-jail':
      return { act: 'return' }
    case 'orphaned':
      // Nothing was claimed, or the holder has released it since.
      if (status === 'open') return { act: 'leave' }
      return ending.started ? retry(true) : { act: 'return' }
  }
}

/** For the journal, the log and the sender: `exit 3`, `killed by SIGKILL`, `not ended after 30m`. */
export function describeEnding(ending: Ending): string {
  switch (ending.how) {
    case 'exited':
      return `exit ${ending.code}`
    case 'signalled':
      return `killed by ${ending.signal}${ending.outOfMemory ? ': out of memory' : ''}`
    case 'timed-out':
      return `not ended after ${formatDuration(ending.afterMs)}`
    case 'stopped':
      return `stopped: ${ending.why}`
    case 'not-started':
      return `not started: ${ending.why}`
    case 'no-jail':
      return `not started: its jail cannot be made: ${ending.fault.why}`
    case 'orphaned':
      return ending.started ? 'the daemon died while it ran' : 'the daemon died before it began'
  }
}
