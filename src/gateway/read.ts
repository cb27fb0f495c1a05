/** The body of a request, whole: it may have to be sent more than once. */
import type { IncomingMessage } from '../system/http.ts'

export async function readBody(req: IncomingMessage, most: number): Promise<Buffer | 'gone' | 'too-large'> {
  const chunks: Buffer[] = []
  let size = 0
  try {
    for await (const chunk of req as AsyncIterable<Buffer>) {
      size += chunk.length
      if (size > most) return 'too-large'
      chunks.push(chunk)
    }
  } catch {
    return 'gone'
  }
  return Buffer.concat(chunks)
}
