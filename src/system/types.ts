/** The outside world as parameters: a test can turn the clock by hand and make the disk die at any operation. */
import type { MessageId } from '../core/ids.ts'

export type Clock = Readonly<{
  /** Wall clock, milliseconds since 1970. */
  now: () => number
  /** Milliseconds that never step: for durations. */
  monotonic: () => number
  /** Calls once, later; the handle cancels. Timers do not keep the process alive. */
  after: (ms: number, call: () => void) => Cancel
  every: (ms: number, call: () => void) => Cancel
  /** Calls in the next turn of the event loop, after waiting I/O was served; keeps the process alive until then. */
  soon: (call: () => void) => void
}>
export type Cancel = () => void

export type FileKind = 'file' | 'folder' | 'link' | 'fifo' | 'socket' | 'device'

/** One name in a folder. `name` is for showing where the bytes are not UTF-8; `path(dir, entry)` reaches the file either way. */
export type Listed = Readonly<{ name: string; raw: Buffer | undefined; kind: FileKind }>

export type Stat = Readonly<{
  kind: FileKind
  dev: number
  ino: number
  size: number
  mode: number
  uid: number
  gid: number
  links: number
  mtimeMs: number
  ctimeMs: number
}>

/** A path, as text or as the bytes it is. */
export type Path = string | Buffer

/** An open file descriptor. */
export type Fd = number

/**
 * The disk. Synchronous where a call only touches the page cache (asynchronous calls cost four times the CPU),
 * asynchronous where it waits for the medium. Every call throws Node's SystemError (`code: 'ENOENT'` …) on failure.
 */
export type Disk = Readonly<{
  list: (folder: Path) => Listed[]
  /** The same in pieces, however many there are; what comes or goes meanwhile may be in it or not. Ended before its end, it must be told so (`return`). */
  entries: (folder: Path) => Iterable<Listed>
  stat: (path: Path) => Stat
  /** Where a path leads when every link in it is followed. */
  real: (path: string) => string
  fstat: (fd: Fd) => Stat
  /** O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY. */
  openRead: (path: Path) => Fd
  /** O_DIRECTORY | O_NOFOLLOW: a folder pinned against being swapped; reach its entries with `at`. */
  openFolder: (path: Path) => Fd
  /** O_PATH | O_DIRECTORY | O_NOFOLLOW: pinned also where its mode lets nobody read it; for `fstat`, `at`, `setOwner`, `setMode`. */
  pinFolder: (path: Path) => Fd
  /** O_PATH | O_NOFOLLOW: whatever lies there, a link itself too; nothing is opened or woken by it. For `fstat`, `setOwner`, `setMode`. */
  pin: (path: Path) => Fd
  /** The path of `name` in a pinned folder: /proc/self/fd/N/name. */
  at: (folder: Fd, name: Path) => Path
  /** Up to `limit` bytes from `from`, which is the start if it isn't given. */
  read: (fd: Fd, limit: number, from?: number) => Buffer
  /** The whole file; EFBIG above `limit` bytes. The default is for files that the daemon alone writes. */
  readFile: (path: Path, limit?: number) => Buffer
  close: (fd: Fd) => void
  /** Closes in a thread of the pool: the last close of a removed file frees its blocks, which takes longer than all else about it. */
  closeLater: (fd: Fd) => void
  /** Creates (O_EXCL | O_NOFOLLOW) and writes; never overwrites. `owner` is given to the file before anybody can see it elsewhere. Returns it as it was made. */
  create: (path: Path, data: Uint8Array | string, mode: number, owner?: Owner) => Stat
  /** Appends to a file the daemon alone writes. */
  openAppend: (path: Path, mode: number) => Fd
  append: (fd: Fd, data: Uint8Array | string) => void
  rename: (from: Path, to: Path) => void
  /** Fails with EEXIST instead of replacing. */
  renameNew: (from: Path, to: Path) => void
  /** Swaps two existing names in one step. */
  exchange: (a: Path, b: Path) => void
  link: (from: Path, to: Path) => void
  unlink: (path: Path) => void
  /** Owner and mode are set through a descriptor: a link put in its place meanwhile leads nowhere (ENOTDIR, ELOOP). */
  makeFolder: (path: Path, mode: number, owner?: Owner) => void
  removeFolder: (path: Path) => void
  /** By path: only where the daemon alone writes; elsewhere `pinFolder` and `setMode`. */
  chmod: (path: Path, mode: number) => void
  chown: (path: Path, owner: Owner) => void
  /** Of an open file or folder. Giving away clears set-id bits: the owner first, then the mode. */
  setOwner: (fd: Fd, owner: Owner) => void
  setMode: (fd: Fd, mode: number) => void
  truncate: (path: Path, bytes: number) => void
  /** Waits until data and needed metadata are on the medium. */
  syncData: (fd: Fd) => Promise<void>
  /** fsync of a file or folder by path. */
  syncPath: (path: Path) => Promise<void>
  /** Waits until everything on the file system of `path` is on the medium, others' data too; undefined where that call is missing. */
  syncFileSystem: ((path: Path) => Promise<void>) | undefined
  /** Copies at most `limit` bytes from an open file into a new file, hashing; runs of zeros become holes; waits for the medium. */
  copyOut: (from: Fd, to: Path, limit: number, mode: number, owner?: Owner) => Promise<{ bytes: number; sha256: string }>
  /** A new file that shares its blocks with another until one of them is written (btrfs, xfs), on the medium; false: this file system has no such. */
  clone: (from: Path, to: Path, mode: number, owner?: Owner) => Promise<boolean>
  /** Bytes and inodes that are free. */
  free: (path: Path) => { bytes: number; inodes: number }
  lease: Lease
}>

export type Owner = Readonly<{ uid: number; gid: number }>

/**
 * Whether somebody has a file open for writing. With read leases (fcntl F_SETLEASE) the answer also holds new writers off
 * until `drop`; with the /proc scan it is a snapshot.
 */
export type Lease = Readonly<{
  how: 'lease' | 'proc'
  /** False: somebody is writing. */
  take: (fd: Fd) => boolean
  /** True while nobody has asked to write since `take`. */
  unbroken: (fd: Fd) => boolean
  drop: (fd: Fd) => void
}>

export type WatchReport = (name: string | null, wrote: boolean) => void

/** Hints that something changed in a folder; lost events cost a sweep, never a message. Throws where the kernel allows no more watches (ENOSPC, EMFILE). */
export type Watch = (folder: string, report: WatchReport) => Cancel

export type Ids = Readonly<{
  /** Greater than every id before it, also across restarts once `after` was called with the greatest on disk. */
  next: () => MessageId
  after: (id: MessageId) => void
  /** An unguessable word for names of staging files. */
  secret: () => string
}>

export type LogLevel = 'debug' | 'info' | 'warn' | 'error'
/** NDJSON to standard error: for whoever debugs tonight. No bodies, no secrets. */
export type Log = (level: LogLevel, what: string, fields?: LogFields) => void
/** Names of a line's own are not for fields, which would overwrite them. */
export type LogFields = Readonly<Record<string, string | number | boolean | undefined>> & Readonly<{ at?: never; level?: never; what?: never }>

export type Spawned = Readonly<{
  pid: number
  /** Start time in clock ticks from /proc/PID/stat: with the pid, one process for ever. */
  startTime: string
  /** The program itself has ended; what it left running in its group was killed, all output is in. */
  ended: Promise<Readonly<{ code: number | null; signal: string | null }>>
  /** To the whole process group; SIGTERM to a jail goes to what runs in it, for bwrap(1) hands no signal on. */
  kill: (signal: 'SIGTERM' | 'SIGKILL') => void
}>

export type SpawnPlan = Readonly<{
  argv: readonly string[]
  cwd: string
  env: Readonly<Record<string, string>>
  /** undefined: as the daemon. */
  as: (Owner & { groups: readonly number[] }) | undefined
  stdin: Uint8Array
  output: (stream: 'stdout' | 'stderr', chunk: Buffer) => void
  /** A cgroup that its first process enters before all else. */
  group?: string | undefined
  /** Started through bwrap(1). */
  jail?: Readonly<{
    /** What it reads on descriptors from 4 on. */
    given: readonly Uint8Array[]
    /** What it says on descriptor 3. */
    status: (chunk: Buffer) => void
  }>
}>

export type Spawner = Readonly<{
  /** Rejects where the program cannot be started. */
  spawn: (plan: SpawnPlan) => Promise<Spawned>
  /** Start time of a living (not zombie) process, else undefined. */
  alive: (pid: number) => string | undefined
  killGroup: (pid: number, signal: 'SIGTERM' | 'SIGKILL') => void
  /** One process: what left its group is reached by no other way. */
  kill: (pid: number, signal: 'SIGTERM' | 'SIGKILL') => void
  /** Pids whose environment has `entry` (`NAME=value`): how a run is found whose pid was never written down. `uid`: whose processes are looked at; undefined: everybody's. */
  withEnvironment: (entry: string, uid: number | undefined) => number[]
}>

export type RunGroups = Readonly<{
  /** The folder of a new group, to be entered by the run's first process; undefined: it could not be made, and the run goes without. */
  make: (run: string) => string | undefined
  /** Once the run is over: ends what is left in it. True: the kernel ended something there, because memory ran out. */
  remove: (group: string) => boolean
}>

export type System = Readonly<{
  clock: Clock
  disk: Disk
  watch: Watch
  ids: Ids
  log: Log
  spawner: Spawner
  /** undefined: none were delegated. */
  groups?: RunGroups | undefined
  /** The daemon's own uid and gid; 0 means system mode. */
  self: Owner
  bootId: string
  /** Ends the process at once, whatever its threads are at: a slow disk may keep hundreds of calls in line. */
  exit: (status: number) => never
}>
