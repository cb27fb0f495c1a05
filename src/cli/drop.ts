/** Puts a file into a drop folder in one step, and not before it is on the medium. */
import { randomBytes } from 'node:crypto'
import {
  closeSync,
  constants,
  existsSync,
  fchmodSync,
  fsyncSync,
  linkSync,
  mkdirSync,
  openSync,
  readSync,
  realpathSync,
  renameSync,
  unlinkSync,
  writeSync,
} from 'node:fs'
import { basename, join } from 'node:path'
import { SENT_PREFIX } from '../core/control.ts'
import { shellWord } from '../core/text.ts'
import { AGAIN, codeOf, EXIT, GONE, refuse, UNSEEN, unless } from './exit.ts'
import { openPlain, within } from './holder.ts'

const { O_CREAT, O_DIRECTORY, O_EXCL, O_NOFOLLOW, O_RDONLY, O_WRONLY } = constants
const COPIED_AT_ONCE = 1024 * 1024

/** The path of the message in the folder; the daemon remembers by its name what became of it, and alerts show the ref in it. */
export function dropMessage(folder: string, ref: string, bytes: Uint8Array): string {
  // Hexadecimal at the end: a word there could read like a priority.
  const word = randomBytes(8).toString('hex')
  const name = `${SENT_PREFIX}${ref}-${word}.md`
  needFolder(folder)
  within(folder, (at) => {
    const unfinished = join(at, `.send-${word}.tmp`)
    create(unfinished, (fd) => {
      writeAll(fd, bytes)
      fsyncSync(fd)
      renameSync(unfinished, join(at, name))
      syncFolder(at, fd)
    })
  })
  return join(folder, name)
}

/** Copies files into `files/` beside the message; the names they got there: their own, with a word added where it is taken. */
export function dropAttachments(folder: string, files: readonly string[]): string[] {
  if (files.length === 0) return []
  needFolder(folder)
  within(folder, (at) => needFolder(join(at, 'files')))
  return files.map((file) => {
    // Opened with the rights of who sends it, before those of the holder count.
    const from = openSource(file)
    try {
      const copy = (at: string): string => {
        const word = randomBytes(4).toString('hex')
        const unfinished = join(at, `.send-${word}.tmp`)
        return create(unfinished, (fd) => {
          copyAll(from, fd)
          fsyncSync(fd)
          const name = linkFree(unfinished, at, basename(file), word)
          unlinkSync(unfinished)
          syncFolder(at, fd)
          return name
        })
      }
      return within(folder, (outbox) => within(join(outbox, 'files'), copy, join(folder, 'files')))
    } finally {
      closeSync(from)
    }
  })
}

/** A link to a file may be sent; what hangs or has no end may not. */
function openSource(file: string): number {
  const fd = unless([...UNSEEN, 'EISDIR'], () => openPlain(unless(UNSEEN, () => realpathSync(file)) ?? file))
  if (fd !== undefined) return fd
  const why = existsSync(file) ? 'it is no regular file, or may not be read' : 'it is not there, or may not be read'
  return refuse(EXIT.noSuchThing, `${file} cannot be attached`, why, `ls -l ${shellWord(file)}`)
}

/** A file that nobody sees before it is whole: what `work` does not put in its place is taken away. Refuses (75) where its holder removed it. */
export function create<T>(path: string, work: (fd: number) => T): T {
  const fd = openSync(path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, 0o600)
  try {
    return work(fd)
  } catch (cause) {
    unless(UNSEEN, () => unlinkSync(path))
    if (GONE.includes(codeOf(cause) ?? ''))
      refuse(EXIT.tryAgain, `nothing was changed: ${basename(path)} went away while it was written`, 'its holder removed it', AGAIN)
    throw cause
  } finally {
    closeSync(fd)
  }
}

export function writeAll(fd: number, bytes: Uint8Array): void {
  for (let written = 0; written < bytes.length; ) written += writeSync(fd, bytes, written)
}

function copyAll(from: number, to: number): void {
  const buffer = Buffer.allocUnsafe(COPIED_AT_ONCE)
  for (let read = readSync(from, buffer); read > 0; read = readSync(from, buffer)) writeAll(to, buffer.subarray(0, read))
}

/** A link never replaces what another sender put there. */
function linkFree(from: string, folder: string, name: string, word: string): string {
  const dot = name.lastIndexOf('.')
  const other = dot > 0 ? `${name.slice(0, dot)}-${word}${name.slice(dot)}` : `${name}-${word}`
  try {
    linkSync(from, join(folder, name))
    return name
  } catch (cause) {
    if (codeOf(cause) !== 'EEXIST') throw cause
    linkSync(from, join(folder, other))
    return other
  }
}

/** The daemon makes the folders when it first starts; who drops before that makes them as it would. */
function needFolder(folder: string): void {
  if (existsSync(folder)) return
  mkdirSync(folder, { recursive: true })
  // Never by its name: whoever writes the folder around it may have put a link to one of ours there meanwhile.
  const fd = unless([...GONE, 'ELOOP'], () => openSync(folder, O_RDONLY | O_DIRECTORY | O_NOFOLLOW))
  if (fd === undefined)
    return refuse(EXIT.tryAgain, `${basename(folder)}/ went away as soon as it was made`, 'its holder put something else in its place', AGAIN)
  try {
    fchmodSync(fd, 0o1733)
  } finally {
    closeSync(fd)
  }
}

/** A drop folder of system mode (1733) cannot be opened to be synced; the file itself then carries its new name to the journal. */
function syncFolder(folder: string, file: number): void {
  const fd = unless(['EACCES'], () => openSync(folder, O_RDONLY | O_DIRECTORY))
  if (fd === undefined) return fsyncSync(file)
  try {
    fsyncSync(fd)
  } finally {
    closeSync(fd)
  }
}
