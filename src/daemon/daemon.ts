/** The clockwork: the order of a start, what is done how often, the order of a stop. */
import type { MessageId } from '../core/ids.ts'
import { nextTurn } from '../system/slices.ts'
import type { Owner } from '../system/types.ts'
import type { Verbs } from './control.ts'
import { releaseHeld } from './held.ts'
import { createMirrored, MIRRORS_LOOK_MS } from './mirrored.ts'
import { checkPathTo } from './pathcheck.ts'
import { expireOriginals, expireRunLogs } from './retention.ts'
import { buildRooms, type Rooms, type RoomsGiven } from './rooms.ts'
import { loadState, saveState } from './snapshot.ts'
import { createVerbs } from './verbs.ts'

export type Daemon = Readonly<{
  verbs: Verbs
  /** Who may speak to it, besides root; undefined in user mode. */
  socketOwner: Owner | undefined
  /** Resolves when every message is known. */
  ready: Promise<void>
  /** Looks at policies/ now, as it does by itself after a change. */
  reread: () => void
  /** May be called again: the shortest drain counts. */
  stop: (drainMs: number) => Promise<void>
}>

export type DaemonGiven = RoomsGiven &
  Readonly<{
    stop: (drainMs: number) => void
    /** The start came no further: half a daemon serves nobody, and another start may. */
    failed: (cause: unknown) => void
  }>

/** Drops are found within this where no watch reported them; page 3 allows 2 s. */
const SWEEP_MS = 1_000
const FULL_SWEEP_MS = 60_000
const CHECKPOINT_MS = 250
const DEADLINES_MS = 10_000
const POLICIES_MS = 30_000
const WATCHES_MS = 10_000
const HOUR_MS = 3_600_000
/** While mail comes in, its intents keep it safe; the medium is asked again after this much quiet, or above so many intents. */
const BREATH_MS = 200
const MOST_OPEN = 4_000
/** A large mailbox may be listed only every 2 s. */
const MOVED_MS = 3_000
/** At a stop, changes of messages that are under way get this long. */
const IDLE_MS = 500

export function startDaemon(given: DaemonGiven): Daemon {
  const { clock, disk, ids, log } = given.system
  const rooms = buildRooms(given)
  const { layout, ledger, journal, sealed, alerts, policies, provisioner, room, settleRoom, dispatcher, deliver, intake, deadlines, scheduler } = rooms
  const mirrored = createMirrored(disk, journal, `${layout.private('state')}/mirrors.json`)
  /** Folders on the way to the root that keep runs out; what of all of them is in the log already. */
  let shutOut: readonly string[] = []
  const logged = new Set<string>()
  let cleaning = false
  let saved: Promise<void> = Promise.resolve()
  const every = (ms: number, what: string, work: () => unknown) => clock.every(ms, guarded(what, work))

  function guarded(what: string, work: () => unknown): () => void {
    const failed = (cause: unknown): void => {
      if (room.refused(cause) === undefined) log('error', what, { why: cause instanceof Error ? (cause.stack ?? cause.message) : String(cause) })
    }
    return () => {
      try {
        Promise.resolve(work()).catch(failed)
      } catch (cause) {
        failed(cause)
      }
    }
  }

  // The order of a start: what a crash left is finished, then mail flows, then the past is read, then the rest begins.
  alerts.load()
  provisioner.all()
  tellOfPath()
  rooms.canaries.clean()
  // Mail is admitted while the past is being read, and the clock may have been set back since then.
  const newest = journal.newestId()
  if (newest) ids.after(newest)
  const recovered = deliver.recover()
  journal.record({ event: 'daemon', state: 'started', what: `${given.version} ${rooms.mode()} ${disk.lease.how}` })
  rooms.setFolders()
  const checkpoint = checkpointer(rooms, clock.monotonic)
  const cancels = [
    every(SWEEP_MS, 'sweep', () => sweep(false)),
    every(FULL_SWEEP_MS, 'full sweep', () => sweep(true)),
    every(CHECKPOINT_MS, 'checkpoint', checkpoint.look),
    every(POLICIES_MS, 'policies', policies.look),
    every(WATCHES_MS, 'watches', rooms.watches.retry),
    every(MIRRORS_LOOK_MS, 'mirrors', () => mirrored.look(settleRoom.mirror.isIdle())),
    every(HOUR_MS, 'housekeeping', housekeeping),
    policies.watch(),
  ]
  clock.soon(() => void begin().catch(given.failed))

  function tellOfPath(): void {
    const problems = checkPathTo(disk, layout.root, given.system.self.uid, rooms.mode() === 'system')
    const shut = problems.filter(({ shutsOut }) => shutsOut)
    for (const path of shutOut) if (!shut.some((problem) => problem.path === path)) alerts.clear('unreadable-file', path)
    for (const { path, what, fix } of shut) alerts.raise({ code: 'unreadable-file', about: path, sentence: `${path} ${what}.`, fix })
    shutOut = shut.map(({ path }) => path)
    for (const { path, what } of problems) {
      if (!logged.has(`${path} ${what}`)) log('warn', 'a folder on the way to the root is not as it should be', { path, found: what })
      logged.add(`${path} ${what}`)
    }
  }

  /** One part that fails keeps none of the others from being done. */
  function sweep(all: boolean): void {
    const each: Readonly<Record<string, () => unknown>> = {
      drops: () => intake.sweep(all),
      ...(rooms.isReady()
        ? { mailboxes: () => settleRoom.sweep(all), backlogs: rooms.full.sweep, workspaces: rooms.sweepWorkspaces, contexts: rooms.contexts.look }
        : {}),
      ...(all ? { leftovers: rooms.sweepLeftovers, path: tellOfPath } : {}),
      folders: provisioner.patrol,
      held: rooms.heldSweep.sweep,
      alerts: alerts.sweep,
      calls: rooms.calls.sweep,
      room: room.sweep,
    }
    for (const [what, part] of Object.entries(each)) guarded(`sweep: ${what}`, part)()
  }

  /** One a turn: whoever has mail to move goes first. What is not found, as while it is moved, is looked for once more. */
  async function remirror(): Promise<void> {
    let ids = mirrored.missing()
    for (let round = 0; round < 2 && ids.length > 0; round++) {
      if (round > 0) await new Promise<void>((resolve) => void clock.after(MOVED_MS, resolve))
      const notFound: MessageId[] = []
      for (const id of ids) {
        try {
          if (!settleRoom.remirror(id)) notFound.push(id)
        } catch (cause) {
          log('warn', 'a mirror could not be shown again', { id, why: String(cause) })
        }
        await nextTurn(clock)
      }
      ids = notFound
    }
    mirrored.caughtUp()
  }

  /** One after the other: both would write the same file. One that failed keeps no later one from it. */
  function save(): Promise<void> {
    saved = saved.catch(() => undefined).then(() => saveState(rooms.snapshot))
    return saved
  }

  async function housekeeping(): Promise<void> {
    // Before the past is read, everything would look settled.
    if (!rooms.isReady() || cleaning) return
    cleaning = true
    try {
      const olderThanMs = clock.now() - policies.current().org.retentionMs
      await settleRoom.mailboxes.rollMonths()
      const open = new Set([...ledger.all()].map(({ file }) => file))
      await settleRoom.mirror.retain(olderThanMs, (file) => open.has(file))
      await rooms.state.handles.expire(olderThanMs)
      await expireRunLogs(given.system, layout, rooms.pins, policies.current(), ledger, olderThanMs)
      await save()
      await expireOriginals(disk, layout, sealed, ledger, olderThanMs)
    } finally {
      cleaning = false
    }
  }

  /** A part of the start: one that fails is told and keeps no other from it. */
  async function step(what: string, work: () => unknown): Promise<void> {
    const about = `start: ${what}`
    try {
      await work()
      alerts.clear('unreadable-file', about)
    } catch (cause) {
      log('error', about, { why: cause instanceof Error ? (cause.stack ?? cause.message) : String(cause) })
      const sentence = `At its start the daemon could not deal with ${what} (${String(cause)}); the rest goes on without. It is tried again at the next start.`
      alerts.raise({ code: 'unreadable-file', about, sentence, fix: 'penny doctor; penny down; penny up', foundOnce: true })
    }
  }

  async function begin(): Promise<void> {
    await step('the model gateway', rooms.gateway.configure)
    // Without the past nothing that follows would be true: a daemon that cannot read it ends.
    await loadState(rooms.snapshot, rooms.past, deadlines.replay, mirrored)
    journal.listen(deadlines.replay)
    await step('the guides', provisioner.guides)
    rooms.becomeReady()
    cancels.push(every(DEADLINES_MS, 'deadlines', deadlines.check), rooms.canary.start())
    await step('the mailboxes', () => {
      rooms.setHolders()
      settleRoom.recover()
    })
    await step('the messages', async () => {
      await settleRoom.sweep(true)
      await settleRoom.mailboxes.rollMonths()
      await settleRoom.settle.idle()
    })
    rooms.adoption.start()
    await step('runs of before', dispatcher.recover)
    rooms.tellBare()
    dispatcher.kick()
    await step('sealed checkpoints', rooms.contexts.recover)
    await step('the schedules', scheduler.look)
    await step('the deadlines', deadlines.check)
    guarded('mirrors', remirror)()
    log('info', 'ready', { agents: policies.current().agents.size, messages: ledger.size(), recovered, completeness: disk.lease.how })
  }

  let inOrder: Promise<void> | undefined
  return {
    verbs: createVerbs({
      ...rooms,
      clock,
      config: policies.current,
      settle: settleRoom.settle,
      stop: given.stop,
      release: (file, gone) => {
        // What was widened in policies/ a moment ago is why it is let go.
        policies.look()
        return releaseHeld({ disk, ids, layout, sealed, journal, config: policies.current, record: journal.record, cleared: alerts.clear }, file, gone)
      },
      flyCanary: rooms.canary.fly,
    }),
    socketOwner: rooms.operators(),
    ready: rooms.ready,
    reread: guarded('policies', policies.look),
    stop: (drainMs) => {
      const runsOver = dispatcher.stop(drainMs)
      inOrder ??= stopInOrder(runsOver)
      // Asked again, with less patience for runs: the first stop goes on as soon as they have ended.
      return Promise.all([runsOver, inOrder]).then(() => undefined)
    },
  }

  async function stopInOrder(runsOver: Promise<void>): Promise<void> {
    await runsOver
    const gatewayOver = rooms.gateway.stop()
    await scheduler.stop()
    for (const cancel of cancels) cancel()
    if (rooms.isReady()) await deadlines.stop()
    rooms.adoption.stop()
    await intake.stop()
    settleRoom.mailboxes.stop()
    // A holder that keeps a file open must not hold up the stop: what is left is done at the next start.
    await Promise.race([settleRoom.settle.idle(), new Promise<void>((resolve) => void clock.after(IDLE_MS, resolve))])
    settleRoom.mirror.flush()
    journal.record({ event: 'daemon', state: 'stopped', what: 'in order' })
    // The process ends only when its threads have done what stands in line for them: what is under way is waited for here, where a timer can end that.
    await checkpoint.idle()
    await journal.sync()
    await deliver.checkpoint()
    if (rooms.isReady()) await save()
    await sealed.end()
    await journal.close()
    rooms.pins.closeAll()
    await gatewayOver
  }
}

/** Makes what was placed durable, one checkpoint at a time. */
function checkpointer({ journal, deliver }: Rooms, monotonic: () => number): { look: () => Promise<void>; idle: () => Promise<void> } {
  let deliveredMs = monotonic()
  let underWay: Promise<void> | undefined
  journal.listen((entry) => {
    if (entry.event === 'delivered') deliveredMs = monotonic()
  })
  const once = async (): Promise<void> => {
    await journal.sync()
    await deliver.checkpoint()
    await deliver.sweepLate()
  }
  return {
    look: async () => {
      const busy = monotonic() - deliveredMs < BREATH_MS
      if (underWay || (busy && deliver.open() < MOST_OPEN)) return
      underWay = once()
      try {
        await underWay
      } finally {
        underWay = undefined
      }
    },
    idle: async () => underWay?.catch(() => undefined),
  }
}
