/** Which run is next, how many at once, who is paused; and the end of it all. */
import type { MessageId } from '../core/ids.ts'
import type { Name } from '../core/names.ts'
import type { MailChanged } from '../core/post.ts'
import { isSettled } from '../core/status.ts'
import { formatTime } from '../core/time.ts'
import type { Mail } from '../mailbox/index.ts'
import type { Cancel } from '../system/types.ts'
import { makeCauses } from './causes.ts'
import type { WakeGiven } from './given.ts'
import { openPauses } from './pauses.ts'
import type { Leash } from './process.ts'
import { makeQueue } from './queue.ts'
import { openRecords } from './records.ts'
import { recover } from './recover.ts'
import { conduct } from './run.ts'
import type { Stop } from './verdict.ts'
import { wakes } from './wakes.ts'
import { createWalls } from './walls.ts'

export type Running = Readonly<{ run: MessageId; agent: Name; id: MessageId; since: string }>

export type Dispatcher = Readonly<{
  /** At start, when the ledger knows every message: ends and concludes what an earlier daemon left, then begins. Rejects with the disk's error. */
  recover: () => Promise<void>
  /** A message was put into a mailbox, or changed: it may be one to wake for. Cheap. */
  offer: (id: MessageId) => void
  /** A message changed its status: `offer`, and a run for one that was withdrawn is ended. */
  changed: (change: MailChanged) => void
  /** Something else changed (the configuration): every mailbox is looked at again. */
  kick: () => void
  running: () => readonly Running[]
  /** Hops of the message that this agent had a run for at that moment (wall time, milliseconds); undefined: it had none. */
  causeHops: (agent: string, atMs: number) => number | undefined
  /** No new runs of this agent, or of any; `now` ends those under way. Resolves when the pause is on the medium and they have ended. */
  pause: (who: Name | 'all', now: boolean) => Promise<void>
  /** `all` ends every pause. */
  resume: (who: Name | 'all') => Promise<void>
  paused: () => readonly string[]
  isPaused: (agent: Name) => boolean
  /** Why nothing can be started for this agent; undefined: it can. */
  faultOfJail: (agent: Name) => string | undefined
  /** Why the model gateway holds this agent's next run; undefined: it holds none. */
  whyHeld: (agent: Name) => string | undefined
  /** The model gateway has more room, or less to hold: cheap. */
  roomChanged: () => void
  /** Ends an agent's runs, which is no attempt: its configuration was narrowed or taken away. */
  endRuns: (agent: Name) => Promise<void>
  /** No new runs; those under way may go on for `drainMs` and are then ended, their messages back in new/. */
  stop: (drainMs: number) => Promise<void>
}>

type Live = Readonly<{ run: MessageId; mail: Mail; since: string; leash: Leash; over: Promise<void> }> & {
  /** As the model gateway was told. */
  rank: number
}

/** Hints are lost when the one who gives them has a mistake: every mailbox is looked at again this often. Milliseconds. */
const LOOK_AGAIN_MS = 60_000
/** After a record that could not be written. Milliseconds. */
const DISK_AGAIN_MS = 5_000
/** After a message that somebody had open. Milliseconds. */
const BUSY_AGAIN_MS = 1_000
/** While a jail cannot be made. Milliseconds. */
const JAIL_AGAIN_MS = 30_000

export function createDispatcher(given: WakeGiven): Dispatcher {
  const { clock, ledger, layout, config } = given
  const records = openRecords(given.disk, layout.private('runs'), given.log)
  const pauses = openPauses(given.disk, `${layout.private('state')}/paused.json`)
  const queue = makeQueue(ledger, wakesNow)
  const live = new Map<MessageId, Live>()
  const causes = makeCauses()
  const walls = createWalls(given)
  const perAgent = new Map<Name, number>()
  let ready = false
  let stopping = false
  /** Of those that all agents share: taken. */
  let slots = 0
  let planned = false
  let nextStartMs = Number.NEGATIVE_INFINITY
  let alarm: Cancel | undefined
  let sweep: Cancel | undefined
  let jailLook: Cancel | undefined

  function wakesNow(mail: Mail, nowMs: number): ReturnType<typeof wakes> {
    const runner = config().agents.get(mail.holder)?.runner
    return runner && !live.has(mail.id) ? wakes(mail, runner, given, nowMs) : 'no'
  }

  function* canRun(): Generator<Name> {
    for (const { name, runner } of config().agents.values()) {
      if (runner && (perAgent.get(name) ?? 0) < runner.concurrency && !pauses.has(name) && given.identity(name) && walls.fault(name) === undefined) yield name
    }
  }

  function mayStart({ holder, rank }: Mail): boolean {
    return given.models?.mayStart(holder, rank) ?? true
  }

  function plan(): void {
    if (planned || !ready || stopping) return
    planned = true
    clock.soon(() => {
      planned = false
      startAll()
    })
  }

  function planAt(ms: number): void {
    alarm?.()
    alarm = clock.after(Math.max(1, ms), plan)
  }

  function startAll(): void {
    const { concurrency, staggerMs } = config().org.wake
    while (!stopping && slots < concurrency) {
      const now = clock.monotonic()
      if (now < nextStartMs) return planAt(nextStartMs - now)
      const mail = queue.first(canRun(), clock.now(), mayStart)
      if (!mail) break
      start(mail)
      nextStartMs = now + staggerMs
    }
    const nextAtMs = queue.nextAtMs()
    if (nextAtMs !== undefined) planAt(nextAtMs - clock.now())
  }

  function start(mail: Mail): void {
    const agent = mail.holder
    const runner = config().agents.get(agent)?.runner
    const identity = given.identity(agent)
    if (!runner || !identity) throw new Error(`${agent} was chosen to run, but has no runner or identity`)
    const run = given.ids.next()
    const leash: Leash = { stopped: undefined, closing: false, end: undefined }
    perAgent.set(agent, (perAgent.get(agent) ?? 0) + 1)
    causes.began(run, agent, mail.hops, clock.now())
    let hasSlot = true
    /** What follows from a run may have to wait for its agent; the slot that all share is not kept for that, the agent's own is. */
    const freeSlot = (): void => {
      if (!hasSlot) return
      hasSlot = false
      slots--
      given.models?.runEnded(run)
      plan()
    }
    slots++
    // Before it begins: the next one finds what this one takes gone.
    given.models?.runStarted({ agent, run, message: mail.id, rank: mail.rank })
    const over = conduct(given, records, { run, mail, runner, identity, leash }, freeSlot)
      .then((how) => {
        if (typeof how === 'object') walls.failed(agent, how.noJail)
        if (how !== 'busy') return
        // Nobody was started: the next in line is, and this one has its turn when its file may be closed again.
        nextStartMs = Number.NEGATIVE_INFINITY
        mail.retryAtMs = clock.now() + BUSY_AGAIN_MS
      })
      .catch((cause: unknown) => {
        given.log('error', 'a run could not begin', { agent, id: mail.id, run, why: String(cause) })
        nextStartMs = clock.monotonic() + DISK_AGAIN_MS
      })
      .then(() => {
        live.delete(mail.id)
        freeSlot()
        causes.ended(run, agent, clock.now())
        perAgent.set(agent, (perAgent.get(agent) ?? 1) - 1)
        // What was held back for this run, and the message itself, if it is back.
        if (mail.blockedOn.length > 0) queue.refresh(agent)
        offer(mail.id)
      })
    live.set(mail.id, { run, mail, since: formatTime(clock.now()), leash, over, rank: mail.rank })
  }

  function offer(id: MessageId): void {
    const mail = ledger.get(id)
    if (mail) queue.offer(mail)
    plan()
  }

  function end(which: (one: Live) => boolean, why: Stop): Promise<unknown> {
    const ending = [...live.values()].filter(which)
    for (const { leash } of ending) {
      leash.stopped ??= why
      leash.closing ||= why === 'shutdown'
      leash.end?.()
    }
    return Promise.all(ending.map(({ over }) => over))
  }

  function lookAtWalls(): void {
    walls.look().then(
      (opened) => opened && plan(),
      (cause: unknown) => given.log('error', 'jails could not be tried', { why: String(cause) }),
    )
  }

  const isOf =
    (who: Name | 'all') =>
    (one: Live): boolean =>
      who === 'all' || one.mail.holder === who

  return {
    recover: async () => {
      await recover(given, records)
      await walls.look()
      ready = true
      jailLook = clock.every(JAIL_AGAIN_MS, lookAtWalls)
      sweep = clock.every(LOOK_AGAIN_MS, () => {
        queue.refresh()
        plan()
      })
      plan()
    },
    offer,
    changed: ({ id, now }) => {
      const one = live.get(id)
      const rank = ledger.get(id)?.rank
      if (one && rank !== undefined && rank !== one.rank) {
        one.rank = rank
        given.models?.rankChanged(one.run, rank)
      }
      if (now === 'cancelled' && one) void end((other) => other === one, 'withdrawn')
      if (now !== null && isSettled(now) && !one && records.tallyOf(id)) {
        records.forgetTally(id).catch((cause: unknown) => given.log('warn', 'attempts cannot be forgotten', { id, why: String(cause) }))
      }
      offer(id)
    },
    kick: () => {
      queue.refresh()
      plan()
      if (ready) lookAtWalls()
    },
    running: () => [...live.values()].map(({ run, mail, since }) => ({ run, agent: mail.holder, id: mail.id, since })),
    causeHops: causes.hopsAt,
    pause: async (who, now) => {
      const kept = pauses.add(who)
      given.record({ event: 'daemon', state: 'paused', what: who })
      await Promise.all([kept, now ? end(isOf(who), 'pause') : undefined])
    },
    resume: async (who) => {
      const kept = pauses.remove(who)
      given.record({ event: 'daemon', state: 'resumed', what: who })
      plan()
      await kept
    },
    paused: pauses.list,
    isPaused: pauses.has,
    faultOfJail: walls.fault,
    whyHeld: (agent) => {
      const next = queue.first([agent], clock.now())
      return next && given.models?.whyNot(agent, next.rank)
    },
    roomChanged: plan,
    endRuns: async (agent) => void (await end(isOf(agent), 'configuration')),
    stop: async (drainMs) => {
      stopping = true
      alarm?.()
      sweep?.()
      jailLook?.()
      const all = Promise.all([...live.values()].map(({ over }) => over))
      let cancel: Cancel | undefined
      const drained = new Promise<void>((resolve) => (cancel = clock.after(drainMs, resolve)))
      if (live.size > 0 && drainMs > 0) await Promise.race([all, drained])
      cancel?.()
      await end(() => true, 'shutdown')
    },
  }
}
