/** Looks at every open task: what is late, answered but open, expired, or waits in a circle. */
import { type Config, holdersOf, isHolder, managerOf } from '../core/config.ts'
import type { Entry, Event } from '../core/event.ts'
import type { MessageId } from '../core/ids.ts'
import type { Name } from '../core/names.ts'
import type { Apply, ClearAll, Raise, Submit } from '../core/post.ts'
import { formatAge } from '../core/units.ts'
import { isOpenTask, type Ledger, type Mail } from '../mailbox/index.ts'
import type { Clock, Log } from '../system/types.ts'
import { findCircles, type WaitsFor } from './circles.ts'
import { type CountedState, countTime } from './counted.ts'
import { type LateCode, type Lateness, LEVELS, type Level, latenessOf, momentMs } from './lateness.ts'
import { type Escalation, letterAbout, letterAboutMany, letterOfExpiry, MOST_SINGLE_LETTERS } from './letters.ts'
import { circleFault, emptyPiles, LATE_CODES, type Piles, pile, summaryFault } from './summary.ts'
import { makeTold } from './told.ts'

/** A holder that closes right after answering is not told off. */
const ANSWER_SETTLES_MS = 60_000
/** The state is small but after a step of the clock, when it has a line for each task of before. */
const LARGE_STATE = 1_000
const SAVE_LARGE_MS = 60_000
const FORGET_EVERY_MS = 60_000

/** What survives a restart, as JSON. */
export type DeadlinesState = CountedState & Readonly<{ untold?: readonly MessageId[] }>

export type DeadlinesGiven = Readonly<{
  clock: Clock
  ledger: Ledger
  log: Log
  config: () => Config
  raise: Raise
  clearAll: ClearAll
  submit: Submit
  apply: Apply
  record: (event: Event) => void
  paused: (name: Name) => boolean
  /** The messages that a blocked task waits for, as far as they are known: asked of every one at each look, so nothing is looked up for it. */
  waitsFor: WaitsFor
  /** Whether that was asked of all since the start: before, a circle that is not found is not over. */
  isWaitingKnown: () => boolean
  /** A message as the journal has it, settled or not. */
  past: (id: MessageId) => Promise<Mail | undefined>
  /** `.penny/state/deadlines.json`, read at once; undefined: none yet, or unreadable. */
  load: () => DeadlinesState | undefined
  /** May reject: the next look saves again. */
  save: (state: DeadlinesState) => Promise<void>
}>

export type Deadlines = Readonly<{
  /** To be called every 10 s, the first time when the ledger is whole. The look itself ends before it returns; resolves when all that had to be told is. */
  check: () => Promise<void>
  /** The last look at the clock, written down: a step that nobody noted would count as time of what began since. */
  stop: () => Promise<void>
  /** Entries of the journal: those of before the restart before the first look, then each as it is recorded. */
  replay: (entry: Entry) => void
}>

/** What one look found; `late` only where somebody is still to be told. */
type Look = Readonly<{ piles: Piles; late: { mail: Mail; late: Lateness }[]; expired: Mail[]; blocked: Mail[] }>

export function createDeadlines(given: DeadlinesGiven): Deadlines {
  const { clock, ledger, log, config } = given
  const told = makeTold()
  const saved = given.load()
  const time = countTime(clock, ledger, saved)
  let answers = new Map<MessageId, number>()
  /** Expired, and held open when that was to be written. */
  const busy = new Set<MessageId>()
  /**
   * Cancelled or to be, and its sender perhaps not told: a full disk, a stop or a crash may come between. Written down before anything is
   * cancelled. Without a message: of before the restart.
   */
  const untold = new Map<MessageId, Mail | undefined>(saved?.untold?.map((id) => [id, undefined]))
  let savedUntold = [...untold.keys()].join(' ')
  let telling = false
  let recalling = false
  let savedAt = Number.NEGATIVE_INFINITY
  let forgotAt = Number.NEGATIVE_INFINITY

  function look(): Look {
    const [nowMs, monotonic] = [clock.now(), clock.monotonic()]
    const { priorities } = config()
    const found: Look = { piles: emptyPiles(), late: [], expired: [], blocked: [] }
    const seen = new Map<MessageId, number>()
    let oldestMs = nowMs
    for (const mail of ledger.all()) {
      if (!isOpenTask(mail)) continue
      if (mail.sinceMs < oldestMs) oldestMs = Math.min(oldestMs, time.startMs(mail))
      if (mail.status === 'blocked' && mail.blockedOn.length > 0) found.blocked.push(mail)
      if (mail.expires !== undefined && mail.status === 'open' && (momentMs(mail.expires) ?? nowMs + 1) <= nowMs) {
        found.expired.push(mail)
        if (!busy.has(mail.id)) continue
      }
      if (mail.answered !== undefined) {
        const since = answers.get(mail.id) ?? monotonic
        seen.set(mail.id, since)
        if (monotonic - since >= ANSWER_SETTLES_MS) pile(found.piles, 'answered-open', mail)
      }
      const late = latenessOf(mail, priorities, time, nowMs)
      if (!late) continue
      pile(found.piles, late.code, mail)
      if (!told.isTold(mail, late)) found.late.push({ mail, late })
    }
    answers = seen
    if (monotonic - forgotAt >= FORGET_EVERY_MS) {
      time.forgetBefore(oldestMs)
      told.forgetSettled(ledger)
      for (const id of busy) if (!ledger.get(id)) busy.delete(id)
      forgotAt = monotonic
    }
    return found
  }

  function alert({ piles, blocked }: Look): void {
    for (const code of LATE_CODES) {
      const ofCode = piles.get(code) ?? new Map<Name, never>()
      for (const [agent, tasks] of ofCode) given.raise(summaryFault(code, agent, tasks))
      given.clearAll(code, new Set(ofCode.keys()))
    }
    const circles = findCircles(blocked, given.waitsFor).map(circleFault)
    for (const fault of circles) given.raise(fault)
    if (given.isWaitingKnown()) given.clearAll('blocked-cycle', new Set(circles.map(({ about }) => about)))
  }

  /** The reader of a level; undefined where there is nobody else to tell. */
  function readerOf(mail: Mail, level: Level): Name | undefined {
    if (!isHolder(config(), mail.holder)) return level === 1 ? undefined : config().org.postmaster
    if (level === 1) return mail.holder
    const reader = level === 2 ? managerOf(config(), mail.holder) : config().org.postmaster
    return reader === mail.holder ? undefined : reader
  }

  function tell(mail: Mail, code: LateCode, dueMs: number | undefined, level: Level): void {
    told.tell(mail, code, dueMs, level)
    given.record({ event: 'escalated', id: mail.id, level, code })
  }

  async function escalate(late: Look['late']): Promise<void> {
    const piles = new Map<string, Escalation[]>()
    for (const { mail, late: lateness } of late) {
      for (const level of told.missing(mail, lateness, LEVELS)) {
        const { code, dueMs } = lateness
        const to = readerOf(mail, level)
        if (to === undefined) {
          tell(mail, code, dueMs, level)
          continue
        }
        const key = `deadline:${mail.id}:${level}:${code}:${code === 'overdue' ? dueMs : mail.sinceMs}`
        const group = `${to} ${level} ${code}`
        const escalation = { mail, code, dueMs, level, to, key }
        const known = piles.get(group)
        if (known) known.push(escalation)
        else piles.set(group, [escalation])
      }
    }
    for (const all of piles.values()) {
      const letters = all.length > MOST_SINGLE_LETTERS ? [all] : all.map((one) => [one])
      for (const [first, ...others] of letters) if (first) await send(first, others)
    }
  }

  async function send(first: Escalation, others: readonly Escalation[]): Promise<void> {
    await given.submit(others.length > 0 ? letterAboutMany([first, ...others]) : letterAbout(first))
    for (const { mail, code, dueMs, level } of [first, ...others]) tell(mail, code, dueMs, level)
  }

  async function expire(mail: Mail): Promise<void> {
    const changed = await given.apply({ id: mail.id, to: 'cancelled', actor: 'daemon', by: 'pennypost', why: `expired at ${mail.expires ?? ''}`, waitMs: 0 })
    // Its holder has it open: the next look asks again, and until then it is as late as any other.
    if (changed.outcome === 'busy') busy.add(mail.id)
    else busy.delete(mail.id)
    if (changed.outcome === 'refused') log('warn', `an expired task could not be cancelled: ${changed.why}`, { id: mail.id })
  }

  async function tellExpired(id: MessageId, known: Mail | undefined): Promise<void> {
    const mail = known ?? (await given.past(id))
    const isExpired = mail?.expires !== undefined && (momentMs(mail.expires) ?? Number.POSITIVE_INFINITY) <= clock.now()
    // What is not cancelled yet is found again by the next look.
    if (mail?.status === 'cancelled' && isExpired && isHolder(config(), mail.from)) await given.submit(letterOfExpiry(mail, mail.from))
    untold.delete(id)
  }

  async function tellAllExpired(which: 'of-now' | 'of-before'): Promise<void> {
    for (const [id, mail] of untold)
      if ((mail === undefined) === (which === 'of-before'))
        await attempt('the sender of an expired task cannot be told now', () => tellExpired(id, mail), { id })
  }

  function replay(entry: Entry): void {
    if (entry.event === 'status') {
      // After a crash in the middle of it, it was the daemon in general.
      if (entry.status !== 'cancelled' || !['pennypost', 'daemon'].includes(entry.by)) untold.delete(entry.id)
      else if (!untold.has(entry.id)) untold.set(entry.id, undefined)
    }
    told.replay(entry)
  }

  /** One that fails (the disk is full) leaves the others, and is tried again at the next look: its key makes it one letter. */
  async function attempt(what: string, act: () => Promise<void>, about: Readonly<{ id?: MessageId }> = {}): Promise<void> {
    try {
      await act()
    } catch (cause) {
      log('error', `${what}: ${cause instanceof Error ? cause.message : String(cause)}`, about)
    }
  }

  /** False: who is to be told is not written down. */
  async function save(isLast = false): Promise<boolean> {
    const ids = [...untold.keys()]
    if (!isLast && ids.join(' ') === savedUntold && time.size() > LARGE_STATE && clock.monotonic() - savedAt < SAVE_LARGE_MS) return true
    try {
      await given.save({ ...time.state(), untold: ids })
      savedAt = clock.monotonic()
      savedUntold = ids.join(' ')
      return true
    } catch (cause) {
      log('error', `the state of the deadlines cannot be saved: ${cause instanceof Error ? cause.message : String(cause)}`)
      return false
    }
  }

  function tick(): void {
    const stepMs = time.tick(holdersOf(config()), given.paused)
    if (stepMs !== 0) given.raise(stepFault(stepMs))
  }

  return {
    check: async () => {
      tick()
      const found = look()
      alert(found)
      for (const mail of found.expired) untold.set(mail.id, mail)
      const isSaved = await save()
      if (telling) return
      telling = true
      if (isSaved) for (const mail of found.expired) await attempt('an expired task cannot be cancelled now', () => expire(mail), { id: mail.id })
      await tellAllExpired('of-now')
      await attempt('a note about a deadline cannot be written now', () => escalate(found.late))
      telling = false
      // The journal takes its time to tell of those, and no other note waits for it.
      if (recalling) return
      recalling = true
      await tellAllExpired('of-before')
      recalling = false
    },
    stop: async () => {
      tick()
      await save(true)
    },
    replay,
  }
}

function stepFault(stepMs: number): Parameters<Raise>[0] {
  const how = `${formatAge(Math.abs(stepMs))} ${stepMs > 0 ? 'forward (or it slept as long)' : 'back'}`
  const sentence = `The clock of this machine was stepped ${how}; deadlines go on as if it had not been, except for due and expires, which follow the clock.`
  return { code: 'clock-step', about: 'clock', sentence, fix: 'timedatectl status' }
}
