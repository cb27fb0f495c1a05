/** The disk as commands have it. */
import { realDisk } from '../system/disk.ts'
import type { Disk, Lease } from '../system/types.ts'

/** Commands only read what nobody is writing. */
const NO_LEASE: Lease = { how: 'proc', take: () => true, unbroken: () => true, drop: () => undefined }

export function plainDisk(): Disk {
  return realDisk(undefined, NO_LEASE)
}
