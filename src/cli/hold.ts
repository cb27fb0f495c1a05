/** What a holder does to its mail, done to the files as any holder may: move them, or put an edited copy in their place. */
import { randomBytes } from 'node:crypto'
import { closeSync, fchmodSync, fchownSync, fstatSync, fsyncSync, lstatSync, readFileSync, renameSync, type Stats } from 'node:fs'
import { basename, dirname, join } from 'node:path'
import type { MessageId } from '../core/ids.ts'
import type { Value } from '../core/message.ts'
import { layOutPlain, rewriteBy } from '../core/rewrite.ts'
import { rowOf } from '../core/row.ts'
import { isSettled, isStatus, mayChange, type Status } from '../core/status.ts'
import { shellWord } from '../core/text.ts'
import { sameCall } from './again.ts'
import { askForId, type Daemon, findDaemon } from './client.ts'
import { type Call, textOption } from './command.ts'
import { create, writeAll } from './drop.ts'
import { AGAIN, EXIT, GONE, Refusal, refuse, unless } from './exit.ts'
import { findMessage } from './find.ts'
import { readHead } from './head.ts'
import { openPlain, within } from './holder.ts'
import { byService, listMailbox, type Place } from './mail.ts'
import { rootOf, type Seat, seatOf } from './root.ts'

/** In an own mailbox by its files; an operator through the daemon, and by the files where it is down. */
export type Way = Readonly<{ kind: 'files'; seat: Seat | undefined }> | Readonly<{ kind: 'daemon'; daemon: Daemon }>

export async function wayOf(call: Call): Promise<Way> {
  const seat = seatOf(call)
  if (seat?.own) return { kind: 'files', seat }
  const daemon = await findDaemon(rootOf(call))
  return daemon ? { kind: 'daemon', daemon } : { kind: 'files', seat }
}

/** Changes the status of the message that is meant, one way or the other; its id. */
export async function changeStatus(call: Call, typed: string, to: Status, result: string | undefined): Promise<MessageId> {
  const way = await wayOf(call)
  if (way.kind === 'daemon') {
    const agent = textOption(call, 'agent')
    const id = await askForId(way.daemon, typed, sameCall(call, typed))
    await way.daemon.ask({ verb: 'change', id, to, ...(result === undefined ? {} : { result }), ...(agent === undefined ? {} : { agent }) })
    return id
  }
  const place = await findMessage(call, typed, way.seat)
  if (to === 'in_progress' && !(await isBlocked(place))) claimFile(place)
  else await editFile(place, to, { ...(result === undefined ? {} : { result }) })
  return place.id
}

/** Taken up again by its status alone: it lies in cur/ already. */
async function isBlocked(place: Place): Promise<boolean> {
  return place.folder === 'cur' && rowOf(place, (await readHead(place.path)) ?? {}).status === 'blocked'
}

/** Moves it from new/ to cur/; the path there. */
export function claimFile(place: Place): string {
  if (place.folder === 'cur') refuse(EXIT.notPermitted, `${place.id} cannot be claimed`, 'it is claimed already', `penny show ${place.id}`)
  if (place.folder !== 'new')
    refuse(
      EXIT.notPermitted,
      `${place.id} cannot be claimed`,
      place.folder === 'sent' ? 'you sent it; it is held by somebody else' : 'it is settled',
      `penny show ${place.id}`,
    )
  const path = join(dirname(dirname(place.path)), 'cur', basename(place.path))
  const moved = unless(GONE, () =>
    within(dirname(place.path), (from) => {
      within(dirname(path), (to) => renameSync(join(from, basename(path)), join(to, basename(path))))
      return true
    }),
  )
  if (!moved) refuse(EXIT.tryAgain, `${place.id} has just been moved`, 'somebody else was faster', `penny show ${place.id}`)
  return path
}

/** The most urgent message of new/, claimed; undefined: no mail. */
export function claimNext(seat: Seat): Place | undefined {
  for (const place of listMailbox(seat.workspace, seat.name, ['new']).sort(byService)) {
    try {
      return { ...place, folder: 'cur', path: claimFile(place) }
    } catch (cause) {
      // Another run of the same holder took it: the next one then.
      if (!(cause instanceof Refusal && cause.exit === EXIT.tryAgain)) throw cause
    }
  }
  return undefined
}

/** Writes a status and what goes with it into the file, in one step; the daemon moves it where it belongs. */
export async function editFile(place: Place, to: Status, keys: Readonly<Record<string, Value>>): Promise<void> {
  const was = rowOf(place, (await readHead(place.path)) ?? {}).status
  if (place.folder === 'sent' || to === 'cancelled')
    refuse(
      EXIT.notPermitted,
      `${place.id} cannot be set to ${to} here`,
      'only its sender or the postmaster withdraws a task, and the daemon keeps sent/',
      `penny reply ${place.id} --settles cancelled -m 'no longer needed'`,
    )
  if (was === null)
    refuse(
      EXIT.notPermitted,
      `${place.id} is a note`,
      'notes have no status; a read note is moved to done/',
      `mv ${shellWord(place.path)} ${shellWord(join(place.path, '../../done/'))}`,
    )
  if (isStatus(was) && (isSettled(was) || !mayChange('holder', was, to)))
    refuse(
      EXIT.notPermitted,
      `${place.id} cannot go from ${was} to ${to}`,
      'its sender or the postmaster reopens a settled task',
      `penny set ${place.id} status=open`,
    )
  const name = basename(place.path)
  const before = unless(GONE, () => within(dirname(place.path), (at) => readOwn(join(at, name)) ?? 'odd'))
  if (before === undefined) refuse(EXIT.tryAgain, `${place.id} has just been moved`, 'somebody else was faster', `penny show ${place.id}`)
  if (before === 'odd') refuse(EXIT.badMessage, `${place.path} cannot be changed`, 'it is no plain file', `ls -l ${shellWord(place.path)}`)
  const edits = { status: to, ...keys }
  // What the daemon delivers is plain, unless its sender or holder wrote more of YAML than most do.
  const edited = rewriteBy(layOutPlain, before.text, edits) ?? (await import('../message/index.ts')).rewrite(before.text, edits)
  within(dirname(place.path), (at) => replaceOwn(join(at, name), edited, before.stat))
}

function readOwn(path: string): { text: string; stat: Stats } | undefined {
  const fd = openPlain(path)
  if (fd === undefined) return undefined
  try {
    const stat = fstatSync(fd)
    return { stat, text: readFileSync(fd, 'utf8') }
  } finally {
    closeSync(fd)
  }
}

/** Puts a new version of a file in its place; refuses (75) where it is not, or no longer says, what it was when it was read. */
export function replaceOwn(path: string, text: string, was: Stats): void {
  const unfinished = join(dirname(path), `.edit-${randomBytes(8).toString('hex')}.tmp`)
  create(unfinished, (fd) => {
    writeAll(fd, Buffer.from(text))
    // The holder's own group may be none it can give away, and in a jail the readers' has no number (EINVAL): the folder's set-group bit gives it.
    unless(['EPERM', 'EINVAL'], () => fchownSync(fd, was.uid, was.gid))
    fchmodSync(fd, was.mode & 0o777)
    fsyncSync(fd)
    const now = unless(GONE, () => lstatSync(path))
    // Also a line that was added meanwhile (`>>`) would be lost with the version that is replaced.
    if (now?.ino !== was.ino || now.size !== was.size || now.mtimeMs !== was.mtimeMs)
      refuse(EXIT.tryAgain, 'the message was changed meanwhile', 'somebody else wrote to it or moved it at the same moment', AGAIN)
    renameSync(unfinished, path)
  })
}

/** The seat that `next` and `reply` need. */
export function needSeat(call: Call): Seat {
  return (
    seatOf(call) ??
    refuse(EXIT.usage, `penny ${call.name}: whose mailbox?`, 'this is not the workspace of an agent or a person', `penny ${call.name} --agent NAME`)
  )
}
