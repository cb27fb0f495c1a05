/** Delivery over real folders: what was delivered, held and told, and another daemon on the same root. */

import { createHash } from 'node:crypto'
import { mkdirSync, readdirSync, readFileSync } from 'node:fs'
import type { Event } from '../../src/core/event.ts'
import type { MessageId } from '../../src/core/ids.ts'
import type { Name } from '../../src/core/names.ts'
import { createDelivery, type Deliver, type Delivery, type Dropped } from '../../src/deliver/index.ts'
import { type HoldIntent, openSealed, type Source } from '../../src/journal/index.ts'
import { layoutOf, makeLedger, pinFolders } from '../../src/mailbox/index.ts'
import { PRIVATE_FOLDERS } from '../../src/mailbox/layout.ts'
import { makeIds, realSystem, writeState } from '../../src/system/index.ts'
import type { Disk, System } from '../../src/system/types.ts'
import { configOf } from '../config/organisation.ts'

export type Office = Readonly<{
  root: string
  disk: Disk
  deliver: Deliver
  events: Event[]
  held: HoldIntent[]
  /** Alerts that are open. */
  told: ReadonlySet<string>
  /** What is done with a message once it is delivered. */
  done: { of: () => Promise<void> }
  ledgerSize: () => number
  source: (folder: string, name: string) => Source
  /** A file that was read while nobody wrote it. */
  dropped: (folder: string, name: string, untouched?: boolean) => Dropped
  files: (folder: string) => string[]
  text: (path: string) => string
}>

let system: System | undefined

export async function office(root: string, options: Readonly<{ boot?: string; breakDisk?: (disk: Disk) => Disk; clockBackMs?: number }> = {}): Promise<Office> {
  const layout = layoutOf(root)
  const folders = ['new', 'cur', 'done', 'attachments', 'outbox/files', 'home']
  for (const holder of ['cfo', 'legal']) for (const folder of folders) mkdirSync(`${layout.workspace(holder)}/${folder}`, { recursive: true })
  for (const folder of [`${layout.spool}/files`, layout.held, ...PRIVATE_FOLDERS.map(layout.private)]) mkdirSync(folder, { recursive: true })
  system ??= await realSystem(layout.staging, 'error', () => undefined)
  const { clock } = system
  const disk = (options.breakDisk ?? ((real) => real))(system.disk)
  const events: Event[] = []
  const held: HoldIntent[] = []
  const told = new Set<string>()
  const done = { of: async (): Promise<void> => undefined }
  const ledger = makeLedger()
  const config = configOf()
  const deliver = createDelivery({
    clock,
    disk,
    ids: makeIds({ ...clock, now: () => clock.now() - (options.clockBackMs ?? 0) }),
    log: () => undefined,
    bootId: options.boot ?? 'boot',
    layout,
    pins: pinFolders(disk),
    sealed: openSealed(disk, clock, layout.private('sealed'), `${layout.private('intents')}/mark.json`, writeState),
    ledger,
    record: (event) => void events.push(event),
    syncJournal: async () => undefined,
    config: () => config,
    raise: ({ code, about }) => void told.add(`${code} ${about}`),
    clear: (code, about) => void told.delete(`${code} ${about}`),
    mailOwner: () => undefined,
    heldOwner: () => undefined,
    givenOwner: () => undefined,
    recorded: () => ({ known: new Set<MessageId>(), settled: new Set<MessageId>() }),
    repair: (holder) => {
      for (const folder of folders) mkdirSync(`${layout.workspace(holder)}/${folder}`, { recursive: true })
    },
    placed: () => undefined,
    held: (intent) => void held.push(intent),
    done: () => done.of(),
  })
  const source = (folder: string, name: string): Source => {
    const { dev, ino, size, mtimeMs } = disk.stat(`${root}/${folder}/${name}`)
    return { folder, name, dev, ino, size, mtimeMs }
  }
  return {
    root,
    disk,
    deliver,
    events,
    held,
    told,
    done,
    ledgerSize: ledger.size,
    source,
    dropped: (folder, name, untouched = true) => ({ source: source(folder, name), untouched: () => untouched, letGo: () => undefined }),
    files: (folder) =>
      readdirSync(`${root}/${folder}`)
        .filter((name) => name !== '.lease-probe')
        .sort(),
    text: (path) => readFileSync(`${root}/${path}`, 'utf8'),
  }
}

export function delivery(text: string, to: readonly string[], more: Partial<Delivery> = {}): Delivery {
  return {
    envelope: { from: 'ceo' as Name, via: 'person', folder: 'spool', name: 'a.md', box: undefined, sha256: createHash('sha256').update(text).digest('hex') },
    text,
    to: to.map((holder) => ({ holder: holder as Name, kind: 'task' })),
    attachments: [],
    subject: 'A',
    priority: 'normal',
    rank: 3,
    stamp: { from: 'ceo' },
    thread: undefined,
    hops: 0,
    origin: 'person',
    ...more,
  }
}
