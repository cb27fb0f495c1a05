import type { Clear, Raise } from '../core/post.ts'
import type { Folders } from '../mailbox/index.ts'
import type { Clock, Disk, Fd, Listed, Log, Stat, Watch } from '../system/types.ts'

export type DropFolder = Readonly<{
  path: string
  /** Relative to the root, for people. */
  shown: string
  kind: 'spool' | 'box' | 'outbox'
  /** The recipient a box is named after (perhaps no valid name), the holder of an outbox. */
  name: string
}>

/** A complete file, read. */
export type Taken = Readonly<{
  folder: DropFolder
  name: string
  raw: Buffer | undefined
  fd: Fd
  stat: Stat
  bytes: Buffer
  /** How long this content has lain here complete, milliseconds. */
  waitedMs: number
  /** Whether it may have what others stand in line for: it stood in line itself, or nobody does. */
  mayPass: (line: string) => boolean
  /** It has what it stood in line for, and takes its time: the next may be asked. */
  leaveLine: () => void
  /** True while nobody asked to write since the bytes were read. */
  untouched: () => boolean
  /** Ends the hold on the file; must be called once. */
  letGo: () => void
}>

/** What became of a file: it left the folder, or it is to be looked at again after so many milliseconds. */
export type Fate = 'gone' | Waits
export type Waits = Readonly<{
  againMs: number
  /** Files that are to go with it: left alone as long as it waits. */
  attach?: readonly string[]
  /** What it waits for together with others: it is looked at when it is its turn. */
  line?: string
}>

/** The name of an agent or person, or of the uid, for an alert. */
export type OwnerOf = (uid: number) => string

export type IsNamed = (folder: DropFolder, file: string, uid: number) => boolean

export type IntakeGiven = Readonly<{
  clock: Clock
  disk: Disk
  watch: Watch
  log: Log
  pins: Folders
  /** Largest message, bytes. */
  messageBytes: () => number
  raise: Raise
  clear: Clear
  handle: (taken: Taken) => Promise<Fate>
  /** An entry that can be no message, unopened. */
  refuse: (folder: DropFolder, entry: Listed, stat: Stat, why: string) => Promise<Fate>
  /** A folder in the spool that is not known as a box yet. */
  newFolder: () => void
  ownerOf: OwnerOf
  /** Something happened to the files/ in it: its mode or owner, or another lies there. May be called in a loop by whoever likes. */
  noticed: (folder: DropFolder) => void
  /** A drop folder is missing, locked, another one, or has another owner or mode than before: make it right. True: that is told. */
  repair: (folder: DropFolder) => boolean
}>
