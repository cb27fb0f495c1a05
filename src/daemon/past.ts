/** The journal and settled mail for operators, who may read neither: in slices, so that nobody's mail waits for the reader. */
import type { Request, TaskRow } from '../core/control.ts'
import type { Entry } from '../core/event.ts'
import type { MessageId } from '../core/ids.ts'
import { linesWith, mayReach, parseEntry } from '../core/lines.ts'
import type { Journal } from '../journal/index.ts'
import { nextTurn } from '../system/slices.ts'
import type { Clock, Disk } from '../system/types.ts'
import type { Say } from './control.ts'

export type PastGiven = Readonly<{ clock: Clock; disk: Disk; journal: Journal }>

/** Tells the entries asked for; with `follow` goes on until the client is gone. */
export async function tellJournal(given: PastGiven, request: Extract<Request, { verb: 'journal' }>, say: Say, gone: AbortSignal): Promise<void> {
  const { journal } = given
  const fits = fitting(request)
  // Listening begins where the past ends: nothing is missed, nothing told twice.
  const end = journal.end()
  const news: Entry[] = []
  let wake: () => void = () => undefined
  const stop = request.follow
    ? journal.listen((entry) => {
        if (fits(entry)) news.push(entry)
        wake()
      })
    : () => undefined
  gone.addEventListener('abort', () => wake(), { once: true })
  try {
    if (request.past) await tellPast(given, request, end, fits, say, gone)
    while (request.follow && !gone.aborted) {
      for (const entry of news.splice(0)) await say(entry)
      if (news.length === 0 && !gone.aborted) await new Promise<void>((resolve) => (wake = resolve))
    }
  } finally {
    stop()
  }
}

/** Whether an entry that is new, and so was not chosen by its line, is asked for. */
function fitting({ since, about }: Extract<Request, { verb: 'journal' }>): (entry: Entry) => boolean {
  return (entry) => (since === undefined || entry.at >= since) && (about === undefined || about.some((text) => JSON.stringify(entry).includes(text)))
}

async function tellPast(
  { clock, disk, journal: { segments } }: PastGiven,
  { since, about }: Extract<Request, { verb: 'journal' }>,
  end: Readonly<{ segment: number; offset: number }>,
  fits: (entry: Entry) => boolean,
  say: Say,
  gone: AbortSignal,
): Promise<void> {
  const sinceMs = since === undefined ? Number.NEGATIVE_INFINITY : Date.parse(since)
  const numbers = segments.list().filter((number) => number <= end.segment)
  for (const [index, number] of numbers.entries()) {
    const file = segments.file(number)
    if (!file || gone.aborted || !mayReach(sinceMs, file.begunMs, segments.file(numbers[index + 1] ?? -1)?.begunMs)) continue
    const data = disk.readFile(file.path).subarray(0, number === end.segment ? end.offset : undefined)
    for (const line of about === undefined ? data.toString('utf8').split('\n') : linesWith(data, about)) {
      const entry = parseEntry(line)
      if (entry && fits(entry)) await say(entry)
    }
    await nextTurn(clock)
  }
}

/** Rows of settled mail, from the folders. */
export async function tellRows(clock: Clock, rows: Iterable<TaskRow | undefined>, say: Say, gone: AbortSignal): Promise<void> {
  let count = 0
  for (const row of rows) {
    if (gone.aborted) return
    if (row) await say(row)
    if (++count % SLICE === 0) await nextTurn(clock)
  }
}

/** Heads read between two turns of the event loop: a few milliseconds. */
const SLICE = 100

/** Settled messages are in no ledger: ids in the journal that end so, the latest first, without parsing what has none. */
export async function admittedEndingWith({ clock, disk, journal }: PastGiven, ending: string, most: number, gone: AbortSignal): Promise<MessageId[]> {
  const found: MessageId[] = []
  journal.end()
  for (const segment of [...journal.segments.list()].reverse()) {
    const path = journal.segments.file(segment)?.path
    for (const line of path === undefined ? [] : linesWith(disk.readFile(path), [`${ending}"`])) {
      const entry = parseEntry(line)
      if (entry?.event === 'admitted') for (const { id } of entry.copies) if (id.endsWith(ending)) found.push(id)
    }
    if (found.length >= most || gone.aborted) break
    await nextTurn(clock)
  }
  return found.slice(0, most)
}
