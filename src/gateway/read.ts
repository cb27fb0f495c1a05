/** The body of a request, whole: it may have to be sent more than once. */
import type { IncomingMessage } from '../system/http.ts'

const HEARD_OUT = 2

/** `mayKeep` is asked for each piece: false, there is no room in memory for more. */
export async function readBody(req: IncomingMessage, most: number, mayKeep: (bytes: number) => boolean): Promise<Buffer | 'gone' | 'too-large' | 'no-room'> {
  const chunks: Buffer[] = []
  let size = 0
  let isKept = true
  try {
    for await (const chunk of req as AsyncIterable<Buffer>) {
      size += chunk.length
      // Whoever is still writing reads no answer: it is heard out, within reason.
      if (size > HEARD_OUT * most) return 'gone'
      isKept &&= size <= most && mayKeep(chunk.length)
      if (isKept) chunks.push(chunk)
      else chunks.length = 0
    }
  } catch {
    return 'gone'
  }
  if (size > most) return 'too-large'
  return isKept ? Buffer.concat(chunks) : 'no-room'
}
