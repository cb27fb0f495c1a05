/** Answers commands over `.penny/run/daemon.sock`: one JSON line in, lines out, the last with `end: true`. */
import { closeSync, constants, openSync } from 'node:fs'
import { createServer, type Server, type Socket } from 'node:net'
import { basename, dirname } from 'node:path'
import { createInterface } from 'node:readline'
import type { Replies, Request } from '../core/control.ts'

/** Why a command cannot be done: exit status (sysexits), a sentence, a command that mends it, and the reason where the sentence does not say it. */
export class Refused extends Error {
  readonly exit: number
  readonly fix: string
  readonly why: string | undefined
  constructor(exit: number, what: string, fix: string, why?: string) {
    super(what)
    this.exit = exit
    this.fix = fix
    this.why = why
  }
}

/** Resolves once the client has taken enough of what was said before; undefined: it can take more at once. */
export type Say = (line: object) => Promise<void> | undefined
export type Verbs = {
  readonly [V in Request['verb']]: (request: Extract<Request, { verb: V }>, say: Say, gone: AbortSignal) => Promise<Replies[V]> | Replies[V]
}

/** sun_path of unix(7) is 108 bytes with its final zero. */
const LONGEST_SOCKET_PATH = 107
/** Requests are small; a client that sends more is not one of ours. */
const LONGEST_REQUEST = 64 * 1024

/** Listens; the path must be free (a socket left by a crash is removed by who holds the lock). */
export function serveControl(path: string, verbs: Verbs, log: (what: string, why: string) => void): Promise<{ close: () => void }> {
  const sockets = new Set<Socket>()
  const server: Server = createServer((socket) => {
    sockets.add(socket)
    const gone = new AbortController()
    socket.on('error', () => undefined)
    socket.on('close', () => {
      sockets.delete(socket)
      gone.abort()
    })
    let bytes = 0
    socket.on('data', (chunk: Buffer) => {
      bytes += chunk.length
      if (bytes > LONGEST_REQUEST) socket.destroy()
    })
    const lines = createInterface({ input: socket })
    // A client that goes away is told by the socket's end; readline repeats its error.
    lines.on('error', () => undefined)
    lines.once('line', (line) => void answer(line, socket, gone.signal))
  })

  async function answer(line: string, socket: Socket, gone: AbortSignal): Promise<void> {
    const say: Say = (value) => (socket.destroyed || socket.write(`${JSON.stringify(value)}\n`) ? undefined : drained(socket, gone))
    try {
      const request = JSON.parse(line) as Request
      const verb = verbs[request.verb] as ((request: Request, say: Say, gone: AbortSignal) => Promise<object> | object) | undefined
      if (!verb || !Object.hasOwn(verbs, request.verb))
        throw new Refused(64, 'the daemon does not know this request; it may be older than this command', 'penny down && penny up --detach')
      void say({ ...(await verb(request, say, gone)), end: true, ok: true })
    } catch (cause) {
      const known = cause instanceof Refused || cause instanceof SyntaxError
      if (!known) log('a request failed', cause instanceof Error ? (cause.stack ?? cause.message) : String(cause))
      const { exit, fix, why } = cause instanceof Refused ? cause : { exit: known ? 64 : 70, fix: 'penny doctor', why: undefined }
      void say({ end: true, ok: false, exit, error: cause instanceof Error ? cause.message : String(cause), ...(why === undefined ? {} : { why }), fix })
    }
    socket.end()
  }

  // Through the folder's descriptor the path is short, however deep the root lies.
  const folder = Buffer.byteLength(path) > LONGEST_SOCKET_PATH ? openSync(dirname(path), constants.O_RDONLY | constants.O_DIRECTORY) : undefined
  return new Promise((resolve, reject) => {
    server.once('error', reject)
    server.listen(folder === undefined ? path : `/proc/self/fd/${folder}/${basename(path)}`, () => {
      resolve({
        close: () => {
          server.close()
          for (const socket of sockets) socket.destroy()
          if (folder !== undefined) closeSync(folder)
        },
      })
    })
  })
}

function drained(socket: Socket, gone: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const done = (): void => {
      socket.removeListener('drain', done)
      gone.removeEventListener('abort', done)
      resolve()
    }
    socket.once('drain', done)
    gone.addEventListener('abort', done, { once: true })
    if (gone.aborted) done()
  })
}
