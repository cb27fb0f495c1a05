/** Lets a held file go again: back to where it was dropped, as a new drop. And notices those that a person took away. */
import { addressable, type Config } from '../core/config.ts'
import type { Entry, Event } from '../core/event.ts'
import { nearest } from '../core/names.ts'
import type { Clear, Raise } from '../core/post.ts'
import { cutToBytes, MOST_NAME_BYTES, shellWord, showSafely, slugOf } from '../core/text.ts'
import type { HoldIntent, Journal, Sealed } from '../journal/index.ts'
import {
  explainedBy,
  isDraftName,
  isMessageName,
  isRacy,
  type Layout,
  leadsNowhere,
  listOrNothing,
  parseHeldName,
  statOrNothing,
  whyBeside,
} from '../mailbox/index.ts'
import { inSlices } from '../system/slices.ts'
import type { Clock, Disk, Fd, Ids, Path, Stat } from '../system/types.ts'
import { Refused } from './control.ts'
import { isOfDrop, nextEntry, type Outcome, outcomeOf } from './outcomes.ts'

export type HeldLookGiven = Readonly<{ disk: Disk; layout: Layout; sealed: Sealed; cleared: Clear }>
export type HeldFolderGiven = Readonly<{
  clock: Clock
  disk: Disk
  layout: Layout
  raise: Raise
  clear: Clear
  /** Makes the folders of the root right. True: something was wrong, and that is told. */
  repair: () => boolean
}>
export type HeldFolder = Readonly<{
  /** All that lies there. Throws where it cannot be listed; that is told by then. */
  names: () => Promise<readonly string[]>
  /** It could not be listed, and that is told of from here. */
  isTold: () => boolean
  /** Of the files that are held; where the folder cannot be listed, as many as there were. */
  count: () => Promise<number>
}>
export type HeldFilesGiven = HeldLookGiven & Readonly<{ ids: Ids; config: () => Config; journal: Journal; record: (event: Event) => void }>

/** A folder that takes long to list, because it was filled, is listed again after so many times as long. */
const LISTING_PAUSES = 5
/** Of the held files that may be meant. */
const MOST_NAMED = 10

export function heldFiles(disk: Disk, layout: Layout): string[] {
  return listOrNothing(disk, layout.held).flatMap(({ name }) => (isHeldFile(name) ? [name] : []))
}

/** One for all who list it again and again: that it cannot be listed is told once, and closed when it can be. */
export function createHeldFolder({ clock, disk, layout, raise, clear, repair }: HeldFolderGiven): HeldFolder {
  const about = layout.held.slice(layout.root.length + 1)
  let lastCount = 0
  let told = false

  /** There may be a hundred thousand. */
  async function list(): Promise<readonly string[] | Error> {
    try {
      const names: string[] = []
      if (statOrNothing(disk, layout.held)) await inSlices(clock, disk.entries(layout.held), ({ name }) => void names.push(name))
      if (told) clear('unreadable-file', about)
      told = false
      return names
    } catch (cause) {
      told ||= !repair()
      const code = (cause as NodeJS.ErrnoException).code ?? String(cause)
      const sentence = `The folder ${about} cannot be listed (${code}); it is tried again and again. What is held is not known until then.`
      if (told) raise({ code: 'unreadable-file', about, sentence, fix: `ls -la ${shellWord(about)}` })
      return cause as Error
    }
  }

  return {
    names: async () => {
      const found = await list()
      if (found instanceof Error) throw found
      return found
    },
    isTold: () => told,
    count: async () => {
      const found = await list()
      if (!(found instanceof Error)) lastCount = found.filter(isHeldFile).length
      return lastCount
    },
  }
}

const isHeldFile = (name: string): boolean => explainedBy(name) === undefined && !name.startsWith('.')

/** Where the file was dropped again, relative to the root; and, once it is taken, what became of it (undefined: nobody asks any more). */
export function releaseHeld(given: HeldFilesGiven, wanted: string, gone: AbortSignal): { file: string; fate: Promise<Outcome | undefined> } {
  const { disk, layout } = given
  const typed = wanted.replace(/^.*\//, '')
  const base = explainedBy(typed) ?? typed
  const names = heldFiles(disk, layout)
  const matches = names.filter((name) => name === base || (base.length >= 4 && name.split('.').some((part) => part.endsWith(base))))
  const [held] = matches
  if (held === undefined) throw new Refused(66, `no held file ${wanted}${near(base, names)}`, 'penny held')
  if (matches.length > 1)
    throw new Refused(64, `${wanted} means ${matches.length} held files`, `penny release ${shellWord(held)}`, matches.slice(0, MOST_NAMED).join(' '))
  const intent = intentOf(given, held)
  const { fd, folder } = openTarget(disk, layout, folderFor(given, intent))
  let released: { file: string; fate: Promise<Outcome | undefined> }
  try {
    const own = nameFor(held, intent)
    const name = statOrNothing(disk, disk.at(fd, own.path)) ? besides(given.ids.secret().slice(0, 6), own.shown) : own.path
    const shown = typeof name === 'string' ? name : own.shown
    const stat = disk.stat(`${layout.held}/${held}`)
    disk.renameNew(`${layout.held}/${held}`, disk.at(fd, name))
    released = { file: `${folder}/${shown}`, fate: fateOf(given, stat, showSafely(shown), gone) }
  } finally {
    disk.close(fd)
  }
  const why = whyBeside(`${layout.held}/${held}`)
  if (statOrNothing(disk, why)) disk.unlink(why)
  given.record({ event: 'released', held })
  clearFor(given, held, alikeOf(names))
  return released
}

function intentOf({ sealed }: Pick<HeldFilesGiven, 'sealed'>, held: string): HoldIntent | undefined {
  const named = parseHeldName(held)
  const intent = named && sealed.find(named.id)
  return intent?.act === 'hold' ? intent : undefined
}

/** Its own; where it had none of a message's (a link, or put here by hand) one that is taken for a message. */
function nameFor(held: string, intent: HoldIntent | undefined): { path: Path; shown: string } {
  const { name: own = held, raw } = intent?.source ?? {}
  if (isMessageName(own) && !isDraftName(own)) return { path: raw === undefined ? own : Buffer.from(raw, 'base64'), shown: own }
  const made = `${slugOf((intent && parseHeldName(held)?.slug) ?? held)}.md`
  return { path: made, shown: made }
}

/** Its own end stays: that is what makes it a message's. */
function besides(random: string, shown: string): string {
  const begin = `released-${random}-`
  const end = shown.slice(shown.lastIndexOf('.'))
  return `${begin}${cutToBytes(shown.slice(0, -end.length), MOST_NAME_BYTES - Buffer.byteLength(begin + end))}${end}`
}

/** A box of nobody would hold it again, whatever was mended: in the spool its `to:` counts. */
function folderFor({ config }: HeldFilesGiven, intent: HoldIntent | undefined): string {
  const folder = intent?.source.folder ?? 'spool'
  if (folder.startsWith('.penny')) return 'spool'
  const [, box] = /^spool\/(.*)$/.exec(folder) ?? []
  return box === undefined || addressable(config()).includes(box) ? folder : 'spool'
}

async function fateOf({ journal, sealed }: HeldFilesGiven, { ino }: Stat, shown: string, gone: AbortSignal): Promise<Outcome | undefined> {
  const isIts = (entry: Entry): boolean => {
    // By its name most are told apart, without a look into the seals; a repeat tells none.
    if (!isOfDrop(entry) || (entry.event !== 'repeat' && entry.name !== shown)) return false
    return sealed.find(entry.drop)?.source?.ino === ino
  }
  const entry = await nextEntry(journal, isIts, gone)
  return entry && isOfDrop(entry) ? outcomeOf(entry) : undefined
}

/** Held files by code and slug: only those that have both in common can bear one name. */
type Alike = ReadonlyMap<string, readonly string[]>

function likenessOf(held: string): string {
  const named = parseHeldName(held)
  return named ? `${named.code}.${named.slug}` : ''
}

function alikeOf(names: Iterable<string>): Alike {
  const alike = new Map<string, string[]>()
  for (const name of names) {
    const likeness = likenessOf(name)
    const known = alike.get(likeness)
    if (known) known.push(name)
    else alike.set(likeness, [name])
  }
  return alike
}

/** Closes the alert of a file that is held no longer, unless another that is held bears the same name and code. */
function clearFor(given: HeldLookGiven, held: string, others: Alike): void {
  const intent = intentOf(given, held)
  if (!intent) return
  const about = `${intent.folder}/${intent.name}`
  const isShared = (others.get(likenessOf(held)) ?? []).some((name) => {
    const other = name === held ? undefined : intentOf(given, name)
    return other !== undefined && `${other.folder}/${other.name}` === about
  })
  if (!isShared) given.cleared(intent.code, about)
}

/** `sweep`: to be called again and again. `told`: this is held now, and people are told; it may be gone before the next look. */
export type HeldSweep = Readonly<{ sweep: () => Promise<void>; told: (held: string) => void }>

/** What a person took out of spool/held/ is over: its reason and its alert go too. */
export function makeHeldSweep(given: HeldLookGiven & Readonly<{ clock: Clock; folder: HeldFolder }>): HeldSweep {
  const { disk, layout, clock, folder } = given
  const known = new Set<string>()
  let listedCtimeMs = -1
  let underWay = false
  let nextMs = 0

  async function look(ctimeMs: number): Promise<void> {
    const listedMs = clock.now()
    const there = await folder.names()
    const files = new Set<string>()
    const gone = new Set(known)
    await inSlices(clock, there, (name) => {
      const explained = explainedBy(name)
      if (explained === undefined) files.add(name)
      else gone.add(explained)
    })
    let alike: Alike | undefined
    await inSlices(clock, gone, (name) => {
      if (files.has(name) || statOrNothing(disk, `${layout.held}/${name}`)) return
      const why = whyBeside(`${layout.held}/${name}`)
      if (statOrNothing(disk, why)) disk.unlink(why)
      alike ??= alikeOf(files)
      clearFor(given, name, alike)
      known.delete(name)
    })
    for (const name of files) known.add(name)
    // Only now: what failed is done again.
    listedCtimeMs = isRacy(ctimeMs, listedMs) ? -1 : ctimeMs
  }

  async function sweep(): Promise<void> {
    const ctimeMs = statOrNothing(disk, layout.held)?.ctimeMs
    const startedMs = clock.monotonic()
    if (underWay || startedMs < nextMs || ctimeMs === undefined || (ctimeMs === listedCtimeMs && !folder.isTold())) return
    underWay = true
    try {
      await look(ctimeMs)
    } finally {
      underWay = false
      const endedMs = clock.monotonic()
      nextMs = endedMs + LISTING_PAUSES * (endedMs - startedMs)
    }
  }

  return { sweep, told: (held) => void known.add(held) }
}

/** Where it was dropped, or the spool where that is no folder any more: whoever made a box may have put a link in its place. */
function openTarget(disk: Disk, layout: Layout, shown: string): { fd: Fd; folder: string } {
  try {
    return { fd: disk.openFolder(`${layout.root}/${shown}`), folder: shown }
  } catch (cause) {
    if (!leadsNowhere(cause)) throw cause
    return { fd: disk.openFolder(layout.spool), folder: 'spool' }
  }
}

function near(base: string, names: readonly string[]): string {
  const found = nearest(base, names)
  return found === undefined ? '' : ` (did you mean ${found}?)`
}
