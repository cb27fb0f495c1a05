/** A daemon that says what a test wants. */
import { mkdirSync } from 'node:fs'
import { createServer } from 'node:net'
import type { Test } from 'tap'

export type Request = Readonly<Record<string, unknown>>

/** Speaks the daemon's protocol: `answer` gives the lines for a request. */
export async function listen(t: Test, root: string, answer: (request: Request) => readonly object[] | 'hang up'): Promise<Request[]> {
  const asked: Request[] = []
  mkdirSync(`${root}/.penny/run`, { recursive: true })
  const server = createServer((socket) => {
    socket.on('error', () => undefined)
    socket.once('data', (data) => {
      const request = JSON.parse(data.toString()) as Request
      asked.push(request)
      const lines = answer(request)
      // Cut in the middle of a line, as a stream may be.
      const text = lines === 'hang up' ? '' : lines.map((line) => `${JSON.stringify(line)}\n`).join('')
      socket.write(text.slice(0, 7))
      setTimeout(() => socket.end(text.slice(7)), 5)
    })
  })
  // From within, so that the path is short however deep the test's folder lies.
  const here = process.cwd()
  process.chdir(`${root}/.penny/run`)
  await new Promise<void>((resolve) => void server.listen('daemon.sock', resolve))
  process.chdir(here)
  t.teardown(() => void server.close())
  return asked
}
