/** `penny gateway run`: the model gateway's process, which the daemon starts. No person calls it, so that help does not tell of it. */
import { mkdirSync } from 'node:fs'
import { parseLine } from '../core/lines.ts'
import { createGatewayProcess, type ToGateway } from '../gateway/index.ts'
import { mostDescriptors } from '../system/descriptors.ts'
import { realSystem } from '../system/index.ts'
import { loadNative } from '../system/native.ts'
import { openPair } from '../system/pair.ts'
import { uidOfPeer } from '../system/peers.ts'
import { realServe } from '../system/serve.ts'
import { realUpstream } from '../system/upstream.ts'
import { EXIT, refuse, UP } from './exit.ts'

/** Where the daemon is heard; its other end is the daemon's alone. */
const DAEMON_FD = 3
const LEDGER = 'ledger'
/** Made by the daemon, which looks into it. */
const CHECKPOINTS = '../checkpoints'

/** In the working directory, which is this process's own. Resolves when the daemon is gone, or wants it to end. */
export async function runGateway(): Promise<number> {
  const native = await loadNative()
  native?.hide()
  const lines: string[] = []
  let hear = (line: string): void => void lines.push(line)
  let end = (): void => undefined
  const ended = new Promise<void>((resolve) => {
    end = resolve
  })
  const daemon = openPair(DAEMON_FD, { line: (text) => hear(text), ended: () => end() })
  if (!daemon) return refuse(EXIT.usage, 'penny gateway run: this is started by the daemon', 'it has its settings and keys from there', UP)
  // Whoever read the log may go away; the requests go on.
  for (const stream of [process.stdout, process.stderr]) stream.removeAllListeners('error').on('error', () => undefined)
  process.on('SIGTERM', () => end())
  // A terminal tells the daemon too, which ends this process when it is done.
  for (const signal of ['SIGINT', 'SIGHUP'] as const) process.on(signal, () => undefined)
  // Node's own answer to it is a debugger, which shows whoever asks all that there is in memory.
  process.on('SIGUSR1', () => undefined)
  const { clock, disk, log } = await realSystem('.', 'info', (line) => void process.stderr.write(line))
  for (const event of ['uncaughtException', 'unhandledRejection'] as const) {
    process.on(event, (cause: unknown) => {
      log('error', 'the gateway ends, an error nobody expected', { why: cause instanceof Error ? (cause.stack ?? cause.message) : String(cause) })
      process.exit(EXIT.bug)
    })
  }
  if (!native) log('warn', 'koffi is missing: the memory of the gateway is open to other programs of its user', {})
  mkdirSync(LEDGER, { recursive: true, mode: 0o700 })
  const gateway = createGatewayProcess({
    clock,
    disk,
    log,
    random: Math.random,
    upstream: realUpstream(),
    serve: realServe,
    uidOfPeer,
    selfUid: process.geteuid?.() ?? 0,
    mostFiles: mostDescriptors(),
    ledgerFolder: LEDGER,
    checkpointsFolder: CHECKPOINTS,
    tell: daemon.say,
    isDeaf: daemon.isFull,
  })
  hear = (text) => {
    const line = parseLine(text)
    if (line) gateway.hear(line as ToGateway)
    else log('warn', 'the daemon sent a line that is no JSON', { bytes: text.length })
  }
  for (const line of lines) hear(line)
  // Timers of ours keep no process alive.
  const alive = setInterval(() => undefined, 60_000)
  await ended
  log('info', 'the gateway ends', {})
  await gateway.stop()
  clearInterval(alive)
  return EXIT.ok
}
