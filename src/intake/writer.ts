/** Opening a drop without following it anywhere, and asking whether somebody is writing it. */
import { leadsNowhere } from '../mailbox/index.ts'
import type { Disk, Fd, Path } from '../system/types.ts'

export function hasWriter(disk: Disk, path: Path): boolean {
  const fd = openOrNothing(path, disk.openRead)
  if (fd === undefined) return false
  try {
    const free = disk.lease.take(fd)
    if (free) disk.lease.drop(fd)
    return !free
  } finally {
    disk.close(fd)
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
