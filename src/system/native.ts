/**
 * The calls of Linux that Node lacks, through koffi: read leases, renameat2, syncfs, one more bit in an inotify watch, and datagrams
 * to a unix socket.
 * Without koffi (or without leases, as in some containers) the callers fall back and say so.
 */
import { closeSync, fchownSync, openSync, readdirSync, readlinkSync } from 'node:fs'
import { getSystemErrorName } from 'node:util'
import type { Path } from './types.ts'

// Figures from Linux's uapi headers: fcntl.h, fs.h, inotify.h, socket.h.
const F_SETLEASE = 1024
const F_GETLEASE = 1025
const F_RDLCK = 0
const F_UNLCK = 2
const AT_FDCWD = -100
const RENAME_NOREPLACE = 1
const RENAME_EXCHANGE = 2
const IN_CLOSE_WRITE = 0x8
const IN_MASK_ADD = 0x20000000
const AF_UNIX = 1
const SOCK_DGRAM_CLOEXEC = 2 | 0o2000000
const MSG_DONTWAIT_NOSIGNAL = 0x40 | 0x4000
const EAGAIN = 11
// prctl.h, resource.h
const PR_SET_DUMPABLE = 4
const RLIMIT_CORE = 4

/** Debian's account for what needs no rights. */
const NOBODY = 65534

const ERRNO: Record<number, string> = {
  1: 'EPERM',
  2: 'ENOENT',
  13: 'EACCES',
  16: 'EBUSY',
  17: 'EEXIST',
  18: 'EXDEV',
  20: 'ENOTDIR',
  21: 'EISDIR',
  22: 'EINVAL',
  28: 'ENOSPC',
  30: 'EROFS',
  36: 'ENAMETOOLONG',
  38: 'ENOSYS',
  40: 'ELOOP',
}

export type Native = Readonly<{
  takeLease: (fd: number) => 'taken' | 'busy' | 'refused'
  leaseHeld: (fd: number) => boolean
  dropLease: (fd: number) => void
  renameNew: (from: Path, to: Path) => void
  exchange: (a: Path, b: Path) => void
  /** syncfs(2), in a thread of the pool. */
  syncFileSystem: (fd: number) => Promise<void>
  /** Lets libuv's own watch on a folder also report the close of a file that was open for writing. */
  reportCloses: (folder: string) => void
  /** One datagram to a unix socket, by path or, where it begins with @, by abstract name. Never waits: `busy` where the other side's queue is full. */
  sendDatagram: (socket: string, data: Uint8Array) => 'sent' | 'busy'
  /** From now on nobody but root may look into this process (/proc/PID/mem, environ; ptrace), and it leaves no core. */
  hide: () => void
  /** _exit(2): unlike `process.exit` it waits for nothing that stands in line for the threads of the pool. */
  exit: (status: number) => never
}>

/** One for the process; that somebody else listens as well does not mean that they let it live. */
const ignored = (): void => undefined

/** undefined where koffi cannot be loaded. */
export async function loadNative(): Promise<Native | undefined> {
  let koffi: typeof import('koffi').default
  try {
    koffi = (await import('koffi')).default
  } catch (cause) {
    if (cause instanceof Error) return undefined
    throw cause
  }
  const libc = koffi.load('libc.so.6')
  const fcntl = libc.func('int fcntl(int fd, int cmd, int arg)')
  const renameat2 = libc.func('int renameat2(int fromDir, const uint8_t *from, int toDir, const uint8_t *to, uint32_t flags)')
  const syncfs = libc.func('int syncfs(int fd)')
  const addWatch = libc.func('int inotify_add_watch(int fd, const uint8_t *path, uint32_t mask)')
  const socket = libc.func('int socket(int domain, int type, int protocol)')
  const exit = libc.func('void _exit(int status)')
  const prctl = libc.func('int prctl(int option, unsigned long value)')
  const setrlimit = libc.func('int setrlimit(int resource, const uint64_t *limits)')
  const sendto = libc.func('intptr_t sendto(int fd, const uint8_t *data, size_t size, int flags, const uint8_t *address, uint32_t length)')
  // A broken lease sends SIGIO, whose default ends the process.
  if (!process.listeners('SIGIO').includes(ignored)) process.on('SIGIO', ignored)

  function rename(from: Path, to: Path, flags: number): void {
    if (renameat2(AT_FDCWD, cString(from), AT_FDCWD, cString(to), flags) !== 0) throw systemError(koffi.errno(), 'renameat2', from, to)
  }
  let inotify: number | undefined
  return {
    takeLease: (fd) => {
      if (fcntl(fd, F_SETLEASE, F_RDLCK) === 0) return 'taken'
      return ERRNO[koffi.errno()] === undefined ? 'busy' : 'refused'
    },
    leaseHeld: (fd) => fcntl(fd, F_GETLEASE, 0) === F_RDLCK,
    dropLease: (fd) => void fcntl(fd, F_SETLEASE, F_UNLCK),
    renameNew: (from, to) => rename(from, to, RENAME_NOREPLACE),
    exchange: (a, b) => rename(a, b, RENAME_EXCHANGE),
    syncFileSystem: (fd) =>
      new Promise((resolve, reject) => {
        syncfs.async(fd, (failure: Error | null, result: number) => {
          if (failure) reject(failure)
          else if (result === 0) resolve()
          // errno belongs to the thread that made the call: which error it was is not known here.
          else reject(Object.assign(new Error('EIO: syncfs failed'), { code: 'EIO' }))
        })
      }),
    reportCloses: (folder) => {
      inotify ??= findInotify()
      if (inotify !== undefined) addWatch(inotify, cString(folder), IN_CLOSE_WRITE | IN_MASK_ADD)
    },
    sendDatagram: (name, data) => {
      const failed = (call: string): Error => new Error(`${getSystemErrorName(-koffi.errno())}: ${call} '${name}'`)
      const fd = socket(AF_UNIX, SOCK_DGRAM_CLOEXEC, 0) as number
      if (fd < 0) throw failed('socket')
      try {
        const address = socketAddress(name)
        if (sendto(fd, data, data.length, MSG_DONTWAIT_NOSIGNAL, address, address.length) >= 0) return 'sent'
        if (koffi.errno() === EAGAIN) return 'busy'
        throw failed('sendto')
      } finally {
        closeSync(fd)
      }
    },
    hide: () => {
      if (prctl(PR_SET_DUMPABLE, 0) !== 0 || setrlimit(RLIMIT_CORE, BigUint64Array.of(0n, 0n)) !== 0)
        throw new Error(`${getSystemErrorName(-koffi.errno())}: this process cannot be closed to others`)
    },
    exit: (status) => exit(status) as never,
  }
}

/** unix(7): the family, then a path with its zero, or an abstract name, which begins with a zero and ends with the address. */
function socketAddress(name: string): Buffer {
  const family = Buffer.from(Uint16Array.of(AF_UNIX).buffer)
  return Buffer.concat([family, name.startsWith('@') ? Buffer.from(`\0${name.slice(1)}`) : cString(name)])
}

function cString(path: Path): Buffer {
  return Buffer.concat([typeof path === 'string' ? Buffer.from(path) : path, Buffer.alloc(1)])
}

/** libuv keeps one inotify descriptor for all watches of a loop. */
function findInotify(): number | undefined {
  for (const fd of readdirSync('/proc/self/fd')) {
    try {
      if (readlinkSync(`/proc/self/fd/${fd}`) === 'anon_inode:inotify') return Number(fd)
    } catch (cause) {
      // The descriptor that listed the folder is closed by now.
      if ((cause as NodeJS.ErrnoException).code !== 'ENOENT') throw cause
    }
  }
  return undefined
}

function systemError(errno: number, call: string, from: Path, to: Path): NodeJS.ErrnoException {
  const code = ERRNO[errno] ?? `E${errno}`
  return Object.assign(new Error(`${code}: ${call} '${String(from)}' -> '${String(to)}'`), { code, errno: -errno, syscall: call })
}

/** Whether leases work on files of this folder: proved on a file made for it, since containers refuse them in several ways. */
export function leasesWork(native: Native, probe: string): boolean {
  const writer = openSync(probe, 'w', 0o600)
  // As root, on a file of somebody else: containers often allow only one's own.
  if (process.geteuid?.() === 0) fchownSync(writer, NOBODY, NOBODY)
  const reader = openSync(probe, 'r')
  try {
    if (native.takeLease(reader) !== 'busy') return false
    closeSync(writer)
    if (native.takeLease(reader) !== 'taken') return false
    native.dropLease(reader)
    return true
  } finally {
    closeSync(reader)
  }
}
