/** Talks to a running daemon: one JSON line there, lines back, the last with `end: true`. */
import { closeSync, constants, openSync } from 'node:fs'
import { createConnection, type Socket } from 'node:net'
import { basename, dirname } from 'node:path'
import { createInterface } from 'node:readline'
import type { Refusal as RefusalLine, Replies, Request } from '../core/control.ts'
import type { MessageId } from '../core/ids.ts'
import { layoutOf } from '../mailbox/index.ts'
import { fixOfBar } from './bar.ts'
import type { Call } from './command.ts'
import { codeOf, EXIT, Refusal, refuse, UP } from './exit.ts'
import { fixOf, tell } from './print.ts'

export type Daemon = Readonly<{
  /** Resolves with the last line; refuses as the daemon does. `each` gets the lines before; `until` ends the connection. */
  ask: <V extends Request['verb']>(request: Request & { verb: V }, each?: (line: unknown) => void, until?: AbortSignal) => Promise<Replies[V]>
}>

/** sun_path of unix(7) is 108 bytes with its final zero. */
const LONGEST_SOCKET_PATH = 107
/** A daemon that says nothing for so long is wedged. Milliseconds; requests that wait for something have no bound. */
const SILENCE_MS = 15_000
/** Of the messages that may be meant. */
const MOST_LISTED = 10
/** The last: it closed its socket while somebody stood in line there. */
const NO_DAEMON: readonly string[] = ['ENOENT', 'ENOTDIR', 'ECONNREFUSED', 'ECONNRESET']

/** undefined: no daemon runs here. Refuses (77) where one may, and this user may not speak to it. */
export async function findDaemon(root: string): Promise<Daemon | undefined> {
  try {
    const socket = await connect(layoutOf(root).daemonSocket)
    socket.destroy()
  } catch (cause) {
    const code = codeOf(cause)
    if (NO_DAEMON.includes(code ?? '')) return undefined
    if (code === 'EACCES' || code === 'EPERM')
      refuse(EXIT.notPermitted, 'you may not speak to the daemon', 'its socket belongs to root and the operators group', fixOfBar(layoutOf(root).daemonSocket))
    throw cause
  }
  return { ask: ((request: Request, each?: (line: unknown) => void, until?: AbortSignal) => ask(root, request, each, until)) as Daemon['ask'] }
}

/** As `findDaemon`, but without one exits 69. */
export async function needDaemon(root: string): Promise<Daemon> {
  return (await findDaemon(root)) ?? refuse(EXIT.noDaemon, 'the daemon is not running', `nobody answers at ${layoutOf(root).daemonSocket}`, UP)
}

/** As `findDaemon`, but 'not ours' where one may run and this user may not speak to it. */
export async function findOwnDaemon(root: string): Promise<Daemon | 'not ours' | undefined> {
  try {
    return await findDaemon(root)
  } catch (cause) {
    if (cause instanceof Refusal && cause.exit === EXIT.notPermitted) return 'not ours'
    throw cause
  }
}

/** Refuses (64) what may mean several messages. */
export function refuseSeveral(typed: string, ids: readonly string[], again: (id: string) => string): never {
  return refuse(EXIT.usage, `${typed} may be any of ${ids.length} messages`, ids.slice(0, MOST_LISTED).join(' '), again(ids[0] ?? typed))
}

/** The full id that the daemon knows by this ending or ref. */
export async function askForId(daemon: Daemon, typed: string, again: (id: string) => string): Promise<MessageId> {
  const { ids } = await daemon.ask({ verb: 'find', id: typed })
  const [id] = ids
  if (id === undefined) refuse(EXIT.noSuchThing, `there is no message ${typed}`, `no id ends so and no ref is ${JSON.stringify(typed)}`, 'penny tasks')
  if (ids.length > 1) refuseSeveral(typed, ids, again)
  return id
}

/** What the daemon answers in so long (milliseconds); 'late' where it takes longer, and the question is withdrawn. */
export async function askWithin<T>(ms: number, ask: (until: AbortSignal) => Promise<T>): Promise<T | 'late'> {
  const enough = new AbortController()
  const bound = setTimeout(() => enough.abort(), ms)
  try {
    return await ask(enough.signal)
  } catch (cause) {
    if (enough.signal.aborted) return 'late'
    throw cause
  } finally {
    clearTimeout(bound)
  }
}

/** All the lines of an answer. */
export async function linesOf<T>(daemon: Daemon, request: Request): Promise<T[]> {
  const lines: T[] = []
  await daemon.ask(request, (line) => void lines.push(line as T))
  return lines
}

/** What the daemon adds to what lies in files; undefined where it does not answer, which is told. */
export async function askOrTell<T>(call: Call, ask: () => Promise<T>, instead: string): Promise<T | undefined> {
  try {
    return await ask()
  } catch (cause) {
    if (!(cause instanceof Refusal) || (cause.exit !== EXIT.tryAgain && cause.exit !== EXIT.noDaemon)) throw cause
    tell(call, `${cause.message}: ${instead}   fix: ${fixOf(call.surroundings, cause.fix)}`)
    return undefined
  }
}

function connect(path: string): Promise<Socket> {
  if (Buffer.byteLength(path) <= LONGEST_SOCKET_PATH) return open(path)
  // Through the folder's descriptor the path is short, however deep the root lies.
  return new Promise((resolve, reject) => {
    const folder = openSync(dirname(path), constants.O_RDONLY | constants.O_DIRECTORY)
    open(`/proc/self/fd/${folder}/${basename(path)}`)
      .then(resolve, reject)
      .finally(() => closeSync(folder))
  })
}

function open(path: string): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const socket = createConnection(path)
    socket.once('error', reject)
    socket.once('connect', () => {
      socket.removeListener('error', reject)
      resolve(socket)
    })
  })
}

function waits(request: Request): boolean {
  return (
    request.verb === 'wait' ||
    request.verb === 'stop' ||
    request.verb === 'release' ||
    (request.verb === 'journal' && request.follow) ||
    (request.verb === 'next' && request.wait)
  )
}

async function ask(root: string, request: Request, each?: (line: unknown) => void, until?: AbortSignal): Promise<object> {
  const socket = await connect(layoutOf(root).daemonSocket).catch((cause: unknown) => {
    if (NO_DAEMON.includes(codeOf(cause) ?? '')) return wentAway(cause)
    throw cause
  })
  let broken: unknown
  until?.addEventListener('abort', () => socket.destroy(), { once: true })
  socket.on('error', (cause) => {
    broken = cause
  })
  if (!waits(request))
    socket.setTimeout(SILENCE_MS, () =>
      socket.destroy(new Refusal(EXIT.tryAgain, 'the daemon does not answer', `nothing came for ${SILENCE_MS / 1000} s`, 'penny doctor')),
    )
  socket.write(`${JSON.stringify(request)}\n`)
  try {
    const lines = createInterface({ input: socket, crlfDelay: Number.POSITIVE_INFINITY })
    // A socket that is destroyed never ends, and Node 20's readline waits for that end alone.
    socket.once('close', () => lines.close())
    for await (const text of lines) {
      const line = JSON.parse(text) as object
      if (!('end' in line && line.end === true)) {
        each?.(line)
        continue
      }
      const last = line as RefusalLine | Readonly<{ ok: true }>
      if (last.ok) return last
      throw new Refusal(last.exit, last.error, last.why ?? '', last.fix)
    }
  } finally {
    socket.destroy()
  }
  if (broken instanceof Refusal) throw broken
  // Whoever asked it to stop, or listened until it did, sees the connection end.
  return wentAway(broken)
}

function wentAway(cause: unknown): never {
  return refuse(EXIT.noDaemon, 'the daemon went away before it answered', cause instanceof Error ? cause.message : 'the connection ended', 'penny status')
}
