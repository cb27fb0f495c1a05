/** The time that counts towards a deadline: not while the daemon was down, not while the holder was paused, and no steps of the clock. */
import type { MessageId } from '../core/ids.ts'
import type { Name } from '../core/names.ts'
import { isOpenTask, type Ledger, type Mail } from '../mailbox/index.ts'
import { CLOCK_STEP_MS } from '../system/ids.ts'
import type { Clock } from '../system/types.ts'

/** From and to, milliseconds of the wall clock as it stands now: a step moves them all. */
type Span = [fromMs: number, toMs: number]

/** What survives a restart, as JSON. */
export type CountedState = Readonly<{
  /** When the daemon was last known to run. */
  beatMs: number
  down: readonly Readonly<Span>[]
  paused: Readonly<Record<string, readonly Readonly<Span>[]>>
  /** Tasks whose status began before a step: the moment as the ledger has it, and by how much the clock was stepped since. */
  stepped: Readonly<Record<string, readonly [sinceMs: number, stepMs: number]>>
}>

export type CountedTime = Readonly<{
  /** To be called before each look; returns by how many milliseconds the wall clock was stepped since the last one, 0 where it was not. */
  tick: (holders: Iterable<Name>, paused: (name: Name) => boolean) => number
  /** When the status of this task began, by the wall clock as it stands now. */
  startMs: (mail: Mail) => number
  /** Milliseconds since `fromMs` that do not count. */
  lostMs: (holder: Name, fromMs: number) => number
  /** Nothing that began before `oldestMs` is asked for any more. */
  forgetBefore: (oldestMs: number) => void
  state: () => CountedState
  /** How many tasks the state has a line for. */
  size: () => number
}>

export function countTime(clock: Clock, ledger: Ledger, saved: CountedState | undefined): CountedTime {
  let down: Span[] = (saved?.down ?? []).map(([from, to]) => [from, to])
  const pauses = new Map<string, Span[]>(Object.entries(saved?.paused ?? {}).map(([name, spans]) => [name, spans.map(([from, to]) => [from, to])]))
  const stepped = new Map<string, readonly [number, number]>(Object.entries(saved?.stepped ?? {}))
  let lastMonotonic = clock.monotonic()
  let lastWall = clock.now()
  /** Over a restart only a step backwards can be told from time that went by. Taken up by the first look, when the ledger is whole. */
  let stepWhileDown = 0
  if (saved && lastWall > saved.beatMs) down.push([saved.beatMs, lastWall])
  else if (saved && lastWall < saved.beatMs - CLOCK_STEP_MS) stepWhileDown = lastWall - saved.beatMs

  function startMs(mail: Mail): number {
    if (stepped.size === 0) return mail.sinceMs
    const known = stepped.get(mail.id)
    return known && known[0] === mail.sinceMs ? mail.sinceMs + known[1] : mail.sinceMs
  }

  /** How far the wall clock went that the monotonic one did not; in a sleeping machine the latter stands still, which is as good as being down. */
  function stepSince(wall: number, gapMs: number): number {
    const step = wall - lastWall - gapMs
    const whileDown = stepWhileDown
    stepWhileDown = 0
    return whileDown + (Math.abs(step) > CLOCK_STEP_MS ? step : 0)
  }

  function shift(stepMs: number, fromMs: number, toMs: number): void {
    for (const spans of [down, ...pauses.values()]) for (const span of spans) [span[0], span[1]] = [span[0] + stepMs, span[1] + stepMs]
    for (const mail of ledger.all()) {
      // What began since the last look has its moment from the stepped clock already.
      const isSince = mail.sinceMs >= fromMs && mail.sinceMs <= toMs
      if (isOpenTask(mail) && !isSince) stepped.set(mail.id, [mail.sinceMs, startMs(mail) - mail.sinceMs + stepMs])
    }
  }

  return {
    tick: (holders, paused) => {
      const [wall, monotonic] = [clock.now(), clock.monotonic()]
      const gapMs = monotonic - lastMonotonic
      const step = stepSince(wall, gapMs)
      if (step !== 0) shift(step, wall - gapMs, wall)
      for (const holder of holders) if (paused(holder)) extend(pauses, holder, wall - gapMs, wall)
      lastWall = wall
      lastMonotonic = monotonic
      return step
    },
    startMs,
    lostMs: (holder, fromMs) => overlap(down, fromMs) + overlap(pauses.get(holder) ?? [], fromMs),
    forgetBefore: (oldestMs) => {
      down = down.filter(([, to]) => to > oldestMs)
      for (const [name, spans] of pauses) {
        const left = spans.filter(([, to]) => to > oldestMs)
        if (left.length > 0) pauses.set(name, left)
        else pauses.delete(name)
      }
      for (const [id, [sinceMs]] of stepped) if (ledger.get(id as MessageId)?.sinceMs !== sinceMs) stepped.delete(id)
    },
    state: () => ({ beatMs: lastWall, down, paused: Object.fromEntries(pauses), stepped: Object.fromEntries(stepped) }),
    size: () => stepped.size,
  }
}

/** A pause is seen at each look: what lies between two looks that both see it is one span. */
function extend(pauses: Map<string, Span[]>, holder: string, fromMs: number, toMs: number): void {
  const spans = pauses.get(holder) ?? []
  const last = spans.at(-1)
  if (last && last[1] >= fromMs - 1) last[1] = toMs
  else spans.push([fromMs, toMs])
  pauses.set(holder, spans)
}

/** Spans are in order: those that ended before `fromMs` come first. */
function overlap(spans: readonly Span[], fromMs: number): number {
  let sum = 0
  for (let at = spans.length - 1; at >= 0; at--) {
    const span = spans[at]
    if (!span || span[1] <= fromMs) break
    sum += span[1] - Math.max(span[0], fromMs)
  }
  return sum
}
