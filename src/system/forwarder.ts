/**
 * A program of its own, in a jail: leads programs that speak TCP to the model gateway's socket. Bytes as they are, both ways, with
 * half-closes and resets. Words: the port, the socket, for how many seconds a gateway may be away. Whoever starts it reads its output:
 * that ends as soon as somebody listens, or nobody ever will.
 */
import { closeSync, openSync } from 'node:fs'
import { createServer, connect as dial, type Socket } from 'node:net'

const AGAIN_MS = 100

const [port, socket = '', patience] = process.argv.slice(2)
const ignore = (): void => undefined

// It ends with the jail: who is told to end in there may need it for its last words.
for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP'] as const) process.on(signal, ignore)

createServer({ allowHalfOpen: true, noDelay: true }, (client) => {
  // Whatever it is, 'close' follows.
  client.on('error', ignore)
  lead(client, performance.now() + Number(patience) * 1_000)
})
  .on('error', ({ message }) => {
    process.stderr.write(`penny: nothing leads from TCP to the model gateway in this run (${message}); its socket, ${socket}, does\n`)
    process.exit(1)
  })
  .listen(Number(port), '127.0.0.1', () => {
    closeSync(1)
    // Or the next connection had its number.
    openSync('/dev/null', 'w')
  })

/** Nothing is read of a client before there is somebody to hand it to. */
function lead(client: Socket, untilMs: number): void {
  const gateway = dial({ path: socket, allowHalfOpen: true })
  const again = (): void => {
    if (performance.now() >= untilMs) client.resetAndDestroy()
    else setTimeout(() => lead(client, untilMs), AGAIN_MS)
  }
  gateway.once('error', again).once('connect', () => {
    gateway.off('error', again).on('error', ignore)
    client.once('close', (failed) => failed && gateway.destroy())
    gateway.once('close', (failed) => failed && !client.destroyed && client.resetAndDestroy())
    client.pipe(gateway).pipe(client)
  })
}
