/** Opening a drop without following it anywhere, and asking whether somebody is writing it. */
import { isLeased, leadsNowhere } from '../mailbox/index.ts'
import type { Disk, Fd, Path } from '../system/types.ts'

export function hasWriter(disk: Disk, path: Path): boolean {
  const fd = openUnlessWritten(path, disk)
  if (fd === 'written') return true
  if (fd === undefined) return false
  try {
    const free = disk.lease.take(fd)
    if (free) disk.lease.drop(fd)
    return !free
  } finally {
    disk.close(fd)
  }
}

/** To read. `written`: by somebody who lets nobody else open it meanwhile (a write lease). */
export function openUnlessWritten(path: Path, disk: Disk): Fd | 'written' | undefined {
  try {
    return openOrNothing(path, disk.openRead)
  } catch (cause) {
    if (isLeased(cause)) return 'written'
    throw cause
  }
}

/** undefined: gone, or turned into a link since it was looked at. */
export function openOrNothing(path: Path, open: (path: Path) => Fd): Fd | undefined {
  try {
    return open(path)
  } catch (cause) {
    if (leadsNowhere(cause)) return undefined
    throw cause
  }
}
