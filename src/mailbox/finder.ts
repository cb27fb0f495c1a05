/** Finds files by id in mailboxes that hold thousands: each folder is listed once for all who ask in one moment. */
import type { MessageId } from '../core/ids.ts'
import type { Name } from '../core/names.ts'
import { FOLDERS, type Folder } from '../core/status.ts'
import type { Clock, Disk, Path } from '../system/types.ts'
import { type Folders, leadsNowhere, listUnfollowed, monthsIn, statOrNothing } from './folders.ts'
import type { Layout } from './layout.ts'
import { parseFileName } from './names.ts'

/** `path` goes by way of a pinned folder: what its holder puts in the folder's place meanwhile leads nowhere. */
export type Found = Readonly<{ folder: Folder; path: Path; file: string }>

export type Finder = Readonly<{
  /** Where a file with this id lies, or lay a moment ago; months of done/ are looked through last, for the name it had first. */
  find: (holder: Name, id: MessageId, file: string) => Found | undefined
  /** Something was moved in this mailbox: what was listed is not to be believed any more. */
  forget: (holder: Name) => void
}>

/** How long a listing is believed without a hint that something was moved. Milliseconds. */
const LISTED_MS = 100
/** A mailbox that takes long to list is listed less often, whatever its holder moves in it: it may cost the others a tenth of the time. */
const APART_IN_COSTS = 10
const CHEAP_MS = 5
const MOST_APART_MS = 2_000
/** Names of one folder that are kept in memory; a holder can make up any number of them. */
const MOST_NAMES = 20_000
/** Past months whose names are kept in memory; they hardly ever change. */
const MOST_MONTHS = 64

type Names = ReadonlyMap<MessageId, string>
type Box = { atMs: number; againAtMs: number; folders: readonly Readonly<{ folder: Folder; names: Names }>[]; months: readonly string[] }

export function makeFinder(disk: Disk, layout: Layout, clock: Clock, pins: Folders): Finder {
  const boxes = new Map<Name, Box>()
  const past = new Map<string, { ctimeMs: number; names: Names }>()

  function box(holder: Name): Box {
    const nowMs = clock.monotonic()
    const known = boxes.get(holder)
    if (known && (nowMs - known.atMs < LISTED_MS || nowMs < known.againAtMs)) return known
    for (const [other, { atMs, againAtMs }] of boxes) if (nowMs - atMs >= LISTED_MS && nowMs >= againAtMs) boxes.delete(other)
    const folders = FOLDERS.map((folder) => ({ folder, names: namesIn(layout.folder(holder, folder)) }))
    const months = monthsIn(disk, layout.folder(holder, 'done'))
    const atMs = clock.monotonic()
    const costMs = atMs - nowMs
    const listed = { atMs, againAtMs: costMs < CHEAP_MS ? 0 : atMs + Math.min(MOST_APART_MS, APART_IN_COSTS * costMs), folders, months }
    boxes.set(holder, listed)
    return listed
  }

  function namesIn(path: string): Names {
    const names = new Map<MessageId, string>()
    for (const { name, kind } of listUnfollowed(disk, path)) {
      const id = kind === 'file' ? parseFileName(name)?.id : undefined
      if (id !== undefined && !names.has(id)) names.set(id, name)
      if (names.size === MOST_NAMES) break
    }
    return names
  }

  function month(path: string): Names {
    const ctimeMs = statOrNothing(disk, path)?.ctimeMs ?? 0
    const known = past.get(path)
    if (known?.ctimeMs === ctimeMs) return known.names
    const names = namesIn(path)
    past.delete(path)
    // Changed just now: it may change again within one tick of the file system's clock.
    if (clock.now() - ctimeMs > LISTED_MS) past.set(path, { ctimeMs, names })
    const [oldest] = past.keys()
    if (past.size > MOST_MONTHS && oldest !== undefined) past.delete(oldest)
    return names
  }

  /** undefined where it is not there, or where the folder is not one any more. */
  function at(folder: Folder, path: string, file: string): Found | undefined {
    try {
      pins.stillThere(path)
      return { folder, path: pins.at(path, file), file }
    } catch (cause) {
      if (leadsNowhere(cause)) return undefined
      throw cause
    }
  }

  /** Nearly every message keeps its name: that costs no listing of a month. Pinned is only what is found: a holder can make any number of folders. */
  function inMonths(months: readonly string[], id: MessageId, file: string): Found | undefined {
    const byName = months.find((path) => statOrNothing(disk, `${path}/${file}`))
    if (byName !== undefined) return at('done', byName, file)
    for (const path of months) {
      const name = month(path).get(id)
      if (name !== undefined) return at('done', path, name)
    }
    return undefined
  }

  return {
    find: (holder, id, file) => {
      const { folders, months, atMs } = box(holder)
      // A listing that is believed only because it costs much: what has its old name is found all the same.
      if (clock.monotonic() - atMs >= LISTED_MS)
        for (const folder of FOLDERS) {
          const found = at(folder, layout.folder(holder, folder), file)
          if (found && statOrNothing(disk, found.path)) return found
        }
      // The first place counts, in the order new, cur, done.
      for (const { folder, names } of folders) {
        const name = names.get(id)
        const found = name === undefined ? undefined : at(folder, layout.folder(holder, folder), name)
        if (found) return found
      }
      return inMonths(months, id, file)
    },
    forget: (holder) => {
      const known = boxes.get(holder)
      if (known) known.atMs = Number.NEGATIVE_INFINITY
    },
  }
}
