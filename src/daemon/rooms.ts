/** Builds every room and hands each what it needs of the others. Nothing moves yet. */
import { createAlerts } from '../alert/index.ts'
import { type Config, holdersOf } from '../core/config.ts'
import type { MessageId } from '../core/ids.ts'
import type { Name } from '../core/names.ts'
import { formatTime } from '../core/time.ts'
import type { Deliver } from '../deliver/index.ts'
import { createLeftovers } from '../intake/index.ts'
import { type Layout, mailFrom } from '../mailbox/index.ts'
import { createSettleRoom } from '../settle/index.ts'
import { hostOf } from '../system/host.ts'
import { startPartner } from '../system/partner.ts'
import type { Owner } from '../system/types.ts'
import { createDispatcher } from '../wake/index.ts'
import { createAdoption } from './adoption.ts'
import { createAnswers } from './asked.ts'
import { createCalls } from './calls.ts'
import { createCanaries } from './canaries.ts'
import { createClockwork } from './clockwork.ts'
import { createContextSide } from './contexts.ts'
import { createDropFolders } from './folders.ts'
import { createFull, type Full } from './full.ts'
import { createGatewaySide } from './gateway.ts'
import { createHeldFolder, makeHeldSweep } from './held.ts'
import { createInflow } from './inflow.ts'
import { createBareTold } from './jails.ts'
import { notifier } from './notify.ts'
import { createPolicies } from './policies.ts'
import { createPost } from './post.ts'
import { createProvisioner } from './provisioner.ts'
import { openRecords } from './records.ts'
import { createRoom } from './room.ts'
import type { Prepared } from './start.ts'
import { createViews } from './views.ts'
import { createWatches } from './watches.ts'
import { makeWorkspacesSweep } from './workspaces.ts'

export type RoomsGiven = Prepared &
  Readonly<{ layout: Layout; version: string; environment: Readonly<Record<string, string>>; gatewayCommand: readonly string[] }>
export type Rooms = ReturnType<typeof buildRooms>

export function buildRooms(given: RoomsGiven) {
  const { system, layout, inForce } = given
  const { clock, disk, ids, log, spawner, groups } = system
  const outside = { clock, disk, ids, log }
  const { identities, ownerOf } = inForce
  let isReady = false
  let deliver: Deliver
  const records = openRecords(system, layout)
  const { pins, finder, ledger, journal, sealed, state } = records

  const config = (): Config => policies.current()
  const notify = notifier(spawner, log, clock, system.self, given.environment)
  const calls = createCalls(clock, config, notify.run)
  const alerts = createAlerts({ ...outside, layout, config, record: journal.record, notify: notify.run, owner: identities().alertOwner })
  const { raise, clear } = alerts
  const watches = createWatches(system.watch, raise, clear)
  const policies = createPolicies(
    { disk, clock, log, layout, uid: system.self.uid, raise, clear, prepare, changed: () => takeConfig(), seen: given.policiesSeen },
    given.config,
  )
  const adoption = createAdoption({ ...outside, layout, config, identities, sealed, record: journal.record, raise, clear, done: () => dispatcher.kick() })
  const provisioner = createProvisioner({ ...records, ...outside, watches, config, identities, raise, clear, alertsLost: alerts.lost, adopt: adoption.begin })
  const heldFolder = createHeldFolder({ clock, disk, layout, raise, clear, repair: provisioner.root })
  const heldSweep = makeHeldSweep({ clock, disk, layout, sealed, cleared: clear, folder: heldFolder })
  const room = createRoom(disk, layout.root, raise, clear)
  const canaries = createCanaries(disk, ids, layout, system.self)
  const answers = createAnswers({ clock, disk, finder, ledger, journal, sealed, state, config, inHand: () => deliver.inHand, ready: () => isReady })
  let becomeReady: () => void = () => undefined
  const ready = new Promise<void>((resolve) => {
    becomeReady = resolve
  })

  const post = createPost({
    clock,
    disk,
    log,
    layout,
    state,
    config,
    deliver: () => deliver,
    apply: () => settleRoom.settle.apply,
    markAnswered: (task, reply) => answered(task, reply),
    correct: (id, values, by) => settleRoom.settle.set(id, values, by),
    sealed,
    clear,
    recall: answers.recall,
    raise,
    ready,
    heldOwner: () => identities().alertOwner,
    told: heldSweep.told,
  })
  const settleRoom = createSettleRoom({
    ...outside,
    watch: watches.watch,
    layout,
    pins,
    finder,
    ledger,
    config,
    record: journal.record,
    raise,
    clear,
    submit: post.submit,
    mailOwner: (holder) => identities().mailOwner(holder),
    givenOwner: (holder) => identities().givenOwner(holder),
    original: answers.original,
    recall: answers.recall,
    past: answers.past,
    readmit: (admission) => {
      journal.record(admission)
      return admission.copies[0] && mailFrom(admission, admission.copies[0])
    },
    meant: answers.meant,
    changed: (change) => dispatcher.changed(change),
    repair: provisioner.holder,
  })
  const { settle } = settleRoom
  const givenOwner = (holder: Name): Owner | undefined => identities().givenOwner(holder)
  const contexts = createContextSide({
    ...{ ...outside, ...records, config, submit: post.submit, raise, clear, clearAll: alerts.clearAll, givenOwner },
    putAway: (note) => settle.moveNote(note, 'done', 'daemon'),
    mayOwn: (holder, stat) => identities().mayOwn(holder, stat),
  })
  const gateway = createGatewaySide({
    ...{ system, layout, config, identities, ledger, raise, clear, startPartner, contexts },
    clearAll: alerts.clearAll,
    kick: () => dispatcher.roomChanged(),
    command: given.gatewayCommand,
    environment: given.environment,
  })
  const dispatcher = createDispatcher({
    clock,
    disk,
    log,
    ids,
    ...{ spawner, groups },
    bootId: system.bootId,
    models: gateway.runs,
    ledger,
    layout,
    config,
    apply: settle.apply,
    moveNote: settle.moveNote,
    lookAgain: async (id) => {
      await settle.adjust(id)
      return answers.recall(id)?.status
    },
    submit: post.submit,
    raise,
    record: journal.record,
    identity: (agent) => (adoption.isUnderWay(agent) ? undefined : inForce.identityOf(agent)),
    host: hostOf(given.environment['PATH'] ?? ''),
    clear,
    runnerPath: inForce.runnerPath,
    keptFor: contexts.keptFor,
    wroteIt: answers.wroteIt,
    pins,
    meant: answers.meant,
    environment: given.environment,
  })
  const waitsForRoom: Full['waitsFor'] = (holder, againMs) => full.waitsFor(holder, againMs)
  const { intake, ...inflow } = createInflow({
    ...{ system, layout, records, config, identities, raise, clear, ownerOf, adoption, provisioner, canaries, room, waitsForRoom },
    watch: watches.watch,
    asked: answers.asked,
    causeHops: dispatcher.causeHops,
    isReady: () => isReady,
    newFolder: () => dropFolders.setSoon(),
    placed: (mail, text) => {
      if (text !== undefined) {
        settleRoom.mirror.show(mail, text)
        calls.placed(mail, text)
      }
      dispatcher.offer(mail.id)
    },
    held: post.held,
    done: post.followUp,
  })
  deliver = inflow.deliver
  const full = createFull({ clock, ledger, config, waitingDrops: intake.waiting, raise, clearAll: alerts.clearAll })
  const leftovers = createLeftovers(clock, disk, raise, clear, ownerOf, intake.isNamed)
  const { deadlines, canary, scheduler } = createClockwork({
    system,
    records,
    canaries,
    config,
    raise,
    clear,
    clearAll: alerts.clearAll,
    submit: post.submit,
    apply: settle.apply,
    paused: dispatcher.isPaused,
    waitsFor: settleRoom.waitsFor,
    isWaitingKnown: settleRoom.isWaitingKnown,
    past: answers.past,
    asked: answers.asked,
    deliver: () => deliver,
    ready,
    waitsForRoom,
  })
  const views = createViews({
    layout,
    config,
    identities,
    ledger,
    state,
    alerts,
    dispatcher,
    completeness: disk.lease.how,
    version: given.version,
    started: formatTime(clock.now()),
    ready: () => isReady,
    heldFiles: heldFolder.count,
    notifyFailing: () => notify.failing([config().org, ...config().people.values()].flatMap((one) => one.notify)),
    waitingDrops: intake.waiting,
    gateway,
    canaryMs: canary.lastMs,
    configInvalid: policies.invalid,
    uid: system.self.uid,
    nowMs: clock.now,
  })

  /** Idempotent. Where its holder has the file open, or where it was known before a crash, it is written with the next look at it. */
  async function answered(task: MessageId, reply: MessageId): Promise<void> {
    const mail = ledger.get(task)
    const isKnown = mail?.answered === reply
    if (mail) Object.assign(mail, { answered: reply, mark: undefined })
    if (mail && isKnown) return settle.look(mail)
    journal.record({ event: 'answered', id: task, reply })
    await settle.set(task, { answered: reply }, 'daemon')
  }

  const dropFolders = createDropFolders({ ...{ clock, disk, layout, log, config, raise, clear, ownerOf }, changed: intake.setFolders, sweep: leftovers.sweep })
  const setHolders = (): void => settleRoom.mailboxes.setHolders(holdersOf(config()))

  function prepare(next: Config): () => void {
    const { narrowed, count } = inForce.prepare(next)
    return () => {
      for (const agent of narrowed)
        dispatcher.endRuns(agent).catch((cause: unknown) => log('error', 'runs of a narrowed agent could not be ended', { agent, why: String(cause) }))
      count()
    }
  }

  function takeConfig(): void {
    const refusal = provisioner.all()
    provisioner.guides()
    dropFolders.set()
    setHolders()
    dispatcher.kick()
    scheduler.look()
    gateway.configure()
    tellBare()
    // It is in force for all the others; what could not be made is tried again with the next look.
    if (refusal !== undefined) throw refusal
    journal.record({ event: 'daemon', state: 'config', what: config().digest.slice(0, 12) })
  }

  const bareTold = createBareTold(raise, clear)
  const tellBare = (): void => bareTold(config(), identities().mode)
  const told = { alerts, calls, policies, views, answers, canary, canaries, contexts, deadlines, scheduler, full, room, heldFolder, heldSweep }
  const moving = { gateway, adoption, provisioner, settleRoom, dispatcher, deliver, intake }
  return {
    ...records,
    ...told,
    ...moving,
    watches,
    tellBare,
    ready,
    isReady: () => isReady,
    becomeReady: () => {
      isReady = true
      becomeReady()
    },
    mode: () => identities().mode,
    sweepLeftovers: dropFolders.sweep,
    sweepWorkspaces: makeWorkspacesSweep({ disk, clock, layout, config, ledger, recall: answers.recall, raise, clear, told: alerts.open }),
    operators: () => identities().alertOwner,
    setFolders: dropFolders.set,
    setHolders,
  }
}
