/** One daemon a root: an abstract socket, which the kernel releases with the process; never judged by time. */
import { createHash, randomBytes } from 'node:crypto'
import { closeSync, fsyncSync, linkSync, openSync, readFileSync, unlinkSync, writeFileSync } from 'node:fs'
import { connect, createServer, type Server } from 'node:net'

const SECRET = /^[0-9a-f]{48}$/

/**
 * What names the lock: whoever cannot read it can neither take the lock nor ask for it. Made by the first start; the file has its name
 * once it is whole and on the medium, and of two first starts one finds the other's. undefined: there is a file that holds none, whose
 * lock anybody could name; that it is replaced is for a person to say, who knows that no daemon runs on it.
 */
export function secretOf(own: string): string | undefined {
  const path = `${own}/lock`
  const known = read(path)
  if (known === undefined) make(path)
  const secret = known ?? read(path) ?? ''
  return SECRET.test(secret) ? secret : undefined
}

function read(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8')
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === 'ENOENT') return undefined
    throw cause
  }
}

function make(path: string): void {
  const fresh = `${path}.${process.pid}-${randomBytes(6).toString('hex')}`
  const fd = openSync(fresh, 'wx', 0o600)
  try {
    writeFileSync(fd, randomBytes(24).toString('hex'))
    fsyncSync(fd)
    linkSync(fresh, path)
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code !== 'EEXIST') throw cause
  } finally {
    closeSync(fd)
    unlinkSync(fresh)
  }
}

export type LockRoot = typeof lockRoot

/** The lock, or the pid that holds it. The name is a digest of a secret, so that nobody else can take it beforehand. */
export function lockRoot(secret: string): Promise<{ release: () => void } | { heldBy: number }> {
  const name = `\0pennypost-${createHash('sha256').update(secret).digest('hex').slice(0, 40)}`
  return new Promise((resolve, reject) => {
    const server: Server = createServer((socket) => {
      socket.on('error', () => undefined)
      socket.end(String(process.pid))
    })
    server.once('error', (cause: NodeJS.ErrnoException) => {
      if (cause.code === 'EADDRINUSE') askHolder(name).then((heldBy) => resolve({ heldBy }), reject)
      else reject(cause)
    })
    server.listen(name, () => {
      server.unref()
      resolve({ release: () => server.close() })
    })
  })
}

function askHolder(name: string): Promise<number> {
  return new Promise((resolve) => {
    let said = ''
    const socket = connect(name)
    socket.setTimeout(1_000, () => socket.destroy())
    socket.on('data', (chunk) => {
      said += String(chunk)
    })
    // A holder that cannot answer is still a holder.
    socket.on('error', () => undefined)
    socket.on('close', () => resolve(Number(said) || 0))
  })
}
