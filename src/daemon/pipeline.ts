/**
 * The order of the rooms, and the only place that knows it:
 * intake (a complete file) → sender → message (text) → admit (rules) → route (recipients) → deliver (once) → what follows.
 */
import { type AdmitPlan, type Asked, hopsFrom, judge, type Verdict } from '../admit/index.ts'
import { keyOf } from '../alert/index.ts'
import type { Config } from '../core/config.ts'
import type { Complaint, FaultCode } from '../core/fault.ts'
import type { Envelope, Via } from '../core/message.ts'
import type { Name } from '../core/names.ts'
import type { Raise } from '../core/post.ts'
import { meantBy } from '../core/priority.ts'
import { showSafely } from '../core/text.ts'
import { formatSize } from '../core/units.ts'
import { type AttachmentsFound, type Deliver, type Delivered, type Dropped, findAttachments } from '../deliver/index.ts'
import type { DropFolder, Fate, Taken } from '../intake/index.ts'
import type { Layout } from '../mailbox/index.ts'
import { type MessageText, parseMessage, readDraft } from '../message/index.ts'
import { route } from '../route/index.ts'
import type { Disk, Listed, Stat } from '../system/types.ts'
import type { Full } from './full.ts'
import type { Identities, Sender } from './identities.ts'
import { makePacking } from './packing.ts'
import type { Provisioner } from './provisioner.ts'
import { droppedOf, envelopeOf, sourceOf } from './taken.ts'

export type PipelineGiven = Readonly<{
  disk: Disk
  layout: Layout
  config: () => Config
  identities: () => Identities
  /** All in this holder's folders is its own. */
  isAdopted: (holder: Name) => boolean
  ofBefore: Provisioner['ofBefore']
  asked: () => Asked
  deliver: Deliver
  raise: Raise
  /** A drop waits because this mailbox is full. */
  waitsForRoom: Full['waitsFor']
  /** Hops of the message that this agent had a run for at that moment. */
  causeHops: (agent: string, atMs: number) => number | undefined
  /** Of what came from outside and was read by the run it had then. */
  causeOrigin: (agent: string, atMs: number) => Via | undefined
  /** Every message and run of before is known. */
  isReady: () => boolean
  /** The secret name of a canary under way: its file is the daemon's own. */
  isCanary: (name: string) => boolean
  canaryNoticed: (name: string) => void
  canaryThrough: (delivered: Delivered) => void
  /** Milliseconds to wait where the disk has no room; undefined where it has. */
  noRoom: () => number | undefined
  /** A drop may be looked at before its time. */
  lookAgain: (folder: DropFolder, name: string) => void
  /** The disk refused a write: told once, then waited for. Returns the wait. */
  diskRefused: (cause: unknown) => number | undefined
}>

export type Pipeline = Readonly<{
  handle: (taken: Taken) => Promise<Fate>
  refuse: (folder: DropFolder, entry: Listed, stat: Stat, why: string) => Promise<Fate>
}>

/** An empty file or an unclosed front matter may still be written by somebody who closes it in between (contract, page 2). */
const INCOMPLETE_MS = 5_000
const ATTACHMENTS_MS = 10_000
const ATTACHMENTS_AGAIN_MS = 200
/** What lay in an outbox before there were walls is not its holder's yet. */
const ADOPTED_AGAIN_MS = 500
const READY_AGAIN_MS = 100
/** Where no place for copying became free, or none was told of. */
const PACKING_AGAIN_MS = 2_000
/** Lines for room in a mailbox are called as its holder is. */
const DISK_LINE = '/disk'
const PACKING_LINE = '/packing/'

export function createPipeline(given: PipelineGiven): Pipeline {
  const { deliver, raise } = given
  const packing = makePacking(given.lookAgain)

  async function handle(taken: Taken): Promise<Fate> {
    const dropped = droppedOf(taken)
    try {
      const waitMs = given.noRoom()
      if (waitMs !== undefined) return waitForDisk(taken, waitMs)
      return await admit(taken, dropped)
    } catch (cause) {
      const againMs = given.diskRefused(cause)
      if (againMs === undefined) throw cause
      return waitForDisk(taken, againMs)
    } finally {
      taken.letGo()
    }
  }

  /** Not judged yet; what it sends along waits with it all the same. */
  function waitForDisk({ bytes }: Taken, againMs: number): Fate {
    const parsed = bytes.includes('attach') ? parseMessage(bytes, given.config().org.limits) : undefined
    const attach = parsed?.ok ? readDraft(parsed.message).draft.attach.slice(0, given.config().org.limits.attachments) : []
    return { againMs, line: DISK_LINE, attach }
  }

  async function admit(taken: Taken, dropped: Dropped): Promise<Fate> {
    const { org } = given.config()
    if (given.isCanary(taken.name) && taken.folder.kind === 'spool') return canary(taken, dropped)
    if (taken.folder.kind === 'outbox' && !given.isAdopted(taken.folder.name as Name)) return { againMs: ADOPTED_AGAIN_MS }
    // Which of its runs sent it, and what that had read, is only known then.
    if (!given.isReady() && given.config().agents.get(taken.folder.name as Name)?.runner) return { againMs: READY_AGAIN_MS }
    const sender = senderOf(taken.folder, taken.stat)
    const hold = (code: FaultCode, complaints: readonly Complaint[]): Promise<Fate> =>
      refuseWith(causedBy(envelopeOf(taken, sender)), code, complaints, dropped)
    const one = (code: FaultCode, what: string): Promise<Fate> => hold(code, [{ code, spot: undefined, what }])

    if ('unknownUid' in sender && !org.acceptUnknownUids)
      return one(
        'unknown-sender',
        `uid ${sender.unknownUid} is neither an agent nor a person of this organisation; a file policies/people/NAME.md with "user: ${sender.unknownUid}" makes it one`,
      )
    if (taken.folder.kind === 'outbox' && !given.identities().mayOwn(taken.folder.name as Name, taken.stat))
      return one('unsafe-file', `it belongs to uid ${taken.stat.uid}, not to ${taken.folder.name}`)
    if (taken.stat.size > org.limits.messageBytes)
      return one('too-large', `it has ${formatSize(taken.stat.size)}; a message may have ${formatSize(org.limits.messageBytes)}`)
    const parsed = parseMessage(taken.bytes, { ...org.limits, leavesRoom: true })
    if (!parsed.ok) {
      if (parsed.incomplete && taken.waitedMs < INCOMPLETE_MS) return { againMs: INCOMPLETE_MS - taken.waitedMs }
      return hold(parsed.complaints[0]?.code ?? 'bad-front-matter', parsed.complaints)
    }
    const envelope = causedBy(envelopeOf(taken, sender))
    const asked = given.asked()
    // Room that others stand in line for is theirs.
    const room: Asked['room'] = (holder) => asked.room(holder) && taken.mayPass(holder)
    const verdict = judge(envelope, parsed.message, given.config(), { ...asked, room }, routeFor(given.config()))
    return follow(taken, dropped, envelope, parsed.message, verdict)
  }

  async function follow(taken: Taken, dropped: Dropped, envelope: Envelope, message: MessageText, verdict: Verdict): Promise<Fate> {
    switch (verdict.verdict) {
      case 'hold':
        return refuseWith(envelope, verdict.code, verdict.complaints, dropped, verdict.hops)
      case 'repeat':
        await deliver.repeat(envelope, verdict.ref, verdict.of, dropped)
        return 'gone'
      case 'wait':
        if (verdict.full !== undefined) given.waitsForRoom(verdict.full, verdict.againMs)
        return { againMs: verdict.againMs, attach: verdict.attach, ...(verdict.full === undefined ? {} : { line: verdict.full }) }
      case 'admit': {
        if (verdict.plan.attach.length === 0) return deliverPlan(taken, dropped, envelope, message, verdict.plan)
        const line = `${PACKING_LINE}${envelope.from}`
        const end = taken.mayPass(line) ? packing.begin(envelope.from, taken.folder, taken.name) : undefined
        if (!end) return { againMs: PACKING_AGAIN_MS, attach: verdict.plan.attach, line }
        // It may take minutes, and there may be another place for the next.
        taken.leaveLine()
        try {
          return await deliverPlan(taken, dropped, envelope, message, verdict.plan)
        } finally {
          end()
        }
      }
    }
  }

  async function deliverPlan(taken: Taken, dropped: Dropped, envelope: Envelope, message: MessageText, plan: AdmitPlan): Promise<Fate> {
    const found = attachmentsOf(taken, plan.attach)
    if (found.found === 'refused') return refuseWith(envelope, found.code, [{ code: found.code, spot: message.spots.get('attach'), what: found.what }], dropped)
    if (found.found === 'some') {
      if (taken.waitedMs < ATTACHMENTS_MS) return { againMs: ATTACHMENTS_AGAIN_MS, attach: plan.attach }
      const what = `the attachment ${found.missing.join(', ')} did not appear within ${ATTACHMENTS_MS / 1000} s in ${taken.folder.shown}/files/ or beside the message`
      return refuseWith(envelope, 'missing-attachment', [{ code: 'missing-attachment', spot: message.spots.get('attach'), what }], dropped)
    }
    try {
      const { attach: _attach, inReplyTo, priority, misleadingName, ...rest } = plan
      const delivered = await deliver.deliver(
        { ...rest, envelope, text: message.text, attachments: found.files, priority: priority.name, rank: priority.rank, inReplyTo: inReplyTo?.id },
        dropped,
      )
      if (misleadingName !== undefined) nameMisleads(envelope, delivered, misleadingName, priority.name)
      return 'gone'
    } finally {
      for (const file of found.files) file.letGo()
    }
  }

  async function canary(taken: Taken, dropped: Dropped): Promise<Fate> {
    given.canaryNoticed(taken.name)
    const parsed = parseMessage(taken.bytes, given.config().org.limits)
    if (!parsed.ok) throw new Error('the canary does not parse')
    const envelope: Envelope = { ...envelopeOf(taken, { from: 'unknown', via: 'daemon' }), from: 'pennypost' }
    const { fallback } = given.config().priorities
    const delivered = await deliver.deliver(
      {
        envelope,
        text: parsed.message.text,
        to: [{ holder: 'canary' as Name, kind: 'note' }],
        attachments: [],
        subject: 'canary',
        priority: fallback.name,
        rank: fallback.rank,
        stamp: { from: 'pennypost', via: 'daemon' },
        thread: undefined,
        hops: 0,
        origin: 'daemon',
        key: `canary:${taken.name}`,
      },
      dropped,
    )
    given.canaryThrough(delivered)
    return 'gone'
  }

  async function refuseWith(
    envelope: Envelope,
    code: FaultCode,
    complaints: readonly Complaint[],
    dropped: Dropped,
    hops = hopsFrom(envelope, undefined),
  ): Promise<Fate> {
    await deliver.hold({ envelope, code, complaints, hops }, dropped)
    return 'gone'
  }

  /** What an agent sends while it runs carries on the chain of the message it runs for. */
  function causedBy(envelope: Envelope): Envelope {
    if (envelope.arrivedMs === undefined) return envelope
    const causeHops = given.causeHops(envelope.from, envelope.arrivedMs)
    const causeOrigin = given.causeOrigin(envelope.from, envelope.arrivedMs)
    return { ...envelope, ...(causeHops === undefined ? {} : { causeHops }), ...(causeOrigin === undefined ? {} : { causeOrigin }) }
  }

  async function refuse(folder: DropFolder, entry: Listed, stat: Stat, why: string): Promise<Fate> {
    const sender: Sender = folder.kind === 'outbox' ? { from: folder.name as Name, via: 'agent' } : given.identities().senderInSpool(stat.uid)
    const envelope: Envelope = {
      from: 'unknownUid' in sender ? 'unknown' : sender.from,
      via: 'unknown',
      folder: folder.shown,
      name: showSafely(entry.name),
      box: undefined,
      sha256: '',
      arrivedMs: stat.ctimeMs,
    }
    try {
      return await refuseWith(causedBy(envelope), 'unsafe-file', [{ code: 'unsafe-file', spot: undefined, what: `${why} (owner: uid ${stat.uid})` }], {
        source: sourceOf(folder, entry, stat),
        untouched: () => true,
        letGo: () => undefined,
      })
    } catch (cause) {
      const againMs = given.diskRefused(cause)
      if (againMs === undefined) throw cause
      return { againMs }
    }
  }

  function senderOf(folder: DropFolder, stat: Stat): Sender {
    if (folder.kind !== 'outbox') {
      const sender = given.identities().senderInSpool(stat.uid)
      return 'unknownUid' in sender && given.ofBefore(stat) ? { from: given.config().org.postmaster, via: 'person' } : sender
    }
    return { from: folder.name as Name, via: given.config().people.has(folder.name as Name) ? 'person' : 'agent' }
  }

  function attachmentsOf(taken: Taken, names: readonly string[]): AttachmentsFound {
    if (names.length === 0) return { found: 'all', files: [] }
    const { folder } = taken
    const isAgent = folder.kind === 'outbox' && given.config().agents.has(folder.name as Name)
    return findAttachments(names, {
      disk: given.disk,
      folder: folder.path,
      shown: folder.shown,
      home: isAgent ? given.layout.home(folder.name) : undefined,
      limitBytes: given.config().org.limits.attachmentBytes,
      mayOwn: (stat) => (folder.kind === 'outbox' ? given.identities().mayOwn(folder.name as Name, stat) : stat.uid === taken.stat.uid),
    })
  }

  function nameMisleads(envelope: Envelope, { mails }: Delivered, word: string, priority: string): void {
    const meant = meantBy(given.config().priorities, word)
    const file = `${envelope.folder}/${envelope.name}`
    const agent = given.config().agents.has(envelope.from as Name) ? { agent: envelope.from } : {}
    const sentence = `The name of ${file} says "${word}", but its front matter does not: it was delivered with priority ${priority}. Names of files carry no meaning on the way in.`
    const set = (name: string): string => mails.map(({ id }) => `penny set ${id} priority=${name}`).join(' && ')
    const close = `penny alerts done priority-in-name.${keyOf(file)}`
    // By its front matter it has the priority that the word most likely means: there is nothing to set, only something to know.
    const fix = meant === priority ? `${close}   # or, if ${priority} is not what was meant: ${set('…')}` : set(meant)
    raise({ code: 'priority-in-name', about: file, ...agent, sentence, fix })
  }

  const routeFor = (config: Config) => (addresses: readonly string[], from: string, asked: Asked) =>
    route(addresses, { config, from, load: asked.load, wroteBefore: (holder) => asked.wroteBefore(holder, from) })

  return { handle, refuse }
}
