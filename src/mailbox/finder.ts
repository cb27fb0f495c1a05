/** Finds files by id in mailboxes that hold thousands: each folder is listed once for all who ask in one moment. */
import type { MessageId } from '../core/ids.ts'
import type { Name } from '../core/names.ts'
import { FOLDERS, type Folder } from '../core/status.ts'
import type { Clock, Disk } from '../system/types.ts'
import { listOrNothing, statOrNothing } from './folders.ts'
import type { Layout } from './layout.ts'
import { parseFileName } from './names.ts'

export type Found = Readonly<{ folder: Folder; path: string; file: string }>

export type Finder = Readonly<{
  /** Where a file with this id lies, or lay a moment ago; months of done/ are looked through last. */
  find: (holder: Name, id: MessageId) => Found | undefined
  /** Something was moved in this mailbox: what was listed is not to be believed any more. */
  forget: (holder: Name) => void
}>

/** How long a listing is believed without a hint that something was moved. Milliseconds. */
const LISTED_MS = 100
/** Past months whose names are kept in memory; they hardly ever change. */
const MOST_MONTHS = 64

type Names = ReadonlyMap<MessageId, Found>

export function makeFinder(disk: Disk, layout: Layout, clock: Clock): Finder {
  const boxes = new Map<Name, { atMs: number; names: Names; months: readonly string[] }>()
  const past = new Map<string, { ctimeMs: number; names: Names }>()

  function box(holder: Name): { names: Names; months: readonly string[] } {
    const nowMs = clock.monotonic()
    const known = boxes.get(holder)
    if (known && nowMs - known.atMs < LISTED_MS) return known
    for (const [other, { atMs }] of boxes) if (nowMs - atMs >= LISTED_MS) boxes.delete(other)
    const names = new Map<MessageId, Found>()
    const months: string[] = []
    for (const folder of FOLDERS) {
      const path = layout.folder(holder, folder)
      for (const { name, kind } of listOrNothing(disk, path)) {
        if (kind === 'file') note(names, folder, path, name)
        else if (folder === 'done' && kind === 'folder' && /^\d{4}-\d{2}$/.test(name)) months.push(`${path}/${name}`)
      }
    }
    const listed = { atMs: clock.monotonic(), names, months }
    boxes.set(holder, listed)
    return listed
  }

  function month(path: string): Names {
    const ctimeMs = statOrNothing(disk, path)?.ctimeMs ?? 0
    const known = past.get(path)
    if (known?.ctimeMs === ctimeMs) return known.names
    const names = new Map<MessageId, Found>()
    for (const { name, kind } of listOrNothing(disk, path)) if (kind === 'file') note(names, 'done', path, name)
    past.delete(path)
    // Changed just now: it may change again within one tick of the file system's clock.
    if (clock.now() - ctimeMs > LISTED_MS) past.set(path, { ctimeMs, names })
    const [oldest] = past.keys()
    if (past.size > MOST_MONTHS && oldest !== undefined) past.delete(oldest)
    return names
  }

  return {
    find: (holder, id) => {
      const { names, months } = box(holder)
      const found = names.get(id)
      if (found) return found
      for (const path of months) {
        const old = month(path).get(id)
        if (old) return old
      }
      return undefined
    },
    forget: (holder) => void boxes.delete(holder),
  }
}

/** The first place counts, in the order new, cur, done. */
function note(names: Map<MessageId, Found>, folder: Folder, path: string, file: string): void {
  const id = parseFileName(file)?.id
  if (id !== undefined && !names.has(id)) names.set(id, { folder, path: `${path}/${file}`, file })
}
