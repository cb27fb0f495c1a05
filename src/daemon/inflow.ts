/** How a drop becomes mail: seen, judged, put in place. */
import type { Name } from '../core/names.ts'
import { createDelivery, type DeliverGiven } from '../deliver/index.ts'
import { createIntake, type IntakeGiven } from '../intake/index.ts'
import type { Layout } from '../mailbox/index.ts'
import type { System } from '../system/types.ts'
import type { Adoption } from './adoption.ts'
import type { Canaries } from './canaries.ts'
import { recordedOf } from './folders.ts'
import { createPipeline, type PipelineGiven } from './pipeline.ts'
import type { Provisioner } from './provisioner.ts'
import type { Records } from './records.ts'
import type { Room } from './room.ts'

type OfDelivery = Pick<DeliverGiven, 'placed' | 'held' | 'done'>
type OfIntake = Pick<IntakeGiven, 'watch' | 'newFolder' | 'ownerOf'>
type OfPipeline = Pick<PipelineGiven, 'config' | 'identities' | 'asked' | 'waitsForRoom' | 'causeHops' | 'isReady'>

export type InflowGiven = Readonly<{
  system: System
  layout: Layout
  records: Records
  raise: DeliverGiven['raise']
  clear: DeliverGiven['clear']
  adoption: Adoption
  provisioner: Provisioner
  canaries: Canaries
  room: Room
}> &
  OfDelivery &
  OfIntake &
  OfPipeline

export function createInflow(given: InflowGiven) {
  const { system, layout, config, identities, adoption, provisioner, canaries, room, raise, clear } = given
  const { clock, disk, ids, log, bootId } = system
  const { pins, ledger, journal, sealed, state } = given.records
  const deliver = createDelivery({
    ...{ clock, disk, ids, log, bootId, layout, pins, sealed, ledger, config, raise, clear },
    record: journal.record,
    syncJournal: journal.sync,
    mailOwner: (holder) => identities().mailOwner(holder),
    givenOwner: (holder) => identities().givenOwner(holder),
    heldOwner: () => identities().alertOwner,
    recorded: (intents) => recordedOf(journal, intents),
    repair: provisioner.holder,
    placed: given.placed,
    held: given.held,
    done: given.done,
  })
  const pipeline = createPipeline({
    ...{ disk, layout, config, identities, deliver, raise },
    isAdopted: (holder) => !adoption.isUnderWay(holder),
    ofBefore: provisioner.ofBefore,
    asked: given.asked,
    waitsForRoom: given.waitsForRoom,
    causeHops: given.causeHops,
    causeOrigin: state.taints.ofRun,
    isReady: given.isReady,
    isCanary: canaries.isCanary,
    canaryNoticed: canaries.noticed,
    canaryThrough: canaries.through,
    noRoom: room.noRoom,
    diskRefused: room.refused,
    lookAgain: (folder, name) => intake.lookAgain(folder, name),
  })
  const intake = createIntake({
    ...{ clock, disk, log, pins, raise, clear },
    watch: given.watch,
    messageBytes: () => config().org.limits.messageBytes,
    handle: pipeline.handle,
    refuse: pipeline.refuse,
    newFolder: given.newFolder,
    ownerOf: given.ownerOf,
    noticed: ({ kind, name }) => provisioner.noticed(kind === 'outbox' ? layout.workspace(name) : kind === 'box' ? layout.spoolBox(name) : layout.root),
    repair: ({ kind, name }) => (kind === 'outbox' ? provisioner.holder(name as Name) : kind === 'box' ? provisioner.box(name) : provisioner.root()),
  })
  return { deliver, intake }
}
