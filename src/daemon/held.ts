/** Lets a held file go again: back to where it was dropped, as a new drop. */
import type { Event } from '../core/event.ts'
import { idTimeMs, isMessageId } from '../core/ids.ts'
import { nearest } from '../core/names.ts'
import { shellWord } from '../core/text.ts'
import type { Sealed } from '../journal/index.ts'
import { isGone, isMessageName, type Layout, listOrNothing, statOrNothing } from '../mailbox/index.ts'
import type { Disk, Fd, Ids, Path } from '../system/types.ts'
import { Refused } from './control.ts'

export type HeldFilesGiven = Readonly<{
  disk: Disk
  ids: Ids
  layout: Layout
  sealed: Sealed
  record: (event: Event) => void
  cleared: (code: string, about: string) => void
}>

/** Of the held files that may be meant. */
const MOST_NAMED = 10

export function heldFiles(disk: Disk, layout: Layout): string[] {
  return listOrNothing(disk, layout.held).flatMap(({ name }) => (name.endsWith('.why.md') || name.startsWith('.') ? [] : [name]))
}

/** Returns the path, relative to the root, under which it was dropped again. */
export function releaseHeld(given: HeldFilesGiven, wanted: string): string {
  const { disk, layout } = given
  const base = wanted.replace(/^.*\//, '').replace(/\.why\.md$/, '')
  const names = heldFiles(disk, layout)
  const matches = names.filter((name) => name === base || (base.length >= 4 && name.split('.').some((part) => part.endsWith(base))))
  const [held] = matches
  if (held === undefined) throw new Refused(66, `no held file ${wanted}${near(base, names)}`, 'penny held')
  if (matches.length > 1)
    throw new Refused(64, `${wanted} means ${matches.length} held files`, `penny release ${shellWord(held)}`, matches.slice(0, MOST_NAMED).join(' '))
  const id = held.split('.')[1] ?? ''
  const intent = isMessageId(id) ? given.sealed.find(id, idTimeMs(id)) : undefined
  const source = intent?.act === 'hold' ? intent.source : undefined
  const shown = source?.folder.startsWith('.penny') ? 'spool' : (source?.folder ?? 'spool')
  const raw = source?.raw === undefined ? undefined : Buffer.from(source.raw, 'base64')
  const name = source && isMessageName(source.name) ? source.name : `${held.split('.').slice(2).join('.')}.md`
  const { fd, folder } = openTarget(disk, layout, shown)
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
  if (intent?.act === 'hold') given.cleared(intent.code, `${intent.folder}/${intent.name}`)
  return `${folder}/${String(target)}`
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
