/** The body of a request, whole: it may have to be sent more than once. */
import type { IncomingMessage } from '../system/http.ts'
import { piecesOf } from '../system/pieces.ts'

const HEARD_OUT = 2
/** A piece takes hundreds of bytes of memory, however small it is: so many are put together. */
const TOGETHER = 1_024
/** And as much time as a thousand bytes: more than so many may not be smaller than this on the average. */
const MOST_SMALL = 4_096
const SMALL = 64

/** `mayKeep` is asked for each piece: false, there is no room in memory for more. */
export async function readBody(req: IncomingMessage, most: number, mayKeep: (bytes: number) => boolean): Promise<Buffer | 'gone' | 'too-large' | 'no-room'> {
  const blocks: Buffer[] = []
  let pieces: Buffer[] = []
  let size = 0
  let count = 0
  let isKept = true
  try {
    for await (const chunk of piecesOf(req)) {
      size += chunk.length
      // Whoever is still writing reads no answer: it is heard out, within reason.
      if (size > HEARD_OUT * most || (++count > MOST_SMALL && size < count * SMALL)) return 'gone'
      isKept &&= size <= most && mayKeep(chunk.length)
      if (!isKept) pieces = []
      else if (pieces.push(chunk) >= TOGETHER) {
        blocks.push(Buffer.concat(pieces))
        pieces = []
      }
    }
  } catch {
    return 'gone'
  }
  if (size > most) return 'too-large'
  return isKept ? Buffer.concat([...blocks, ...pieces]) : 'no-room'
}
