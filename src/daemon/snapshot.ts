/** The state on disk: a snapshot and the journal after it. A start reads both; a stop writes the first. */
import { createHash } from 'node:crypto'
import type { Entry } from '../core/event.ts'
import { JOURNAL_START, type Journal, type Position } from '../journal/index.ts'
import { statOrNothing } from '../mailbox/index.ts'
import { linesOf } from '../system/lines.ts'
import { inSlices } from '../system/slices.ts'
import type { Clock, Disk, Log } from '../system/types.ts'
import { sharing } from './rebuild.ts'
import { type KeptHead, type KeptLine, SNAPSHOT_VERSION, type State } from './state.ts'

/** Characters written in one piece. */
const PIECE_LENGTH = 512 * 1024

export type SnapshotGiven = Readonly<{ disk: Disk; clock: Clock; log: Log; journal: Journal; state: State; file: string }>

/** Somebody else who reads the journal at a start, from a place of its own. */
export type Reader = Readonly<{ from: Position; see: (entry: Entry) => void }>

/** Last line: without it the file was cut off. */
type Seal = Readonly<{ sha256: string }>
type Snapshot = Readonly<{ head: KeptHead; lines: readonly KeptLine[] }>

/** Fills the state up to `end` while mail is already admitted. `also` sees every entry that the snapshot doesn't have, too. */
export async function loadState(given: SnapshotGiven, end: Position, also: (entry: Entry) => void, reader: Reader): Promise<void> {
  const { clock, journal, state } = given
  const snapshot = await believable(given, end)
  if (snapshot) {
    state.restore(snapshot.head)
    await inSlices(clock, snapshot.lines, state.restoreLine)
  }
  const from = snapshot?.head.position ?? JOURNAL_START
  const begin = isBefore(reader.from, from) ? reader.from : from
  await inSlices(clock, journal.read(begin, end.segment), ([entry, at]) => {
    if (!isBefore(at, end)) return
    if (!isBefore(at, reader.from)) reader.see(entry)
    if (isBefore(at, from)) return
    state.replay(entry)
    also(entry)
  })
}

/** It only saves reading: one that is not whole, or knows more than the journal does, is taken away, and the journal read from its beginning. */
async function believable(given: SnapshotGiven, end: Position): Promise<Snapshot | undefined> {
  const { disk, log, journal, state, file } = given
  const handles = await state.handles.check()
  if (!statOrNothing(disk, file)) return undefined
  const whyNot = ({ position, hasHandles }: KeptHead): string | undefined => {
    if (handles === false || (hasHandles && handles === undefined)) return 'the file of refs beside it is spoiled or gone'
    return isIn(disk, journal, position, end) ? undefined : 'it knows more than the journal does'
  }
  const snapshot = await readSnapshot(given).catch((cause: unknown) => `it cannot be read: ${cause instanceof Error ? cause.message : String(cause)}`)
  const why = typeof snapshot === 'string' ? snapshot : whyNot(snapshot.head)
  if (why === undefined && typeof snapshot === 'object') return snapshot
  log('warn', 'the snapshot of the ledger is not believed; all of the journal is read', { file, why })
  // The journal grows again beyond where a snapshot like this ends: the next start would believe it.
  remove(disk, file)
  await disk.syncPath(file.slice(0, file.lastIndexOf('/')))
  return undefined
}

/** The snapshot, or why it is none. */
async function readSnapshot({ disk, clock, file }: SnapshotGiven): Promise<Snapshot | string> {
  const hash = createHash('sha256')
  const lines: KeptLine[] = []
  let head: KeptHead | undefined
  let last: string | undefined
  await inSlices(clock, linesOf(disk, file), ({ text }) => {
    if (last !== undefined) {
      hash.update(`${last}\n`)
      if (head) lines.push(parseLine(last))
      else head = JSON.parse(last) as KeptHead
    }
    last = text
  })
  const sha256 = last === undefined ? undefined : (JSON.parse(last) as Partial<Seal>).sha256
  if (head && head.version !== SNAPSHOT_VERSION) return 'it is of another version'
  return head && sha256 === hash.digest('hex') ? { head, lines } : 'it is cut off or spoiled'
}

function parseLine(text: string): KeptLine {
  const line = JSON.parse(text) as KeptLine
  return 'mail' in line ? { mail: sharing(line.mail) } : line
}

function isIn(disk: Disk, journal: Journal, at: Position, end: Position): boolean {
  const path = journal.segments.file(at.segment)?.path
  const isThere = path === undefined ? !isBefore(JOURNAL_START, at) : at.offset <= disk.stat(path).size
  return isThere && !isBefore(end, at)
}

function isBefore(one: Position, other: Position): boolean {
  return one.segment < other.segment || (one.segment === other.segment && one.offset < other.offset)
}

/** Written whole or not at all. Messages that change while it is written are also told by the journal after its position. */
export async function saveState({ disk, clock, journal, state, file }: SnapshotGiven): Promise<void> {
  const fresh = `${file}.new`
  remove(disk, fresh)
  const fd = disk.openAppend(fresh, 0o600)
  try {
    const hash = createHash('sha256')
    const { head, lines } = state.kept(journal.end())
    let piece = `${JSON.stringify(head)}\n`
    const write = (): void => {
      hash.update(piece)
      disk.append(fd, piece)
      piece = ''
    }
    await inSlices(clock, lines, (line) => {
      piece += `${JSON.stringify(line)}\n`
      if (piece.length >= PIECE_LENGTH) write()
    })
    write()
    disk.append(fd, `${JSON.stringify({ sha256: hash.digest('hex') } satisfies Seal)}\n`)
    await disk.syncData(fd)
    // Whatever it knows is in the journal first: after a power cut it must not speak of a place, or of a change, that never came to be.
    await journal.sync()
  } finally {
    disk.close(fd)
  }
  disk.rename(fresh, file)
}

function remove(disk: Disk, path: string): void {
  const found = statOrNothing(disk, path)
  if (found?.kind === 'folder') disk.rename(path, `${path}.odd-${found.ino}`)
  else if (found) disk.unlink(path)
}

/** State that cannot be read is as none: it is kept for comfort, not for truth. */
export function parseKept(text: string | undefined): unknown {
  try {
    return text === undefined ? undefined : JSON.parse(text)
  } catch (cause) {
    if (cause instanceof SyntaxError) return undefined
    throw cause
  }
}
