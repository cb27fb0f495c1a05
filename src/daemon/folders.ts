/** Which folders are drop folders now, and which drops the journal knows. */
import { type Config, holdersOf } from '../core/config.ts'
import type { MessageId } from '../core/ids.ts'
import type { Clear, Raise } from '../core/post.ts'
import { showSafely } from '../core/text.ts'
import type { DropFolder } from '../intake/index.ts'
import type { Intent, Journal } from '../journal/index.ts'
import { type Layout, statOrNothing } from '../mailbox/index.ts'
import { join } from '../system/index.ts'
import { inSlices } from '../system/slices.ts'
import type { Clock, Disk, Listed, Log, Path } from '../system/types.ts'
import { isOfDrop } from './outcomes.ts'

const NO_BOXES = ['alerts', 'held', 'files']
/** Files of an odd box that its alert names. */
const MOST_NAMED = 10
/** Odd boxes that are looked into and told one by one: whoever makes a hundred thousand is told of in one more. */
const MOST_ODD = 20
/** Whoever makes a hundred thousand folders costs the others at most a twentieth of the time. */
const LISTING_PAUSES = 20
const MORE = 'spool/ (more folders)'
/** A spool that could not be listed is mended with the next sweep. */
const AGAIN_MS = 1_000

export type DropFoldersGiven = Readonly<{
  clock: Clock
  disk: Disk
  layout: Layout
  log: Log
  config: () => Config
  raise: Raise
  clear: Clear
  ownerOf: (uid: number) => string
  changed: (folders: readonly DropFolder[]) => void
  sweep: (folders: readonly DropFolder[]) => Promise<void>
}>

/** Which folders are drop folders now: made known, swept, and the odd ones among them told of. */
export function createDropFolders(given: DropFoldersGiven): Readonly<{ set: () => void; setSoon: () => void; sweep: () => Promise<void> }> {
  const { clock, disk, layout, config } = given
  const tellOfOddBoxes = oddBoxes(given)
  let againAtMs = 0
  let isPlanned = false
  async function look(act: (folders: readonly DropFolder[]) => unknown): Promise<void> {
    const inSpool = await boxesIn(clock, disk, layout)
    const done = act(dropFoldersOf(inSpool, layout, config()))
    tellOfOddBoxes(inSpool)
    await done
  }
  async function set(): Promise<void> {
    const startedMs = clock.monotonic()
    try {
      await look(given.changed)
    } catch (cause) {
      given.log('warn', 'the drop folders could not be listed; they are listed again', { folder: layout.spool, why: String(cause) })
      return setSoon(AGAIN_MS)
    }
    const endedMs = clock.monotonic()
    againAtMs = endedMs + LISTING_PAUSES * (endedMs - startedMs)
  }
  /** Once, however many folders came or went: making the list anew looks at all of them. Nobody asks a second time for one of them. */
  function setSoon(afterMs = againAtMs - clock.monotonic()): void {
    if (isPlanned) return
    isPlanned = true
    clock.after(Math.max(1, afterMs), () => {
      isPlanned = false
      void set()
    })
  }
  return { set: () => void set(), setSoon: () => setSoon(), sweep: () => look(given.sweep) }
}

/** The spool, every one of these folders in it (a box, whatever its name, if it can be shown as it is), every outbox. */
function dropFoldersOf(inSpool: readonly Listed[], layout: Layout, config: Config): DropFolder[] {
  const boxes = inSpool.filter((entry) => !isOddName(entry))
  return [
    { path: layout.spool, shown: 'spool', kind: 'spool', name: '' },
    ...boxes.map(({ name }): DropFolder => ({ path: layout.spoolBox(name), shown: `spool/${name}`, kind: 'box', name })),
    ...holdersOf(config).map((name): DropFolder => ({ path: layout.outbox(name), shown: `workspaces/${name}/outbox`, kind: 'outbox', name })),
  ]
}

/** Folders in the spool that are there for mail. */
async function boxesIn(clock: Clock, disk: Disk, layout: Layout): Promise<Listed[]> {
  const boxes: Listed[] = []
  if (!statOrNothing(disk, layout.spool)) return boxes
  await inSlices(clock, disk.entries(layout.spool), (entry) => {
    const { name, kind } = entry
    if (kind === 'folder' && !NO_BOXES.includes(name) && !name.startsWith('.')) boxes.push(entry)
  })
  return boxes
}

/** A name that is not UTF-8 or has control characters: no recipient, and no path that could be written down for people. */
export function isOddName({ name, raw }: Pick<Listed, 'name' | 'raw'>): boolean {
  return raw !== undefined || showSafely(name) !== name
}

/** Tells of folders in the spool that are no boxes because of their names, and what lies in them; call it again and again. */
function oddBoxes({ disk, layout, raise, clear, ownerOf }: DropFoldersGiven): (inSpool: readonly Listed[]) => void {
  const told = new Map<string, string>()
  const tell = (about: string, sentence: string, fix: string, uid: number): void => {
    if (told.get(about) === sentence) return
    told.set(about, sentence)
    raise({ code: 'unmatched-file', about, agent: ownerOf(uid), sentence, fix })
  }
  return (inSpool) => {
    const present = new Set<string>()
    const odd = inSpool.filter(isOddName)
    for (const entry of odd.slice(0, MOST_ODD)) {
      const path = join(layout.spool, entry.raw ?? entry.name)
      const stat = statOrNothing(disk, path)
      if (stat?.kind !== 'folder') continue
      const about = `spool/${escaped(entry)}`
      present.add(about)
      const inside = namesIn(disk, path)
      const sentence = `${about} is a folder whose name is no recipient's and cannot be written down; nothing in it is looked at (${inside}).`
      tell(about, sentence, `find spool -maxdepth 1 -inum ${stat.ino} -exec mv -T {} spool/box-${stat.ino} \\;   # a name that can be looked at`, stat.uid)
      if (odd.length <= MOST_ODD || present.has(MORE)) continue
      present.add(MORE)
      tell(
        MORE,
        `spool/ holds ${odd.length - MOST_ODD} more folders whose names cannot be written down; nothing in them is looked at.`,
        'ls -lab spool',
        stat.uid,
      )
    }
    for (const about of told.keys()) {
      if (present.has(about)) continue
      told.delete(about)
      clear('unmatched-file', about)
    }
  }
}

function namesIn(disk: Disk, path: Path): string {
  try {
    const folder = disk.openFolder(path)
    try {
      const entries = disk.list(disk.at(folder, '.'))
      const first = entries.slice(0, MOST_NAMED).map(escaped).join(', ')
      return entries.length === 0 ? 'it is empty' : `in it: ${first}${entries.length > MOST_NAMED ? ` and ${entries.length - MOST_NAMED} more` : ''}`
    } finally {
      disk.close(folder)
    }
  } catch (cause) {
    return `it cannot be read: ${(cause as NodeJS.ErrnoException).code ?? 'error'}`
  }
}

/** Bytes that are not ASCII as `\xff` where the name is no text. */
export function escaped({ name, raw }: Pick<Listed, 'name' | 'raw'>): string {
  return raw === undefined ? showSafely(name) : showSafely(name).replace(/[\u00a0-\u00ff]/g, (c) => `\\x${c.charCodeAt(0).toString(16)}`)
}

/** Ids of drops and copies that the journal tells of, as far back as the oldest of these intents. */
export function recordedOf(journal: Journal, intents: readonly Intent[]): { known: Set<MessageId>; settled: Set<MessageId> } {
  const known = new Set<MessageId>()
  const settled = new Set<MessageId>()
  const [oldest] = intents.map(({ drop }) => drop).sort()
  if (oldest === undefined) return { known, settled }
  for (const [entry] of journal.read({ segment: journal.segmentSince(oldest), offset: 0 })) {
    if (isOfDrop(entry)) known.add(entry.drop)
    else if (entry.event === 'delivered') known.add(entry.id)
    else if (entry.event === 'status' && entry.folder === 'done') settled.add(entry.id)
  }
  return { known, settled }
}
