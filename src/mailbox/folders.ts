/** Folders that others can write, pinned by descriptor so that one swapped under us leads nowhere. */
import type { MessageId } from '../core/ids.ts'
import { FOLDERS, type Folder } from '../core/status.ts'
import type { Disk, Fd, Path, Stat } from '../system/types.ts'
import type { FileMark } from './ledger.ts'
import { isMonth, parseFileName } from './names.ts'

export type Folders = Readonly<{
  /** The path of `name` inside the pinned `folder`. Throws ENOENT, ENOTDIR, ELOOP, EACCES as open(2) does. */
  at: (folder: string, name: Path) => Path
  /** Whether the path still leads to the folder that is pinned; if not, the pin is dropped. `now`: what lies there, where that was just looked at. */
  stillThere: (folder: string, now?: Stat) => boolean
  forget: (folder: string) => void
  closeAll: () => void
}>

/** How many descriptors are kept: a workspace of thirty needs 150. */
const PINNED = 512

export function pinFolders(disk: Disk): Folders {
  const pins = new Map<string, { fd: Fd; dev: number; ino: number }>()
  function forget(folder: string): void {
    const pin = pins.get(folder)
    if (pin && pins.delete(folder)) disk.close(pin.fd)
  }
  function pin(folder: string): Fd {
    const known = pins.get(folder)
    if (known) return known.fd
    const oldest = pins.keys().next().value
    if (pins.size >= PINNED && oldest !== undefined) forget(oldest)
    const fd = disk.openFolder(folder)
    const { dev, ino } = disk.fstat(fd)
    pins.set(folder, { fd, dev, ino })
    return fd
  }
  return {
    at: (folder, name) => disk.at(pin(folder), name),
    stillThere: (folder, seen) => {
      const known = pins.get(folder)
      if (!known) return true
      const now = seen ?? statOrNothing(disk, folder)
      if (now?.kind === 'folder' && now.ino === known.ino && now.dev === known.dev) return true
      forget(folder)
      return false
    },
    forget,
    closeAll: () => {
      for (const folder of [...pins.keys()]) forget(folder)
    },
  }
}

/** lstat, or undefined where nothing is there. */
export function statOrNothing(disk: Disk, path: Path): Stat | undefined {
  try {
    return disk.stat(path)
  } catch (cause) {
    if (isGone(cause)) return undefined
    throw cause
  }
}

/** The file, or the folder it was in, is not there any more: with holders that move files, a normal outcome. */
export function isGone(cause: unknown): boolean {
  const code = (cause as NodeJS.ErrnoException).code
  return code === 'ENOENT' || code === 'ENOTDIR'
}

/** Gone, or turned into a link or a socket since it was looked at: the name leads nowhere that is its owner's. */
export function leadsNowhere(cause: unknown): boolean {
  return isGone(cause) || ['ELOOP', 'ENXIO'].includes((cause as NodeJS.ErrnoException).code ?? '')
}

/** Somebody holds a write lease on it (fcntl F_SETLEASE), which anybody can take on a file of theirs: it cannot be opened now, 45 s later in any case. */
export function isLeased(cause: unknown): boolean {
  return (cause as NodeJS.ErrnoException).code === 'EAGAIN'
}

/** To read, without following it anywhere; else why not: it is not there as what it was, or somebody holds a write lease on it. */
export function openUnlessLeased(disk: Disk, path: Path): Fd | 'gone' | 'busy' {
  try {
    return disk.openRead(path)
  } catch (cause) {
    if (leadsNowhere(cause)) return 'gone'
    if (isLeased(cause)) return 'busy'
    throw cause
  }
}

export function markOf(stat: Stat): FileMark {
  return `${stat.ino}:${stat.size}:${stat.mtimeMs}:${stat.ctimeMs}`
}

/** Whether what lies there is the version that was looked at before; a rename changes `ctime` alone. */
export function isSameVersion(now: Stat, before: Stat): boolean {
  return now.ino === before.ino && now.size === before.size && now.mtimeMs === before.mtimeMs
}

/** A folder changed this shortly before it was listed may have changed again within the same tick of the file system's clock. Milliseconds. */
const RACY_MS = 100

/** Whether a listing made at `nowMs`, of a folder last changed at `ctimeMs`, may lack a later change of the same time. */
export function isRacy(ctimeMs: number, nowMs: number): boolean {
  return nowMs - ctimeMs < RACY_MS
}

/** Every place in a mailbox where a file with this id lies; past months of done/ are looked through last, and only if nothing was found. */
export function findById<At extends Path>(
  disk: Disk,
  mailbox: (folder: Folder) => string,
  id: MessageId,
  /** How a name in a folder is reached: as a path, or pinned. */
  at: (folder: string, name: string) => At,
): { folder: Folder; path: At; file: string }[] {
  const found: { folder: Folder; path: At; file: string }[] = []
  const look = (folder: Folder, path: string): void => {
    for (const { name, kind } of listUnfollowed(disk, path)) {
      if (kind === 'file' && name.includes(id) && parseFileName(name)?.id === id) found.push({ folder, path: at(path, name), file: name })
    }
  }
  for (const folder of FOLDERS) look(folder, mailbox(folder))
  if (found.length > 0) return found
  for (const path of monthsIn(disk, mailbox('done'))) look('done', path)
  return found
}

/** Empty for a folder that is not there, or is a link: pinned only while it is listed. */
export function listUnfollowed(disk: Disk, path: string): ReturnType<Disk['list']> {
  const folder = openFolderOrNothing(disk, path)
  if (folder === undefined) return []
  try {
    return disk.list(disk.at(folder, '.'))
  } finally {
    disk.close(folder)
  }
}

/** undefined for one that is not there, or is a link. */
export function openFolderOrNothing(disk: Disk, path: Path): Fd | undefined {
  try {
    return disk.openFolder(path)
  } catch (cause) {
    if (leadsNowhere(cause)) return undefined
    throw cause
  }
}

/** A hundred years; a holder can make up ten thousand. */
const MOST_MONTHS = 1_200

/** The folders of past months, the newest first. */
export function monthsIn(disk: Disk, done: string): string[] {
  return monthsAmong(listOrNothing(disk, done)).map((month) => `${done}/${month}`)
}

export function monthsAmong(entries: ReturnType<Disk['list']>): string[] {
  return entries
    .filter(({ name, kind }) => kind === 'folder' && isMonth(name))
    .map(({ name }) => name)
    .sort()
    .reverse()
    .slice(0, MOST_MONTHS)
}

export function listOrNothing(disk: Disk, path: Path): ReturnType<Disk['list']> {
  try {
    return disk.list(path)
  } catch (cause) {
    if (isGone(cause)) return []
    throw cause
  }
}
