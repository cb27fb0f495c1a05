/**
 * What happened to messages that nobody holds in memory any more. The journal is kept for ever, so one pass over it serves all who
 * ask meanwhile, begins where the oldest of them was admitted, and takes at most a quarter of the time: mail goes first.
 */
import type { Entry } from '../core/event.ts'
import type { MessageId } from '../core/ids.ts'
import { parseEntry } from '../core/lines.ts'
import type { Clock, Disk } from '../system/types.ts'
import type { Segments } from './segments.ts'

export type Past = Readonly<{
  /** Hands over each entry of this message from that segment on, in order; resolves in the turn in which the newest was read. */
  tell: (id: MessageId, from: number, each: (entry: Entry) => void) => Promise<void>
}>

type Asked = Readonly<{ id: MessageId; from: number; each: (entry: Entry) => void; told: () => void; failed: (cause: unknown) => void }>

/** Of all entries about one message, and of no text: within that every quote is escaped. */
const ID = Buffer.from('","id":"')
const ID_LENGTH = 36
const PAUSES_A_SLICE = 3

export function openPast(disk: Disk, clock: Clock, segments: Segments): Past {
  let waiting: Asked[] = []
  let running = false

  async function run(): Promise<void> {
    running = true
    while (waiting.length > 0) {
      const asked = waiting
      waiting = []
      try {
        await pass(asked)
        for (const { told } of asked) told()
      } catch (cause) {
        for (const { failed } of asked) failed(cause)
      }
    }
    running = false
  }

  async function pass(asked: readonly Asked[]): Promise<void> {
    const wanted = new Map<string, Asked[]>()
    for (const one of asked) wanted.set(one.id, [...(wanted.get(one.id) ?? []), one])
    for (let from = Math.min(...asked.map((one) => one.from)); ; ) {
      const startedMs = clock.monotonic()
      // Segments are begun while others are read.
      segments.flush()
      const left = segments.list().filter((segment) => segment >= from)
      const path = segments.file(left[0] ?? -1)?.path
      if (path !== undefined) search(disk.readFile(path), wanted)
      if (left.length <= 1) return
      from = (left[0] ?? from) + 1
      const tookMs = clock.monotonic() - startedMs
      await new Promise<void>((resolve) => void (tookMs < 1 ? clock.soon(resolve) : clock.after(PAUSES_A_SLICE * tookMs, resolve)))
    }
  }

  return {
    tell: (id, from, each) =>
      new Promise((told, failed) => {
        waiting.push({ id, from, each, told, failed })
        if (!running) void run()
      }),
  }
}

/** Linear in the data, however many are asked for; only their lines are parsed. */
function search(data: Buffer, wanted: ReadonlyMap<string, readonly Asked[]>): void {
  for (let at = data.indexOf(ID); at >= 0; at = data.indexOf(ID, at + ID.length)) {
    const start = at + ID.length
    const asked = wanted.get(data.toString('latin1', start, start + ID_LENGTH))
    if (!asked) continue
    const end = data.indexOf(10, start)
    if (end < 0) return
    const entry = parseEntry(data.toString('utf8', data.lastIndexOf(10, at) + 1, end))
    if (entry) for (const { each } of asked) each(entry)
  }
}
