/** Puts a file into a drop folder in one step, and not before it is on the medium. */
import { randomBytes } from 'node:crypto'
import {
  chmodSync,
  chownSync,
  closeSync,
  constants,
  copyFileSync,
  existsSync,
  fsyncSync,
  linkSync,
  mkdirSync,
  openSync,
  renameSync,
  statSync,
  unlinkSync,
  writeSync,
} from 'node:fs'
import { basename, join } from 'node:path'
import { SENT_PREFIX } from '../core/control.ts'
import { shellWord } from '../core/text.ts'
import { codeOf, EXIT, refuse, UNSEEN, unless } from './exit.ts'

const { O_CREAT, O_DIRECTORY, O_EXCL, O_NOFOLLOW, O_RDONLY, O_WRONLY } = constants

/** The path of the message in the folder; the daemon remembers by its name what became of it, and alerts show the ref in it. */
export function dropMessage(folder: string, ref: string, bytes: Uint8Array): string {
  // Hexadecimal at the end: a word there could read like a priority.
  const word = randomBytes(8).toString('hex')
  const unfinished = join(folder, `.send-${word}.tmp`)
  const path = join(folder, `${SENT_PREFIX}${ref}-${word}.md`)
  const fd = createIn(folder, unfinished)
  try {
    for (let written = 0; written < bytes.length; ) written += writeSync(fd, bytes, written)
    ownAs(folder, unfinished)
    fsyncSync(fd)
    renameSync(unfinished, path)
    syncFolder(folder, fd)
  } catch (cause) {
    unless(UNSEEN, () => unlinkSync(unfinished))
    throw cause
  } finally {
    closeSync(fd)
  }
  return path
}

/** Copies files into `files/` beside the message; the names they got there: their own, with a word added where it is taken. */
export function dropAttachments(folder: string, files: readonly string[]): string[] {
  const beside = join(folder, 'files')
  if (files.length > 0) needFolder(beside)
  return files.map((file) => {
    const stat = unless(UNSEEN, () => statSync(file))
    if (!stat?.isFile())
      refuse(EXIT.noSuchThing, `${file} cannot be attached`, stat ? 'it is no regular file' : 'it is not there, or may not be read', `ls -l ${shellWord(file)}`)
    const word = randomBytes(4).toString('hex')
    const unfinished = join(beside, `.send-${word}.tmp`)
    copyFileSync(file, unfinished, constants.COPYFILE_EXCL)
    try {
      ownAs(beside, unfinished)
      const fd = openSync(unfinished, O_RDONLY)
      try {
        fsyncSync(fd)
        const name = linkFree(unfinished, beside, basename(file), word)
        unlinkSync(unfinished)
        syncFolder(beside, fd)
        return name
      } finally {
        closeSync(fd)
      }
    } catch (cause) {
      unless(UNSEEN, () => unlinkSync(unfinished))
      throw cause
    }
  })
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
  chmodSync(folder, 0o1733)
}

function createIn(folder: string, path: string): number {
  needFolder(folder)
  return openSync(path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, 0o600)
}

/** Root speaks for the holder of the outbox, so the file must be the holder's; in the spool the sender is who wrote it. */
function ownAs(folder: string, path: string): void {
  const { uid, gid, mode } = statSync(folder)
  const isSpool = (mode & 0o1000) !== 0
  if (process.geteuid?.() === 0 && uid !== 0 && !isSpool) chownSync(path, uid, gid)
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
