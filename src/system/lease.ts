/** Two ways to tell whether a file is being written (facts measured in docs/decisions/0002-completeness.md). */
import { fstatSync, readdirSync, readFileSync, statSync } from 'node:fs'
import { leasesWork, type Native } from './native.ts'
import type { Lease } from './types.ts'

/** Leases where they work on files in `probe`'s folder, else the scan of /proc. */
export function chooseLease(native: Native | undefined, probe: string): Lease {
  return native && leasesWork(native, probe) ? kernelLease(native) : procScan()
}

function kernelLease(native: Native): Lease {
  const scan = procScan()
  const byScan = new Set<number>()
  return {
    how: 'lease',
    take: (fd) => {
      const got = native.takeLease(fd)
      if (got !== 'refused') return got === 'taken'
      // A file of another uid, without CAP_LEASE.
      byScan.add(fd)
      return scan.take(fd)
    },
    unbroken: (fd) => (byScan.has(fd) ? scan.unbroken(fd) : native.leaseHeld(fd)),
    drop: (fd) => {
      if (!byScan.delete(fd)) native.dropLease(fd)
    },
  }
}

/**
 * Looks through every process's descriptors and shared mappings for one that can write: about 100 ms on a busy host, so one look
 * serves 50 ms. It sees no process of another PID namespace, none of another user unless it is root's, and no descriptor that is on
 * its way through a socket; a lease sees them all (docs/decisions/0002-completeness.md).
 */
function procScan(): Lease {
  let writers = new Set<string>()
  let lookedAt = Number.NEGATIVE_INFINITY
  const isWritten = (fd: number): boolean => {
    const now = performance.now()
    if (now - lookedAt > 50) [writers, lookedAt] = [openForWriting(), performance.now()]
    const { dev, ino } = fstatSync(fd)
    return writers.has(`${dev}:${ino}`)
  }
  return { how: 'proc', take: (fd) => !isWritten(fd), unbroken: (fd) => !isWritten(fd), drop: () => undefined }
}

function openForWriting(): Set<string> {
  const found = new Set<string>()
  for (const pid of readdirSync('/proc')) {
    if (!/^\d+$/.test(pid)) continue
    for (const fd of quietly(() => readdirSync(`/proc/${pid}/fd`)) ?? []) {
      const flags = quietly(() => /^flags:\s*(\d+)/m.exec(readFileSync(`/proc/${pid}/fdinfo/${fd}`, 'utf8'))?.[1])
      // The last octal digit of the open flags is the access mode: 0 read, 1 write, 2 both.
      if (flags === undefined || Number.parseInt(flags, 8) % 4 === 0) continue
      const stat = quietly(() => statSync(`/proc/${pid}/fd/${fd}`))
      if (stat?.isFile()) found.add(`${stat.dev}:${stat.ino}`)
    }
    for (const inode of mappedForWriting(pid)) found.add(inode)
  }
  return found
}

/** A writer that mapped the file may have closed it long ago. Some file systems give maps another device than stat: both are meant. */
function mappedForWriting(pid: string): string[] {
  const maps = quietly(() => readFileSync(`/proc/${pid}/maps`, 'utf8')) ?? ''
  return [...maps.matchAll(/^\S+ .w.s \S+ ([0-9a-f]+):([0-9a-f]+) ([1-9]\d*) +(.*)$/gm)].flatMap(([, major = '', minor = '', ino = '', path = '']) => {
    const stat = path.startsWith('/') ? quietly(() => statSync(path)) : undefined
    const device = deviceOf(Number.parseInt(major, 16), Number.parseInt(minor, 16))
    return [`${device}:${ino}`, ...(stat?.isFile() && stat.ino === Number(ino) ? [`${stat.dev}:${ino}`] : [])]
  })
}

/** As stat(2) puts the two together (makedev(3)), for majors below 4096. */
function deviceOf(major: number, minor: number): number {
  return (minor & 0xff) + major * 0x100 + Math.floor(minor / 0x100) * 0x100000
}

/** Processes end while they are looked at, and those of others may not be looked into: neither is a fault. */
function quietly<T>(look: () => T): T | undefined {
  try {
    return look()
  } catch (cause) {
    if (['ENOENT', 'ESRCH', 'EACCES', 'EPERM'].includes((cause as NodeJS.ErrnoException).code ?? '')) return undefined
    throw cause
  }
}
