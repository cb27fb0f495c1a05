/** Mail as it lies in its holder's folders, read for an operator: every name in them may be a trap. */
import { type Config, holdersOf } from '../core/config.ts'
import type { TaskRow } from '../core/control.ts'
import type { MessageId } from '../core/ids.ts'
import type { Name } from '../core/names.ts'
import { rowOf } from '../core/row.ts'
import type { Folder } from '../core/status.ts'
import { findById, type Layout, monthsAmong, openFolderOrNothing, openUnlessLeased, parseFileName } from '../mailbox/index.ts'
import { parseHead } from '../message/index.ts'
import type { Disk, Path } from '../system/types.ts'

export type ReadingGiven = Readonly<{ disk: Disk; layout: Layout; config: () => Config }>
export type MailText = Readonly<{ holder: string; folder: Folder; path: string; text: string }>

/** The message as it is now; undefined: its file is not there, or is no file that a holder may have. */
export function readMail({ disk, layout, config }: ReadingGiven, holder: string, id: MessageId): MailText | undefined {
  const [found] = findById(
    disk,
    (folder) => layout.folder(holder, folder),
    id,
    (folder, name) => `${folder}/${name}`,
  )
  // What its holder wrote to it may be longer than what can be sent.
  const bytes = found && readOwn(disk, found.path, 4 * config().org.limits.messageBytes)
  return found && bytes && { holder, folder: found.folder, path: found.path, text: bytes.toString('utf8') }
}

/** Rows of everything in done/, one after the other as they are asked for. */
export function* settledRows(given: ReadingGiven): Generator<TaskRow | undefined> {
  for (const holder of holdersOf(given.config())) {
    const path = given.layout.folder(holder, 'done')
    yield* rowsIn(given, holder, path, path, true)
  }
}

/** Of one folder, held open meanwhile: what its holder puts in its place is not its mail. `shown`: its path for people. */
function* rowsIn(given: ReadingGiven, holder: Name, path: Path, shown: string, withMonths: boolean): Generator<TaskRow | undefined> {
  const { disk } = given
  const fd = openFolderOrNothing(disk, path)
  if (fd === undefined) return
  try {
    const entries = disk.list(disk.at(fd, '.'))
    for (const { name, kind } of entries) if (kind === 'file') yield rowOfFile(given, holder, disk.at(fd, name), name, `${shown}/${name}`)
    if (withMonths) for (const month of monthsAmong(entries)) yield* rowsIn(given, holder, disk.at(fd, month), `${shown}/${month}`, false)
  } finally {
    disk.close(fd)
  }
}

function rowOfFile({ disk, config }: ReadingGiven, holder: Name, at: Path, file: string, path: string): TaskRow | undefined {
  const limits = config().org.limits
  const named = parseFileName(file)
  const bytes = named && readOwn(disk, at, limits.frontMatterBytes * 2)
  if (!named || !bytes) return undefined
  const head = parseHead(bytes, limits)
  return rowOf({ holder, folder: 'done', file, path, id: named.id, rank: named.rank, priority: named.priority }, head.ok ? head.message.values : {})
}

/** The start of a regular file with one name: a link that leads elsewhere, a second name of somebody else's file, a pipe are nothing to show. */
function readOwn(disk: Disk, path: Path, limit: number): Buffer | undefined {
  const fd = openUnlessLeased(disk, path)
  if (typeof fd === 'string') return undefined
  try {
    const stat = disk.fstat(fd)
    return stat.kind === 'file' && stat.links === 1 ? disk.read(fd, Math.min(stat.size, limit)) : undefined
  } finally {
    disk.close(fd)
  }
}
