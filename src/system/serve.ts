/** Ways in for HTTP: a unix socket, or a port of the loopback. Each is a server of its own, so that one can be closed without the others. */
import { chmodSync, lstatSync, unlinkSync } from 'node:fs'
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import { relative } from 'node:path'
import { type Bounds, createCrowd } from './crowd.ts'

export type Address = Readonly<{ path: string }> | Readonly<{ host: string; port: number }>

export type Serving = Readonly<{
  address: Address
  /** Asked each time: they may change. */
  bounds: () => Bounds
  /** For whoever has to say whose it is before its first words are over; undefined: as long as any client needs. Milliseconds. */
  headersMs?: number
  /** `isOf`: this connection has shown whose it is. False: it may not have another. */
  answer: (req: IncomingMessage, res: ServerResponse, isOf: (whom: string) => boolean) => void
}>

export type Served = Readonly<{
  /** False: somebody took the socket away, and nobody finds it any more. */
  isThere: () => boolean
  /** `kindly`: what is being answered still is. */
  close: (how: 'kindly' | 'now') => Promise<void>
}>

/** Rejects where the address cannot be had, with `code` as bind(2) has it. A socket that lies there is one of before, and goes. */
export type Serve = (serving: Serving) => Promise<Served>

/** Milliseconds. */
type Patience = Readonly<{
  /** Whoever has said nothing whole for so long says nothing. */
  headersMs: number
  /** A request, its body too, has to be here by then; how long it is answered has no bound. */
  requestMs: number
  restMs: number
  lookMs: number
}>

/** Headers of clients are a few KB. */
const MOST_HEADER_BYTES = 64 * 1024
const PATIENCE: Patience = { headersMs: 20_000, requestMs: 300_000, restMs: 75_000, lookMs: 5_000 }
/** sun_path of unix(7), with its zero. */
const MOST_PATH_BYTES = 107

export const realServe: Serve = (serving) => serveFor(serving, { ...PATIENCE, headersMs: serving.headersMs ?? PATIENCE.headersMs })

export async function serveFor({ address, bounds, answer }: Serving, { headersMs, requestMs, restMs, lookMs }: Patience): Promise<Served> {
  const crowd = createCrowd(bounds)
  const server = createServer(
    {
      maxHeaderSize: MOST_HEADER_BYTES,
      headersTimeout: headersMs,
      requestTimeout: requestMs,
      keepAliveTimeout: restMs,
      connectionsCheckingInterval: lookMs,
    },
    oneAtATime((req, res) => answer(req, res, (whom) => crowd.isOf(req.socket, whom))),
  )
  server.on('connection', crowd.came)
  if (!('path' in address)) {
    await listen(server, address)
    return { isThere: () => true, close: (how) => close(server, how) }
  }
  const path = nearest(address.path)
  if (lstatSync(path, { throwIfNoEntry: false })?.isSocket()) unlinkSync(path)
  await listen(server, { path })
  // The folder hands its group on: that of whom it is for.
  chmodSync(path, 0o660)
  const made = inodeOf(path)
  return { isThere: () => inodeOf(path) === made, close: (how) => close(server, how) }
}

/**
 * A connection has one request at a time: or else it would not bound how many are held, for there is room for thousands of small ones in what
 * is read at once. Clients of the API wait for each answer.
 */
function oneAtATime(answer: (req: IncomingMessage, res: ServerResponse) => void): (req: IncomingMessage, res: ServerResponse) => void {
  const busy = new WeakSet<IncomingMessage['socket']>()
  return (req, res) => {
    const { socket } = req
    if (busy.has(socket)) return void socket.destroy()
    busy.add(socket)
    res.once('close', () => busy.delete(socket))
    answer(req, res)
  }
}

/** As it is written, or from here: whichever fits. */
function nearest(path: string): string {
  const near = relative(process.cwd(), path)
  const found = near.length < path.length ? near : path
  if (Buffer.byteLength(found) > MOST_PATH_BYTES)
    throw Object.assign(new Error(`ENAMETOOLONG: the path of a socket has at most ${MOST_PATH_BYTES} bytes: ${path}`), { code: 'ENAMETOOLONG' })
  return found
}

function inodeOf(path: string): number | undefined {
  return lstatSync(path, { throwIfNoEntry: false })?.ino
}

function listen(server: Server, at: Readonly<{ path: string }> | Readonly<{ host: string; port: number }>): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject)
    server.listen(at, () => {
      server.off('error', reject)
      resolve()
    })
  })
}

function close(server: Server, how: 'kindly' | 'now'): Promise<void> {
  return new Promise((resolve) => {
    server.close(() => resolve())
    if (how === 'now') server.closeAllConnections()
  })
}
