import type { CopyFact } from '../core/event.ts'
import { idTimeMs, type MessageId } from '../core/ids.ts'
import type { Attachment, Envelope, Value } from '../core/message.ts'
import { ownText } from '../core/text.ts'
import { formatTime } from '../core/time.ts'
import type { AdmitIntent, HoldIntent, Intent, RepeatIntent } from '../journal/index.ts'
import { digestOf, formatHeldName, isSameVersion, type Mail, mailFrom, markOf, statOrNothing } from '../mailbox/index.ts'
import { CLOCK_STEP_MS } from '../system/ids.ts'
import { closing } from './closing.ts'
import { admissionOf, makeCopies } from './copies.ts'
import { createInHand, type InHand } from './inhand.ts'
import { insist } from './insist.ts'
import { makeLateSweep } from './late.ts'
import { CANARY, newFolder, placeCopy, removeDrop, removeFiles, type Staged, stageCopy, stagedPath, sweepStaging } from './place.ts'
import { recover, redeliver, rehold, removeSource } from './recover.ts'
import { makeGate } from './turns.ts'
import type { Delivered, DeliverGiven, Delivery, Dropped, Refusal } from './types.ts'

export type Deliver = Readonly<{
  /** Resolves when every copy is in its mailbox. Rejects (ENOSPC …) with nothing done. */
  deliver: (delivery: Delivery, dropped: Dropped | undefined) => Promise<Delivered>
  hold: (refusal: Refusal, dropped: Dropped) => Promise<void>
  repeat: (envelope: Envelope, ref: string, of: MessageId, dropped: Dropped) => Promise<void>
  /** Finishes what a crash interrupted. Returns how many intents were open. */
  recover: () => number
  /** Makes what was placed durable and lets go of its intents. */
  checkpoint: () => Promise<void>
  /** Intents not yet closed. */
  open: () => number
  /** Looks again at drops that were written to while they were taken. */
  sweepLate: () => Promise<void>
  /** What is being delivered and not yet in the ledger or the journal. */
  inHand: Omit<InHand, 'enter'>
}>

export function createDelivery(given: DeliverGiven): Deliver {
  const { disk, ids, sealed, ledger, record } = given
  const close = closing(given)
  const inHand = createInHand()
  const enter = makeGate(given.clock)
  const gate = makeGate(given.clock)

  async function deliver(delivery: Delivery, dropped: Dropped | undefined): Promise<Delivered> {
    const leave = inHand.enter(delivery)
    try {
      return await sealAndPlace(delivery, dropped)
    } finally {
      leave()
    }
  }

  async function sealAndPlace(delivery: Delivery, dropped: Dropped | undefined): Promise<Delivered> {
    await enter(delivery.envelope.from)
    const drop = ids.next()
    const copyIds = delivery.to.map(() => ids.next())
    const nowMs = given.clock.now()
    const created = Math.abs(nowMs - idTimeMs(drop)) > CLOCK_STEP_MS ? formatTime(nowMs) : undefined
    const attachments = await stageAttachments(delivery, copyIds)
    const { copies, stamp } = makeCopies(delivery, copyIds, attachments, created)
    const { envelope } = delivery
    const intent: AdmitIntent = {
      act: 'admit',
      drop,
      at: formatTime(given.clock.now()),
      ...(created === undefined ? {} : { created }),
      boot: given.bootId,
      ...(dropped ? { source: dropped.source } : {}),
      ...(delivery.key === undefined ? {} : { key: delivery.key }),
      from: envelope.from,
      via: envelope.via,
      ...(delivery.origin === envelope.via ? {} : { origin: delivery.origin }),
      name: envelope.name,
      sha256: envelope.sha256,
      text: delivery.text,
      stamp: definedOnly(stamp),
      removed: Object.keys(stamp).filter((key) => stamp[key] === undefined),
      // The ledger keeps these, and must not keep the whole text alive with them.
      subject: ownText(delivery.subject),
      priority: delivery.priority,
      rank: delivery.rank,
      thread: delivery.thread ?? (copyIds[0] as MessageId),
      hops: delivery.hops,
      ...(delivery.ref === undefined ? {} : { ref: ownText(delivery.ref) }),
      ...(delivery.reminder ? { reminder: true } : {}),
      ...(delivery.inReplyTo === undefined ? {} : { inReplyTo: ownText(delivery.inReplyTo) as MessageId }),
      ...(delivery.settles === undefined ? {} : { settles: delivery.settles }),
      ...(delivery.due === undefined ? {} : { due: delivery.due }),
      ...(delivery.expires === undefined ? {} : { expires: delivery.expires }),
      attachments,
      files: delivery.attachments.flatMap(({ source }) => (source ? [source] : [])),
      copies: copies.map((copy) => ({ ...copy, stamp: definedOnly(copy.stamp) })),
    }
    let staged: Staged[]
    try {
      // Staged before it is sealed: absence from staging then means that a copy was placed.
      staged = intent.copies.map((copy) => stageCopy(given, intent, copy))
      await sealed.seal(intent)
    } catch (cause) {
      unstage(copyIds)
      throw cause
    }
    await gate(envelope.from)
    record(admissionOf(intent))
    return finish(intent, staged, dropped)
  }

  async function stageAttachments(delivery: Delivery, copyIds: readonly MessageId[]): Promise<Attachment[]> {
    const made: Attachment[] = []
    if (delivery.attachments.length === 0) return made
    try {
      for (const [index, { holder }] of delivery.to.entries()) {
        const folder = `${stagedPath(given, copyIds[index] as MessageId)}.files`
        const owner = given.givenOwner(holder)
        disk.makeFolder(folder, 0o750, owner)
        for (const { name, fd } of delivery.attachments) {
          // A hard link would be one file for all of them: who could change it for one, could change it for the others.
          const first = `${stagedPath(given, copyIds[0] as MessageId)}.files/${name}`
          if (index > 0 && (await disk.clone(first, `${folder}/${name}`, 0o640, owner))) continue
          const { bytes, sha256 } = await disk.copyOut(fd, `${folder}/${name}`, given.config().org.limits.attachmentBytes, 0o640, owner)
          if (index === 0) made.push({ name, bytes, sha256 })
        }
        await disk.syncPath(folder)
      }
      // The text is sealed, attachments are not: without this a power cut could take them while their message comes through.
      await disk.syncPath(given.layout.staging)
      return made
    } catch (cause) {
      unstage(copyIds)
      throw cause
    }
  }

  function unstage(copyIds: readonly MessageId[]): void {
    for (const id of copyIds) {
      const path = stagedPath(given, id)
      if (statOrNothing(disk, path)) disk.unlink(path)
      const files = `${path}.files`
      if (!statOrNothing(disk, files)) continue
      for (const { name } of disk.list(files)) disk.unlink(`${files}/${name}`)
      disk.removeFolder(files)
    }
  }

  /** From here on nothing is decided: whatever is left undone, by a fault or a crash, is done by recovery. */
  async function finish(intent: AdmitIntent, staged: readonly Staged[], dropped: Dropped | undefined): Promise<Delivered> {
    const recorded = { known: new Set<MessageId>([intent.drop]), settled: new Set<MessageId>() }
    let mails: readonly Mail[]
    try {
      mails = place(intent, staged, recorded.known)
      removeFiles(given, intent)
      if (dropped && !removeDrop(given, intent.drop, dropped))
        given.log('warn', 'a drop was written to while it was taken', { id: intent.drop, file: intent.name })
    } catch (cause) {
      mails = await insist(given, intent, cause, () => redeliver(given, intent, recorded))
    }
    const delivered = { drop: intent.drop, mails, intent }
    conclude(delivered)
    return delivered
  }

  function place(intent: AdmitIntent, staged: readonly Staged[], recorded: Set<MessageId>): Mail[] {
    const admission = admissionOf(intent)
    return intent.copies.map((copy, index) => {
      const { text, stat } = staged[index] as Staged
      placeCopy(given, intent, copy)
      const mail = mailFrom(admission, admission.copies[index] as CopyFact)
      mail.contentHash = digestOf(text)
      // Known as ours: the report of our own rename is not a change of the holder's.
      const placed = statOrNothing(disk, given.pins.at(newFolder(given, copy), copy.file))
      if (placed && isSameVersion(placed, stat)) mail.mark = markOf(placed)
      if (copy.to !== CANARY) ledger.add(mail)
      record({ event: 'delivered', id: copy.id, to: copy.to, file: copy.file, hash: mail.contentHash, ...(mail.mark === undefined ? {} : { mark: mail.mark }) })
      recorded.add(copy.id)
      given.placed(mail, text)
      return mail
    })
  }

  function conclude(delivered: Delivered): void {
    const { intent } = delivered
    given
      .done(delivered)
      .catch((cause: unknown) => insist(given, intent, cause, () => given.done(delivered)))
      .then(
        () => close.finished(intent),
        // Left open: the next start tries again.
        (cause: unknown) => given.log('error', 'what a message should bring about was broken off', { id: intent.drop, why: String(cause) }),
      )
  }

  async function hold(refusal: Refusal, dropped: Dropped): Promise<void> {
    const drop = ids.next()
    const { envelope, code, complaints, hops } = refusal
    const held = formatHeldName(code, drop, envelope.name)
    const base = { drop, at: formatTime(given.clock.now()), boot: given.bootId, source: dropped.source }
    const intent: HoldIntent = { act: 'hold', ...base, from: envelope.from, name: envelope.name, folder: envelope.folder, code, held, complaints, hops }
    await holdIt(intent)
  }

  async function holdIt(intent: HoldIntent): Promise<void> {
    await sealed.seal(intent)
    await gate(intent.from)
    const known = new Set<MessageId>()
    try {
      rehold(given, intent, known)
    } catch (cause) {
      await insist(given, intent, cause, () => rehold(given, intent, known))
    }
    close.finished(intent)
  }

  async function repeat(envelope: Envelope, ref: string, of: MessageId, dropped: Dropped): Promise<void> {
    const drop = ids.next()
    const intent: RepeatIntent = {
      act: 'repeat',
      drop,
      at: formatTime(given.clock.now()),
      boot: given.bootId,
      source: dropped.source,
      from: envelope.from,
      ref,
      of,
    }
    await sealed.seal(intent)
    await gate(envelope.from)
    record({ event: 'repeat', drop, from: envelope.from, ref, of })
    try {
      removeDrop(given, drop, dropped)
    } catch (cause) {
      await insist(given, intent, cause, () => removeSource(given, intent))
    }
    close.finished(intent)
  }

  return {
    deliver,
    hold,
    repeat,
    recover: () => {
      const intents = sealed.recover()
      // The journal may not tell of them yet, and what follows from them has ids of its own.
      for (const id of intents.flatMap(idsOf)) ids.after(id)
      // First, so that what a crash left half made is not in the way of making it again.
      sweepStaging(given, new Set<string>(intents.flatMap(idsOf)))
      recover(given, intents, { conclude, finished: close.finished })
      return intents.length
    },
    checkpoint: close.checkpoint,
    open: () => sealed.open().size,
    sweepLate: makeLateSweep(given, holdIt),
    inHand,
  }
}

function idsOf(intent: Intent): MessageId[] {
  return [intent.drop, ...(intent.act === 'admit' ? intent.copies.map(({ id }) => id) : [])]
}

function definedOnly(values: Readonly<Record<string, Value | undefined>>): Record<string, Value> {
  return Object.fromEntries(Object.entries(values).filter((entry): entry is [string, Value] => entry[1] !== undefined))
}
