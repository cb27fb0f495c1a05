/** The real disk. */
import {
  type BigIntStats,
  chmodSync,
  chownSync,
  close,
  closeSync,
  constants,
  fchmodSync,
  fchownSync,
  fdatasync,
  fstatSync,
  fsync,
  lchownSync,
  linkSync,
  lstatSync,
  mkdirSync,
  open,
  opendirSync,
  openSync,
  readdirSync,
  readSync,
  realpathSync,
  renameSync,
  rmdirSync,
  type Stats,
  statfsSync,
  truncateSync,
  unlinkSync,
  writeSync,
} from 'node:fs'
import { promisify } from 'node:util'
import { copyOut, makeClone, tooBig } from './copy.ts'
import type { Native } from './native.ts'
import type { Disk, Fd, FileKind, Lease, Listed, Owner, Path, Stat } from './types.ts'

const { O_APPEND, O_CREAT, O_DIRECTORY, O_EXCL, O_NOCTTY, O_NOFOLLOW, O_NONBLOCK, O_RDONLY, O_WRONLY, S_IFMT, S_IFREG, S_IFDIR, S_IFLNK, S_IFIFO, S_IFSOCK } =
  constants
/** Linux, include/uapi/asm-generic/fcntl.h; Node has no name for it. */
const O_PATH = 0o10000000
/** No file of the daemon's own comes near it: a segment of the journal, the largest, is closed long before. */
const OWN_FILE_BYTES = 1024 ** 3
const openAsync = promisify(open)
const fsyncAsync = promisify(fsync)
const fdatasyncAsync = promisify(fdatasync)

export function realDisk(native: Native | undefined, lease: Lease): Disk {
  return {
    list,
    entries,
    real: (path) => realpathSync(path),
    stat: (path) => toStat(lstatSync(path)),
    fstat: (fd) => toStat(fstatSync(fd)),
    openRead: (path) => openSync(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY),
    openFolder: (path) => openSync(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW),
    pinFolder,
    pin: (path) => openSync(path, O_PATH | O_NOFOLLOW),
    at: (folder, name) => join(`/proc/self/fd/${folder}`, name),
    read: readAll,
    readFile,
    close: closeSync,
    closeLater: (fd) =>
      close(fd, (cause) => {
        if (cause) throw cause
      }),
    create,
    openAppend: (path, mode) => openSync(path, O_WRONLY | O_APPEND | O_CREAT | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY, mode),
    append: (fd, data) => writeAll(fd, typeof data === 'string' ? Buffer.from(data) : data),
    rename: renameSync,
    renameNew: native?.renameNew ?? linkThenUnlink,
    exchange: native?.exchange ?? exchangeByThree,
    link: linkSync,
    unlink: unlinkSync,
    makeFolder,
    removeFolder: rmdirSync,
    chmod: chmodSync,
    chown: (path, owner) => lchownSync(path, owner.uid, owner.gid),
    setOwner,
    setMode,
    truncate: truncateSync,
    syncData: fdatasyncAsync,
    syncPath: async (path) => {
      const fd = await openAsync(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK)
      try {
        await fsyncAsync(fd)
      } finally {
        closeSync(fd)
      }
    },
    syncFileSystem: native && ((path) => syncFileSystem(native, path)),
    copyOut,
    clone: makeClone(),
    free: (path) => {
      const { bavail, bsize, ffree, files } = statfsSync(path)
      // Some file systems (btrfs) make inodes as needed and report none.
      return { bytes: bavail * bsize, inodes: files === 0 ? Number.POSITIVE_INFINITY : ffree }
    },
    lease,
  }
}

/** A path below `folder`; bytes where the name is bytes. */
export function join(folder: Path, name: Path): Path {
  if (typeof folder === 'string' && typeof name === 'string') return `${folder}/${name}`
  return Buffer.concat([Buffer.from(folder), Buffer.from('/'), Buffer.from(name)])
}

function list(folder: Path): Listed[] {
  const entries = readdirSync(folder, { withFileTypes: true })
  // Only a name that is not UTF-8 decodes to U+FFFD: then the bytes are read as well.
  if (!entries.some((entry) => entry.name.includes('\ufffd'))) return entries.map((entry) => ({ name: entry.name, raw: undefined, kind: direntKind(entry) }))
  return readdirSync(folder, { withFileTypes: true, encoding: 'buffer' }).map((entry) => named(entry.name as unknown as Buffer, direntKind(entry)))
}

function named(raw: Buffer, kind: FileKind): Listed {
  const text = raw.toString('utf8')
  const same = Buffer.from(text).equals(raw)
  return { name: same ? text : raw.toString('latin1'), raw: same ? undefined : raw, kind }
}

/** Names that one call of the system brings. */
const A_PIECE = 256

function* entries(folder: Path): Generator<Listed> {
  // Its types know no names that are bytes.
  const open = opendirSync(folder, { encoding: 'buffer' as BufferEncoding, bufferSize: A_PIECE })
  try {
    for (let entry = open.readSync(); entry; entry = open.readSync()) yield named(entry.name as unknown as Buffer, direntKind(entry))
  } finally {
    open.closeSync()
  }
}

type Typed = Readonly<Record<'isFile' | 'isDirectory' | 'isSymbolicLink' | 'isFIFO' | 'isSocket', () => boolean>>

function direntKind(entry: Typed): FileKind {
  if (entry.isFile()) return 'file'
  if (entry.isDirectory()) return 'folder'
  if (entry.isSymbolicLink()) return 'link'
  return entry.isFIFO() ? 'fifo' : entry.isSocket() ? 'socket' : 'device'
}

function modeKind(mode: number): FileKind {
  switch (mode & S_IFMT) {
    case S_IFREG:
      return 'file'
    case S_IFDIR:
      return 'folder'
    case S_IFLNK:
      return 'link'
    case S_IFIFO:
      return 'fifo'
    case S_IFSOCK:
      return 'socket'
    default:
      return 'device'
  }
}

function toStat(stats: Exclude<Stats, BigIntStats>): Stat {
  const { dev, ino, size, uid, gid, nlink, mtimeMs, ctimeMs } = stats
  return { kind: modeKind(stats.mode), dev, ino, size, mode: stats.mode & 0o7777, uid, gid, links: nlink, mtimeMs, ctimeMs }
}

function readAll(fd: number, limit: number, from = 0): Buffer {
  const buffer = Buffer.allocUnsafe(limit)
  let filled = 0
  while (filled < limit) {
    const got = readSync(fd, buffer, filled, limit - filled, from + filled)
    if (got === 0) break
    filled += got
  }
  return filled === limit ? buffer : Buffer.from(buffer.subarray(0, filled))
}

function writeAll(fd: number, data: Uint8Array): void {
  for (let written = 0; written < data.length; ) written += writeSync(fd, data, written)
}

function readFile(path: Path, limit = OWN_FILE_BYTES): Buffer {
  const fd = openSync(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY)
  try {
    const { size } = fstatSync(fd)
    if (size > limit) throw tooBig(limit)
    return readAll(fd, size)
  } finally {
    closeSync(fd)
  }
}

function pinFolder(path: Path): Fd {
  return openSync(path, O_PATH | O_DIRECTORY | O_NOFOLLOW)
}

/** fchown and fchmod refuse a descriptor of O_PATH; by way of /proc it is the same inode, whatever its path now leads to. */
function setOwner(fd: Fd, { uid, gid }: Owner): void {
  chownSync(`/proc/self/fd/${fd}`, uid, gid)
}

function setMode(fd: Fd, mode: number): void {
  chmodSync(`/proc/self/fd/${fd}`, mode)
}

function makeFolder(path: Path, mode: number, owner?: Owner): void {
  mkdirSync(path, 0o700)
  const fd = pinFolder(path)
  try {
    if (owner) setOwner(fd, owner)
    // mkdir is subject to the umask, and chown clears set-id bits.
    setMode(fd, mode)
  } finally {
    closeSync(fd)
  }
}

function create(path: Path, data: Uint8Array | string, mode: number, owner?: Owner): Stat {
  const fd = openSync(path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, 0o600)
  try {
    writeAll(fd, typeof data === 'string' ? Buffer.from(data) : data)
    if (owner) fchownSync(fd, owner.uid, owner.gid)
    fchmodSync(fd, mode)
    return toStat(fstatSync(fd))
  } catch (cause) {
    unlinkSync(path)
    throw cause
  } finally {
    closeSync(fd)
  }
}

function linkThenUnlink(from: Path, to: Path): void {
  linkSync(from, to)
  unlinkSync(from)
}

/** Where renameat2 is missing: `b` is away for a moment. */
function exchangeByThree(a: Path, b: Path): void {
  // With the name of `a` before it: after a crash it tells as much.
  const aside = Buffer.concat([Buffer.from(a), Buffer.from(`.swap-${process.hrtime.bigint()}`)])
  renameSync(b, aside)
  linkThenUnlink(a, b)
  renameSync(aside, a)
}

async function syncFileSystem(native: Native, path: Path): Promise<void> {
  const fd = openSync(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK)
  try {
    await native.syncFileSystem(fd)
  } finally {
    closeSync(fd)
  }
}
