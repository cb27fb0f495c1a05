/** What one entry of a drop folder is at this moment, told without ever following or blocking on it. */

import { shellPath, shellWord, showSafely } from '../core/text.ts'
import { formatDuration, formatSize } from '../core/units.ts'
import type { Disk, Fd, Path, Stat } from '../system/types.ts'
import type { DropFolder } from './types.ts'
import { hasWriter, openUnlessWritten } from './writer.ts'

export type Look =
  | { see: 'nothing' }
  | { see: 'gone' }
  | { see: 'new-folder' }
  | { see: 'wait'; againMs: number }
  /** Somebody has it open for writing: however long that lasts, waiting for it to be whole begins after. */
  | { see: 'writer'; againMs: number }
  | { see: 'alert'; code: 'abandoned-draft' | 'unmatched-file' | 'unsafe-file'; sentence: string; fix: string; againMs: number }
  | { see: 'unsafe'; why: string }
  /** Leased: the receiver lets go. */
  | { see: 'whole'; fd: Fd; stat: Stat; bytes: Buffer }

export type LookGiven = Readonly<{
  disk: Disk
  folder: DropFolder
  name: string
  /** Its bytes, where they are no text. */
  raw: Buffer | undefined
  path: Path
  stat: Stat
  waitedMs: number
  messageBytes: number
  draft: boolean
  message: boolean
  /** A message that waits sends it along. */
  named: boolean
}>

/** The close of a writer is reported; this is for the reports that are lost. */
const WRITER_AGAIN_MS = 100
/** `ln tmp final; rm tmp` has two names for a moment. */
const LINKED_MS = 1_000
const LATER_MS = 60_000
const DRAFT_MS = 5 * 60_000
const STRAY_MS = 10_000

export function look(given: LookGiven): Look {
  const { folder, name, stat, waitedMs } = given
  const shown = `${folder.shown}/${showSafely(name)}`
  const word = shellPath(folder.shown, name, given.raw)
  if (stat.kind === 'folder') {
    if (name === 'files') return { see: 'nothing' }
    if (folder.kind === 'spool' && (name === 'alerts' || name === 'held')) return { see: 'nothing' }
    if (folder.kind === 'spool' && !given.draft && !given.message) return { see: 'new-folder' }
  }
  if (given.named) return { see: 'wait', againMs: LATER_MS }
  if (given.draft) {
    if (waitedMs < DRAFT_MS) return { see: 'wait', againMs: Math.min(LATER_MS, DRAFT_MS - waitedMs) }
    if (stat.kind === 'file' && hasWriter(given.disk, given.path)) return { see: 'wait', againMs: LATER_MS }
    return {
      see: 'alert',
      code: 'abandoned-draft',
      sentence: `${shown} has the name of a file being written, and nobody has written it for ${formatDuration(DRAFT_MS)}.`,
      fix: `mv ${word} ${shellWord(`${folder.shown}/${sendableName(name)}`)}   # to send it; or rm it`,
      againMs: LATER_MS,
    }
  }
  if (stat.kind === 'folder') {
    // Named like a message it was meant as one, or put there to be taken for one.
    const graceMs = given.message ? LINKED_MS : STRAY_MS
    if (waitedMs < graceMs) return { see: 'wait', againMs: graceMs - waitedMs }
    return {
      see: 'alert',
      code: given.message ? 'unsafe-file' : 'unmatched-file',
      sentence: `${shown}/ is a folder; ${folder.kind === 'spool' && given.message ? 'what is dropped in it is held' : 'nothing in it is looked at'}.`,
      fix: `mv -v ${word} "$(mktemp -d ~/from-penny.XXXXXX)"   # out of the mail's way`,
      againMs: LATER_MS,
    }
  }
  if (stat.kind !== 'file') return { see: 'unsafe', why: `it is a ${nameOf(stat)}, and only plain files are mail` }
  if (stat.links > 1)
    return waitedMs < LINKED_MS
      ? { see: 'wait', againMs: 100 }
      : { see: 'unsafe', why: `it has ${stat.links} names (hard links), so it may be somebody else's file` }
  if (!given.message) {
    if (waitedMs < STRAY_MS) return { see: 'wait', againMs: STRAY_MS - waitedMs }
    if (hasWriter(given.disk, given.path)) return { see: 'wait', againMs: 1000 }
    return {
      see: 'alert',
      code: 'unmatched-file',
      sentence: `${shown} (${formatSize(stat.size)}) is not a message (its name does not end in .md), and no message names it as an attachment.`,
      fix: `mv ${word} ${shellWord(`${folder.shown}/${sendableName(name)}`)}   # if it is one; or move it away`,
      againMs: LATER_MS,
    }
  }
  return take(given)
}

function take({ disk, path, stat, messageBytes }: LookGiven): Look {
  const fd = openUnlessWritten(path, disk)
  if (fd === 'written') return { see: 'writer', againMs: WRITER_AGAIN_MS }
  if (fd === undefined) return { see: 'gone' }
  let keep = false
  try {
    const opened = disk.fstat(fd)
    if (opened.ino !== stat.ino || opened.dev !== stat.dev || opened.kind !== 'file') return { see: 'wait', againMs: 1 }
    if (!disk.lease.take(fd)) return { see: 'writer', againMs: WRITER_AGAIN_MS }
    // Asked only now: its last writer may have gone between the first look and the lease.
    const whole = disk.fstat(fd)
    // One byte more than may be: the receiver sees that it is too large without reading all of it.
    const bytes = disk.read(fd, Math.min(whole.size, messageBytes + 1))
    keep = true
    return { see: 'whole', fd, stat: whole, bytes }
  } finally {
    if (!keep) disk.close(fd)
  }
}

function nameOf(stat: Stat): string {
  return { file: 'file', folder: 'folder', link: 'symbolic link', fifo: 'named pipe', socket: 'socket', device: 'device' }[stat.kind]
}

function sendableName(name: string): string {
  const bare = showSafely(name)
    .replace(/^\.+/, '')
    .replace(/(~|\.swp|\.tmp|\.part)$/, '')
  return /\.md$/i.test(bare) ? bare : `${bare}.md`
}
