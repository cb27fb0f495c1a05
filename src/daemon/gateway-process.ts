/** Keeps the gateway's process going: started again when it ends, after growing pauses; told everything anew each time. */
import { parseLine } from '../core/lines.ts'
import type { Clear, Raise } from '../core/post.ts'
import { counted } from '../core/text.ts'
import type { Ask, FromGateway, ToGateway } from '../gateway/index.ts'
import type { Partner } from '../system/partner.ts'
import type { Cancel, Clock, Log } from '../system/types.ts'

export type ProcessState = Readonly<{ state: 'none' | 'starting' | 'ready' | 'down'; pid?: number; sinceMs?: number; why?: string }>

export type GatewayProcess = Readonly<{
  /** Starts it where it does not run, also while the one before still ends. False: it runs. */
  start: () => boolean
  /** What it is told now; lost where it does not run: `begun` tells it again. */
  tell: (message: ToGateway) => void
  /** Rejects where it does not run, or does not answer in time. */
  ask: (ask: Ask, withinMs: number) => Promise<unknown>
  state: () => ProcessState
  /** Resolves when it has ended, within half a second. */
  stop: () => Promise<void>
}>

export type GatewayProcessGiven = Readonly<{
  clock: Clock
  log: Log
  raise: Raise
  clear: Clear
  launch: (heard: (line: string) => void) => Promise<Partner>
  /** A process is there that knows nothing yet. */
  begun: () => void
  heard: (message: Exclude<FromGateway, { tell: 'asked' }>) => void
  /** Nobody answers any more. */
  ended: () => void
}>

const PAUSES_MS = [0, 250, 500, 1_000, 2_000, 4_000, 10_000] as const
/** One that lived so long begins anew with the pauses. */
const CALM_MS = 60_000
const TOLD_AFTER = 3
/** One that is not ready by then is told of; it may still become so. */
const SLOW_MS = 15_000
const STOP_MS = 400
/** Asked so often whether it is stuck; whatever it says by itself is an answer as well. */
const ASKED_MS = 2_500
/** Turns without a word, about ten seconds, and a minute for one that begins; turns, not time: it may be this process that was stopped. */
const MOST_SILENT = 4
const MOST_SILENT_STARTING = 24
const ABOUT = 'gateway'

export function createGatewayProcess(given: GatewayProcessGiven): GatewayProcess {
  const { clock, log } = given
  let partner: Partner | undefined
  let launching: Promise<void> = Promise.resolve()
  /** One that was told to end. */
  let ending: Partner | undefined
  let state: ProcessState = { state: 'none' }
  let deaths = 0
  let wanted = false
  let stopped: Promise<void> = Promise.resolve()
  let again: Cancel | undefined
  let slow: Cancel | undefined
  let asked = 0
  let silent = 0
  const waiting = new Map<number, { done: (answer: unknown) => void; failed: (cause: Error) => void }>()

  function launch(): void {
    launching = launchOne()
  }

  async function launchOne(): Promise<void> {
    const startedMs = clock.monotonic()
    state = { state: 'starting', sinceMs: clock.now() }
    slow?.()
    slow = clock.after(SLOW_MS, () => state.state === 'starting' && tellDown('it is not ready 15 s after it was started'))
    let mine: Partner
    try {
      mine = await given.launch(hear)
    } catch (cause) {
      return over(startedMs, `it cannot be started: ${String(cause)}`)
    }
    partner = mine
    state = { ...state, pid: mine.pid }
    let failure: string | undefined
    const fail = (why: string): void => {
      failure = why
      mine.kill()
    }
    const cancel = watch(fail)
    void mine.ended.then(({ code, signal }) => {
      cancel()
      over(startedMs, failure ?? (code === null ? `it was killed by ${signal}` : `it ended with status ${code}`), mine === ending)
    })
    if (!wanted) return mine.close()
    try {
      given.begun()
    } catch (cause) {
      fail(`it cannot be told what it needs: ${String(cause)}`)
    }
  }

  /** One that lives and does nothing is worse than none: nobody starts another. */
  function watch(fail: (why: string) => void): Cancel {
    silent = 0
    return clock.every(ASKED_MS, () => {
      const most = state.state === 'ready' ? MOST_SILENT : MOST_SILENT_STARTING
      if (silent >= most) return fail(`it said nothing for ${Math.round((silent * ASKED_MS) / 1_000)} s, and was killed`)
      silent++
      tell({ tell: 'ask', id: ++asked, ask: { what: 'alive' } })
    })
  }

  function over(startedMs: number, why: string, isOrdered = false): void {
    partner = undefined
    slow?.()
    for (const { failed } of waiting.values()) failed(new Error(why))
    waiting.clear()
    given.ended()
    // Who is wanted again waits for that, in `start`.
    if (!wanted || isOrdered) {
      state = { state: 'none' }
      return
    }
    if (state.state === 'ready' && clock.monotonic() - startedMs >= CALM_MS) deaths = 0
    const pauseMs = PAUSES_MS[Math.min(deaths, PAUSES_MS.length - 1)] ?? 0
    deaths++
    state = { state: 'down', why, sinceMs: clock.now() }
    log('error', 'the gateway ended; it is started again', { why, in_ms: pauseMs, deaths })
    if (deaths >= TOLD_AFTER) tellDown(`${why}, ${counted(deaths, 'time')} in a row`)
    again = clock.after(Math.max(1, pauseMs), launch)
  }

  function tellDown(why: string): void {
    given.raise({
      code: 'gateway-down',
      about: ABOUT,
      sentence: `The model gateway does not run: ${why}. It is started again and again; until then no agent reaches a model.`,
      fix: 'penny gateway status',
    })
  }

  function hear(line: string): void {
    silent = 0
    const message = parseLine(line) as FromGateway | undefined
    if (message?.tell === 'asked') {
      waiting.get(message.id)?.done(message.answer)
      return void waiting.delete(message.id)
    }
    if (message?.tell === 'ready') {
      slow?.()
      state = { ...state, state: 'ready' }
      given.clear('gateway-down', ABOUT)
    }
    if (message) given.heard(message)
  }

  function tell(message: ToGateway): void {
    partner?.say(JSON.stringify(message))
  }

  return {
    start: () => {
      if (wanted) return false
      wanted = true
      deaths = 0
      // One that still ends has the doors.
      void stopped.then(() => (wanted && !partner ? launch() : undefined))
      return true
    },
    tell,
    ask: (ask, withinMs) =>
      new Promise((resolve, reject) => {
        if (!partner) return reject(new Error(state.why ?? 'it does not run'))
        const id = ++asked
        const late = clock.after(withinMs, () => {
          waiting.delete(id)
          reject(new Error(`it does not answer within ${Math.round(withinMs / 1000)} s`))
        })
        waiting.set(id, {
          done: (answer) => {
            late()
            resolve(answer)
          },
          failed: (cause) => {
            late()
            reject(cause)
          },
        })
        tell({ tell: 'ask', id, ask })
      }),
    state: () => state,
    stop: () => {
      if (wanted) stopped = end()
      return stopped
    },
  }

  async function end(): Promise<void> {
    wanted = false
    again?.()
    await launching
    // Wanted again before there was anything to end.
    if (wanted) return
    const mine = partner
    if (!mine) {
      state = { state: 'none' }
      return
    }
    ending = mine
    mine.close()
    const kill = clock.after(STOP_MS, mine.kill)
    await mine.ended
    kill()
  }
}
