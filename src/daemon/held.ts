/** Lets a held file go again: back to where it was dropped, as a new drop. And notices those that a person took away. */
import { addressable, type Config } from '../core/config.ts'
import type { Event } from '../core/event.ts'
import { isMessageId, type MessageId } from '../core/ids.ts'
import { nearest } from '../core/names.ts'
import type { Clear } from '../core/post.ts'
import { shellWord, slugOf } from '../core/text.ts'
import type { HoldIntent, Journal, Sealed } from '../journal/index.ts'
import { isDraftName, isGone, isMessageName, type Layout, listOrNothing, statOrNothing } from '../mailbox/index.ts'
import type { Clock, Disk, Fd, Ids, Path } from '../system/types.ts'
import { Refused } from './control.ts'

export type HeldLookGiven = Readonly<{ disk: Disk; layout: Layout; sealed: Sealed; cleared: Clear }>
export type HeldFilesGiven = HeldLookGiven & Readonly<{ ids: Ids; config: () => Config; journal: Journal; record: (event: Event) => void }>

const WHY = '.why.md'
const RACY_MS = 100

/** Of the held files that may be meant. */
const MOST_NAMED = 10

export function heldFiles(disk: Disk, layout: Layout): string[] {
  return listOrNothing(disk, layout.held).flatMap(({ name }) => (name.endsWith(WHY) || name.startsWith('.') ? [] : [name]))
}

/** What became of a file that was let go. */
export type Released = Readonly<{ kind: 'admitted'; ids: readonly MessageId[] }> | Readonly<{ kind: 'held'; drop: MessageId; code: string; held: string }>

/** Where the file was dropped again, relative to the root; and, once it is taken, what became of it (undefined: nobody asks any more). */
export function releaseHeld(given: HeldFilesGiven, wanted: string, gone: AbortSignal): { file: string; fate: Promise<Released | undefined> } {
  const { disk, layout } = given
  const base = wanted.replace(/^.*\//, '').replace(/\.why\.md$/, '')
  const names = heldFiles(disk, layout)
  const matches = names.filter((name) => name === base || (base.length >= 4 && name.split('.').some((part) => part.endsWith(base))))
  const [held] = matches
  if (held === undefined) throw new Refused(66, `no held file ${wanted}${near(base, names)}`, 'penny held')
  if (matches.length > 1)
    throw new Refused(64, `${wanted} means ${matches.length} held files`, `penny release ${shellWord(held)}`, matches.slice(0, MOST_NAMED).join(' '))
  const intent = intentOf(given, held)
  const raw = intent?.source.raw === undefined ? undefined : Buffer.from(intent.source.raw, 'base64')
  const name = nameFor(held, intent)
  const { fd, folder } = openTarget(disk, layout, folderFor(given, intent))
  const { dev, ino } = disk.stat(`${layout.held}/${held}`)
  const fate = fateOf(given, dev, ino, gone)
  let target: Path
  try {
    target = statOrNothing(disk, disk.at(fd, raw ?? name)) ? `released-${given.ids.secret().slice(0, 6)}-${name}` : (raw ?? name)
    disk.renameNew(`${layout.held}/${held}`, disk.at(fd, target))
  } finally {
    disk.close(fd)
  }
  const why = `${layout.held}/${held}.why.md`
  if (statOrNothing(disk, why)) disk.unlink(why)
  given.record({ event: 'released', held })
  clearFor(given, held)
  return { file: `${folder}/${String(target)}`, fate }
}

function intentOf({ sealed }: Pick<HeldFilesGiven, 'sealed'>, held: string): HoldIntent | undefined {
  const id = held.split('.')[1] ?? ''
  const intent = isMessageId(id) ? sealed.find(id) : undefined
  return intent?.act === 'hold' ? intent : undefined
}

/** Its own; where it had none of a message's (a link, or put here by hand) one that is taken for a message. */
function nameFor(held: string, intent: HoldIntent | undefined): string {
  const own = intent?.source.name ?? held
  if (isMessageName(own) && !isDraftName(own)) return own
  return `${slugOf(intent ? held.split('.').slice(2).join('.') : held)}.md`
}

/** A box of nobody would hold it again, whatever was mended: in the spool its `to:` counts. */
function folderFor({ config }: HeldFilesGiven, intent: HoldIntent | undefined): string {
  const folder = intent?.source.folder ?? 'spool'
  if (folder.startsWith('.penny')) return 'spool'
  const [, box] = /^spool\/(.*)$/.exec(folder) ?? []
  return box === undefined || addressable(config()).includes(box) ? folder : 'spool'
}

function fateOf({ journal, sealed }: HeldFilesGiven, dev: number, ino: number, gone: AbortSignal): Promise<Released | undefined> {
  return new Promise((resolve) => {
    const end = (fate: Released | undefined): void => {
      stop()
      gone.removeEventListener('abort', leave)
      resolve(fate)
    }
    const leave = (): void => end(undefined)
    const stop = journal.listen((entry) => {
      if (entry.event !== 'admitted' && entry.event !== 'held' && entry.event !== 'repeat') return
      const source = sealed.find(entry.drop)?.source
      if (source?.ino !== ino || source.dev !== dev) return
      if (entry.event === 'held') end({ kind: 'held', drop: entry.drop, code: entry.code, held: entry.held })
      else end({ kind: 'admitted', ids: entry.event === 'repeat' ? [entry.of] : entry.copies.map(({ id }) => id) })
    })
    gone.addEventListener('abort', leave)
  })
}

/** Closes the alert of a file that is held no longer, unless another that is held bears the same name and code. */
function clearFor(given: HeldLookGiven, held: string): void {
  const intent = intentOf(given, held)
  if (!intent) return
  const [code, , slug] = held.split('.')
  const about = `${intent.folder}/${intent.name}`
  const isShared = heldFiles(given.disk, given.layout).some((name) => {
    const [otherCode, , otherSlug] = name.split('.')
    const other = name !== held && otherCode === code && otherSlug === slug ? intentOf(given, name) : undefined
    return other !== undefined && `${other.folder}/${other.name}` === about
  })
  if (!isShared) given.cleared(intent.code, about)
}

/** What a person took out of spool/held/ is over: its reason and its alert go too. To be called again and again. */
export function makeHeldSweep(given: HeldLookGiven & Readonly<{ clock: Clock }>): () => void {
  const { disk, layout, clock } = given
  let known = new Set<string>()
  let listedCtimeMs = -1
  return () => {
    const ctimeMs = statOrNothing(disk, layout.held)?.ctimeMs
    if (ctimeMs === undefined || ctimeMs === listedCtimeMs) return
    // Changed just now it may change again within the same tick of the file system's clock.
    listedCtimeMs = clock.now() - ctimeMs < RACY_MS ? -1 : ctimeMs
    const there = listOrNothing(disk, layout.held).map(({ name }) => name)
    const files = new Set(there.filter((name) => !name.endsWith(WHY)))
    const orphans = there.filter((name) => name.endsWith(WHY)).map((name) => name.slice(0, -WHY.length))
    for (const name of new Set([...orphans, ...known])) {
      if (files.has(name) || statOrNothing(disk, `${layout.held}/${name}`)) continue
      const why = `${layout.held}/${name}${WHY}`
      if (statOrNothing(disk, why)) disk.unlink(why)
      clearFor(given, name)
    }
    known = files
  }
}

/** Where it was dropped, or the spool where that is no folder any more: whoever made a box may have put a link in its place. */
function openTarget(disk: Disk, layout: Layout, shown: string): { fd: Fd; folder: string } {
  try {
    return { fd: disk.openFolder(`${layout.root}/${shown}`), folder: shown }
  } catch (cause) {
    if (!isGone(cause) && (cause as NodeJS.ErrnoException).code !== 'ELOOP') throw cause
    return { fd: disk.openFolder(layout.spool), folder: 'spool' }
  }
}

function near(base: string, names: readonly string[]): string {
  const found = nearest(base, names)
  return found === undefined ? '' : ` (did you mean ${found}?)`
}
