/** What happened, as the journal's segments tell it; where they may not be read, as the daemon does. Read only: it goes on writing. */
import { closeSync, fstatSync, openSync, readdirSync, readFileSync, readSync } from 'node:fs'
import type { Request } from '../core/control.ts'
import type { Entry } from '../core/event.ts'
import { linesWith, mayReach, parseEntry, parseLine } from '../core/lines.ts'
import type { Intent } from '../journal/index.ts'
import { layoutOf } from '../mailbox/index.ts'
import { fixOfBar } from './bar.ts'
import { findOwnDaemon, linesOf } from './client.ts'
import { EXIT, GONE, Refusal, refuse, unless } from './exit.ts'

const NAME = /^\d{8}-(\d{4})(\d{2})(\d{2})T(\d{2})(\d{2})(\d{2})Z\.jsonl$/
type Segment = Readonly<{ path: string; begunMs: number }>

/** Oldest first; none where nothing was ever written. Refuses (77) where it may not be read. */
function segmentsIn(folder: string): Segment[] {
  const names =
    unless(
      GONE,
      () =>
        unless(['EACCES', 'EPERM'], () => readdirSync(folder)) ??
        refuse(
          EXIT.notPermitted,
          'you may not read the journal',
          `${folder} is the daemon's own, and the daemon cannot be asked by this user`,
          fixOfBar(folder),
        ),
    ) ?? []
  return names.sort().flatMap((name) => {
    const [, ...time] = NAME.exec(name) ?? []
    if (time.length === 0) return []
    const [y = 0, mo = 1, d = 1, h = 0, mi = 0, s = 0] = time.map(Number)
    return [{ path: `${folder}/${name}`, begunMs: Date.UTC(y, mo - 1, d, h, mi, s) }]
  })
}

/** From the files, or from the daemon where this user may not read them but may ask. */
async function entriesBy(root: string, read: (folder: string) => Entry[], request: Partial<Extract<Request, { verb: 'journal' }>>): Promise<Entry[]> {
  try {
    return read(layoutOf(root).private('journal'))
  } catch (cause) {
    if (!(cause instanceof Refusal && cause.exit === EXIT.notPermitted)) throw cause
    const daemon = await findOwnDaemon(root)
    if (typeof daemon !== 'object') throw cause
    return await linesOf<Entry>(daemon, { verb: 'journal', past: true, follow: false, ...request })
  }
}

/** Entries since that moment (milliseconds), oldest first. */
export function entriesSince(root: string, sinceMs: number): Promise<Entry[]> {
  const since = new Date(sinceMs).toISOString()
  const read = (folder: string): Entry[] => {
    const segments = segmentsIn(folder)
    const needed = segments.filter(({ begunMs }, index) => mayReach(sinceMs, begunMs, segments[index + 1]?.begunMs))
    return needed.flatMap(({ path }) => entriesIn(readFileSync(path, 'utf8')).filter(({ at }) => at >= since))
  }
  return entriesBy(root, read, { since })
}

/** Every entry whose line holds one of these texts, oldest first. */
export function entriesAbout(root: string, texts: readonly string[]): Promise<Entry[]> {
  return entriesBy(root, (folder) => found<Entry>(folder, texts), { about: texts })
}

/** The sealed drop that this id came from; undefined: older than the retention time. */
export function sealedOf(root: string, id: string): Intent | undefined {
  return found<Intent>(layoutOf(root).private('sealed'), [id]).find(
    (intent) => intent.drop === id || (intent.act === 'admit' && intent.copies.some((copy) => copy.id === id)),
  )
}

function found<T extends object>(folder: string, texts: readonly string[]): T[] {
  return segmentsIn(folder).flatMap(({ path }) => {
    const data = unless(GONE, () => readFileSync(path))
    return data ? linesWith(data, texts).flatMap((line) => (parseLine(line) as T | undefined) ?? []) : []
  })
}

function entriesIn(text: string): Entry[] {
  return text.split('\n').flatMap((line) => parseEntry(line) ?? [])
}

/** Entries as they are written from now on: call again and again. */
export function followJournal(root: string): () => Entry[] {
  const folder = layoutOf(root).private('journal')
  const read = new Map<string, number>()
  for (const { path } of segmentsIn(folder)) read.set(path, endOf(path))
  return () =>
    segmentsIn(folder).flatMap(({ path }) => {
      const from = read.get(path) ?? 0
      const data = readFrom(path, from)
      const whole = data.lastIndexOf(10) + 1
      read.set(path, from + whole)
      return entriesIn(data.toString('utf8', 0, whole))
    })
}

/** Where the last whole line ends. */
function endOf(path: string): number {
  return readFileSync(path).lastIndexOf(10) + 1
}

function readFrom(path: string, from: number): Buffer {
  const fd = openSync(path, 'r')
  try {
    const buffer = Buffer.alloc(Math.max(0, fstatSync(fd).size - from))
    return buffer.subarray(0, readSync(fd, buffer, 0, buffer.length, from))
  } finally {
    closeSync(fd)
  }
}
