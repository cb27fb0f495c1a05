/** The state on disk: a snapshot and the journal after it. A start reads both; a stop writes the first. */
import type { Entry } from '../core/event.ts'
import { JOURNAL_START, type Journal, type Position } from '../journal/index.ts'
import { type Mail, statOrNothing } from '../mailbox/index.ts'
import { linesOf } from '../system/lines.ts'
import type { Clock, Disk } from '../system/types.ts'
import type { KeptHead, State } from './state.ts'

/** Work between two looks at the event loop, milliseconds. */
const SLICE_MS = 15
/** Lines written in one piece: about 700 KB. */
const LINES_A_PIECE = 1_000

export type SnapshotGiven = Readonly<{ disk: Disk; clock: Clock; journal: Journal; state: State; file: string }>

/** Somebody else who reads the journal at a start, from a place of its own. */
export type Reader = Readonly<{ from: Position; see: (entry: Entry) => void }>

/** Fills the state up to `end` while mail is already admitted. `also` sees every entry that the snapshot doesn't have, too. */
export async function loadState(given: SnapshotGiven, end: Position, also: (entry: Entry) => void, reader: Reader): Promise<void> {
  const { disk, clock, journal, state, file } = given
  let from = JOURNAL_START
  await inSlices(clock, statOrNothing(disk, file) ? linesOf(disk, file) : [], ({ text, at }) => {
    if (at > 0) return state.restoreMail(JSON.parse(text) as Mail)
    const head = JSON.parse(text) as KeptHead
    from = head.position
    state.restore(head)
  })
  const begin = isBefore(reader.from, from) ? reader.from : from
  await inSlices(clock, journal.read(begin, end.segment), ([entry, at]) => {
    if (!isBefore(at, end)) return
    if (!isBefore(at, reader.from)) reader.see(entry)
    if (isBefore(at, from)) return
    state.replay(entry)
    also(entry)
  })
}

function isBefore(one: Position, other: Position): boolean {
  return one.segment < other.segment || (one.segment === other.segment && one.offset < other.offset)
}

/** Written whole or not at all. Messages that change while it is written are also told by the journal after its position. */
export async function saveState({ disk, clock, journal, state, file }: SnapshotGiven): Promise<void> {
  const fresh = `${file}.new`
  if (statOrNothing(disk, fresh)) disk.unlink(fresh)
  const fd = disk.openAppend(fresh, 0o600)
  try {
    let lines = [JSON.stringify(state.head(journal.end()))]
    const write = (): void => {
      disk.append(fd, `${lines.join('\n')}\n`)
      lines = []
    }
    await inSlices(clock, [...state.ledger.all()], (mail) => {
      lines.push(JSON.stringify(mail))
      if (lines.length >= LINES_A_PIECE) write()
    })
    if (lines.length > 0) write()
    await disk.syncData(fd)
  } finally {
    disk.close(fd)
  }
  disk.rename(fresh, file)
}

async function inSlices<T>(clock: Clock, items: Iterable<T>, each: (item: T) => void): Promise<void> {
  let startedMs = clock.monotonic()
  for (const item of items) {
    each(item)
    if (clock.monotonic() - startedMs < SLICE_MS) continue
    await new Promise<void>((resolve) => clock.soon(resolve))
    startedMs = clock.monotonic()
  }
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
