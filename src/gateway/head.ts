/** The way back to the client: when an answer begins there, and how fast it may come. */
import type { Gone } from '../system/gone.ts'
import type { ServerResponse } from '../system/http.ts'
import type { Clock } from '../system/types.ts'
import type { UpstreamAnswer } from '../system/upstream.ts'
import { toAgent } from './headers.ts'

/** A stream that has begun with nothing but pings: its client would think that nobody is there. Milliseconds. */
const HEAD_MS = 5_000
/** A client that reads nothing for so long keeps a place at the provider which others need. Milliseconds. */
const STALLED_MS = 120_000

type Head = Readonly<{
  isKept: () => boolean
  /** It goes out, with what was kept; once. */
  begin: () => void
  /** It never does. */
  drop: () => void
  /** False: the client has to read first. */
  write: (chunk: Buffer) => boolean
}>

export function headOf(clock: Clock, res: ServerResponse, answer: UpstreamAnswer): Head {
  let kept: Buffer[] | undefined = []
  const begin = (): void => {
    if (!kept) return
    cancel()
    res.writeHead(answer.status, toAgent(answer.rawHeaders))
    // With the first bytes, where there are any: in one piece.
    if (kept.length === 0) res.flushHeaders()
    for (const chunk of kept) res.write(chunk)
    kept = undefined
  }
  const cancel = clock.after(HEAD_MS, begin)
  return {
    isKept: () => kept !== undefined,
    begin,
    drop: cancel,
    write: (chunk) => {
      if (!kept) return res.write(chunk)
      kept.push(chunk)
      return true
    },
  }
}

/** Until the client has read on, or is gone: then nothing drains any more. It is cut off where it does not read at all. */
export function drained(clock: Clock, res: ServerResponse, gone: Gone): Promise<void> {
  return new Promise((resolve) => {
    const cancel = clock.after(STALLED_MS, () => void res.destroy())
    let forget = (): void => undefined
    const end = (): void => {
      cancel()
      res.off('drain', end)
      forget()
      resolve()
    }
    if (gone.isSo()) return end()
    res.on('drain', end)
    forget = gone.heard(end)
  })
}
