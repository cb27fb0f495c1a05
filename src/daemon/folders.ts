/** Which folders are drop folders now, and which drops the journal knows. */
import { type Config, holdersOf } from '../core/config.ts'
import type { MessageId } from '../core/ids.ts'
import type { Clear, Raise } from '../core/post.ts'
import { showSafely } from '../core/text.ts'
import type { DropFolder } from '../intake/index.ts'
import type { Intent, Journal } from '../journal/index.ts'
import { type Layout, listOrNothing, statOrNothing } from '../mailbox/index.ts'
import { join } from '../system/index.ts'
import type { Disk, Listed, Path } from '../system/types.ts'
import { isOfDrop } from './outcomes.ts'

const NO_BOXES = ['alerts', 'held', 'files']
/** Files of an odd box that its alert names. */
const MOST_NAMED = 10

/** The spool, every folder in it (a box, whatever its name, if it can be shown as it is), every outbox. */
export function dropFoldersOf(disk: Disk, layout: Layout, config: Config): DropFolder[] {
  const boxes = boxesIn(disk, layout).filter((entry) => !isOddName(entry))
  return [
    { path: layout.spool, shown: 'spool', kind: 'spool', name: '' },
    ...boxes.map(({ name }): DropFolder => ({ path: layout.spoolBox(name), shown: `spool/${name}`, kind: 'box', name })),
    ...holdersOf(config).map((name): DropFolder => ({ path: layout.outbox(name), shown: `workspaces/${name}/outbox`, kind: 'outbox', name })),
  ]
}

function boxesIn(disk: Disk, layout: Layout): Listed[] {
  return listOrNothing(disk, layout.spool).filter(({ name, kind }) => kind === 'folder' && !NO_BOXES.includes(name) && !name.startsWith('.'))
}

/** A name that is not UTF-8 or has control characters: no recipient, and no path that could be written down for people. */
export function isOddName({ name, raw }: Pick<Listed, 'name' | 'raw'>): boolean {
  return raw !== undefined || showSafely(name) !== name
}

/** Tells of folders in the spool that are no boxes because of their names, and what lies in them; call it again and again. */
export function oddBoxes(disk: Disk, layout: Layout, raise: Raise, clear: Clear): () => void {
  const told = new Map<string, string>()
  return () => {
    const present = new Set<string>()
    for (const entry of boxesIn(disk, layout).filter(isOddName)) {
      const path = join(layout.spool, entry.raw ?? entry.name)
      const stat = statOrNothing(disk, path)
      if (stat?.kind !== 'folder') continue
      const about = `spool/${escaped(entry)}`
      present.add(about)
      const inside = namesIn(disk, path)
      const sentence = `${about} is a folder whose name is no recipient's and cannot be written down; nothing in it is looked at (${inside}).`
      if (told.get(about) === sentence) continue
      told.set(about, sentence)
      raise({
        code: 'unmatched-file',
        about,
        sentence,
        fix: `find spool -maxdepth 1 -inum ${stat.ino} -exec mv -T {} spool/box-${stat.ino} \\;   # a name that can be looked at`,
      })
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
