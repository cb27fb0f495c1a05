/** The body of a request, whole: it may have to be sent more than once. */
import type { IncomingMessage } from '../system/http.ts'

const HEARD_OUT = 2

export async function readBody(req: IncomingMessage, most: number): Promise<Buffer | 'gone' | 'too-large'> {
  const chunks: Buffer[] = []
  let size = 0
  try {
    for await (const chunk of req as AsyncIterable<Buffer>) {
      size += chunk.length
      // Whoever is still writing reads no answer: it is heard out, within reason.
      if (size > HEARD_OUT * most) return 'gone'
      if (size > most) chunks.length = 0
      else chunks.push(chunk)
    }
  } catch {
    return 'gone'
  }
  return size > most ? 'too-large' : Buffer.concat(chunks)
}
