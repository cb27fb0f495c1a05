/** One daemon a root: an abstract socket, which the kernel releases with the process; never judged by time. */
import { createHash } from 'node:crypto'
import { connect, createServer, type Server } from 'node:net'

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
