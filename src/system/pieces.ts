/**
 * The body of a message of HTTP as it comes, for `for await`. As the stream's own iterator, but what is there is had without a turn of the
 * event loop, its end too: whoever passes it on sends the last bytes and the end in one piece.
 */
import type { Readable } from 'node:stream'

/** `complete`, of node:http: its parser has seen the end. */
type Message = Readable & Readonly<{ complete?: boolean }>

export function piecesOf(message: Message): AsyncIterable<Buffer> {
  return { [Symbol.asyncIterator]: () => iterate(message) }
}

function iterate(message: Message): AsyncIterator<Buffer, undefined> {
  let failed: Error | undefined
  let wake = (): void => undefined
  const look = (): void => wake()
  message.on('readable', look)
  message.on('end', look)
  message.on('close', look)
  message.on('error', (cause) => {
    failed ??= cause
    look()
  })

  function take(): IteratorResult<Buffer, undefined> | undefined {
    const value = message.destroyed ? null : (message.read() as Buffer | null)
    if (value !== null) return { done: false, value }
    if (message.readableEnded || (message.complete && message.readableLength === 0)) return { done: true, value: undefined }
    if (failed) throw failed
    if (message.destroyed) throw Object.assign(new Error('the connection was closed before the end'), { code: 'ECONNRESET' })
    return undefined
  }

  return {
    next: async () => {
      for (;;) {
        const taken = take()
        if (taken) return taken
        await new Promise<void>((resolve) => {
          wake = resolve
        })
      }
    },
    return: () => {
      message.destroy()
      return Promise.resolve({ done: true, value: undefined })
    },
  }
}
