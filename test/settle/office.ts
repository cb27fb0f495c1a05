/** One holder's mailbox with the settle room before it: real files and leases, a clock of this machine, hints given by hand. */

import { mkdirSync, readdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs'
import type { Test } from 'tap'
import type { Event } from '../../src/core/event.ts'
import type { Fault } from '../../src/core/fault.ts'
import type { MessageId } from '../../src/core/ids.ts'
import type { Name } from '../../src/core/names.ts'
import type { Changed, Letter } from '../../src/core/post.ts'
import type { Actor, Folder, Status } from '../../src/core/status.ts'
import { happened } from '../../src/daemon/rebuild.ts'
import { formatFileName, layoutOf, type Mail, makeFinder, makeLedger, pinFolders } from '../../src/mailbox/index.ts'
import { PRIVATE_FOLDERS } from '../../src/mailbox/layout.ts'
import { createSettleRoom, type SettleRoom } from '../../src/settle/index.ts'
import { makeIds, realSystem } from '../../src/system/index.ts'
import type { Clock, Disk, System } from '../../src/system/types.ts'
import { configOf } from '../config/organisation.ts'
import { task } from '../deadline/office.ts'

export type Office = Readonly<{
  root: string
  room: SettleRoom
  raised: Map<string, Fault>
  letters: Letter[]
  events: Event[]
  /** Delivers a message to legal, as the daemon does. */
  deliver: (more?: Partial<Mail>, body?: string) => Mail
  /** Where it lies now: `folder status`. */
  where: (mail: Mail) => string
  path: (mail: Mail, folder?: Folder) => string
  text: (mail: Mail) => string
  /** As an editor saves: a new file under the same name. */
  save: (mail: Mail, folder: Folder, text: string) => void
  /** Gives the hint for a name and waits until everything is in step. */
  hint: (mail: Mail, folder: Folder) => Promise<void>
  ask: (mail: Mail, to: Status, actor: Actor) => Promise<Changed>
  isKnown: (mail: Mail) => boolean
  /** The original is past the retention time. */
  expire: (mail: Mail) => void
  /** The mirror in the sender's sent/, once it is written. */
  mirror: (mail: Mail) => string | undefined
  aside: (mail: Mail) => string[]
}>

let system: System | undefined

/** `between`: what lies between the room and the real one. */
export async function office(test: Test, between: (disk: Disk) => Disk = (disk) => disk): Promise<Office> {
  let over = false
  let ended = false
  let room: SettleRoom | undefined
  // What waits to be looked at again must not write into a folder that is being removed: so this comes before the folder, to run before that.
  test.teardown(async () => {
    over = true
    await room?.settle.idle()
    ended = true
  })
  const root = test.testdir()
  const layout = layoutOf(root)
  const make = (holder: string): void => {
    for (const folder of ['new', 'cur', 'done', 'attachments', 'sent']) mkdirSync(`${layout.workspace(holder)}/${folder}`, { recursive: true })
  }
  for (const holder of ['cfo', 'legal']) make(holder)
  for (const folder of PRIVATE_FOLDERS) mkdirSync(layout.private(folder), { recursive: true })
  system ??= await realSystem(layout.staging, 'error', () => undefined)
  // Unlike the daemon's own, these timers keep the process alive: here nothing else does.
  const real = system.clock
  const clock: Clock = {
    ...real,
    after: (ms, call) => {
      const timer = setTimeout(() => !over && call(), ms)
      return () => clearTimeout(timer)
    },
    soon: (call) => real.soon(() => !ended && call()),
  }
  const disk = between(system.disk)
  const pins = pinFolders(disk)
  const ledger = makeLedger()
  const config = configOf()
  const originals = new Map<MessageId, string>()
  const mails = new Map<MessageId, Mail>()
  /** As they were admitted. */
  const journaled = new Map<MessageId, Mail>()
  const raised = new Map<string, Fault>()
  const letters: Letter[] = []
  const events: Event[] = []
  const ids = makeIds(clock)
  const path = (mail: Mail, folder: Folder = mail.folder): string => `${layout.folder(mail.holder, folder)}/${mail.file}`
  const find = (mail: Mail): { folder: Folder; text: string } | undefined => {
    const found = (['new', 'cur', 'done'] as const).flatMap((folder) =>
      readdirSync(layout.folder(mail.holder, folder))
        .filter((name) => name.includes(mail.id))
        .map((name) => ({ folder, text: readFileSync(`${layout.folder(mail.holder, folder)}/${name}`, 'utf8') })),
    )
    if (found.length > 1) throw new Error(`${mail.id} lies in ${found.map(({ folder }) => folder).join(' and ')}`)
    return found[0]
  }
  room = createSettleRoom({
    clock,
    disk,
    ids,
    log: (level, what, fields) => {
      if (level === 'error') throw new Error(`${what} ${JSON.stringify(fields)}`)
    },
    watch: () => () => undefined,
    layout,
    pins,
    finder: makeFinder(disk, layout, clock, pins),
    ledger,
    config: () => config,
    record: (event) => void events.push(event),
    raise: (fault) => void raised.set(fault.code, fault),
    clear: (code) => void raised.delete(code),
    submit: async (letter) => {
      letters.push(letter)
      return ids.next()
    },
    mailOwner: () => undefined,
    givenOwner: () => undefined,
    original: (id) => originals.get(id),
    readmit: () => undefined,
    recall: (id) => {
      const mail = ledger.get(id) ?? mails.get(id)
      const found = mail && find(mail)
      const status = found && /^status: (.*)$/m.exec(found.text)?.[1]
      return mail && { ...mail, ...(found ? { folder: found.folder } : {}), ...(status && mail.status !== null ? { status: status as Status } : {}) }
    },
    past: async (id) => {
      const mail = ledger.get(id) ?? journaled.get(id)
      if (!mail || ledger.get(id)) return mail
      const past = { ...mail }
      for (const event of events) if ('id' in event && event.id === id) happened(past, { at: new Date(clock.now()).toISOString(), ...event })
      return past
    },
    meant: (_holder, idOrRef) => (mails.has(idOrRef as MessageId) ? (idOrRef as MessageId) : undefined),
    changed: () => undefined,
    repair: (holder) => void (ended || make(holder)),
  })
  const made = room
  return {
    root,
    room: made,
    raised,
    letters,
    events,
    deliver: (more = {}, body = 'body\n') => {
      const id = ids.next()
      const updated = new Date(clock.now()).toISOString()
      const file = formatFileName(3, 'normal', id, 'Review')
      const mail = { ...task({ id, from: 'cfo' as Name, updated, file, createdMs: clock.now(), sinceMs: clock.now(), ...more }) }
      const status = mail.status === null ? '' : `status: ${mail.status}\n`
      const text = `---\nid: ${id}\nkind: ${mail.kind}\n${status}from: cfo\nto: legal # the counsel\nsubject: Review\npriority: normal\nupdated: ${updated}\n---\n${body}`
      writeFileSync(path(mail), text)
      originals.set(id, text)
      mails.set(id, mail)
      journaled.set(id, { ...mail })
      ledger.add(mail)
      return mail
    },
    where: (mail) => {
      const found = find(mail)
      return found ? `${found.folder} ${/^status: (.*)$/m.exec(found.text)?.[1] ?? '-'}` : 'nowhere'
    },
    path,
    text: (mail) => find(mail)?.text ?? '',
    save: (mail, folder, text) => {
      const edited = `${layout.folder(mail.holder, folder)}/.edit`
      writeFileSync(edited, text)
      renameSync(edited, path(mail, folder))
    },
    hint: async (mail, folder) => {
      made.settle.touched(mail.holder, folder, mail.file)
      for (let i = 0; i < 3; i++) {
        await made.settle.idle()
        await new Promise((resolve) => void setTimeout(resolve, 5))
      }
    },
    ask: (mail, to, actor) => made.settle.apply({ id: mail.id, to, actor, by: actor }),
    expire: (mail) => void originals.delete(mail.id),
    isKnown: (mail) => ledger.get(mail.id) !== undefined,
    mirror: (mail) => {
      made.mirror.flush()
      const name = readdirSync(layout.sent('cfo')).find((one) => one.includes(mail.id))
      return name && readFileSync(`${layout.sent('cfo')}/${name}`, 'utf8')
    },
    aside: (mail) => {
      try {
        return readdirSync(`${layout.attachments('legal')}/${mail.id}`).map((name) => readFileSync(`${layout.attachments('legal')}/${mail.id}/${name}`, 'utf8'))
      } catch (cause) {
        if ((cause as NodeJS.ErrnoException).code === 'ENOENT') return []
        throw cause
      }
    },
  }
}
