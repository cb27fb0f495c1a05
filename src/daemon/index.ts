/**
 * The daemon: builds the rooms, wires them, keeps the clockwork going.
 *
 * Given: a root, a log level, whether to be strict about owners and modes.
 * Returns: the process's exit status: 0 after SIGTERM, SIGINT, a closed terminal or `penny down`; 66 where the root is no organisation,
 * 69 … as sysexits.h; 75 where another daemon holds the root, 78 where the configuration, the layout or the file system
 * will not do. Each refusal is one sentence and a command on standard error.
 * When it fails: an error nobody expected ends it with status 70 and the stack in the log; a supervisor starts it again and
 * recovery makes the mail right.
 */
import { isatty } from 'node:tty'
import { setFlagsFromString } from 'node:v8'
import { shellWord } from '../core/text.ts'
import { layoutOf } from '../mailbox/index.ts'
import { closeInherited } from '../system/inherited.ts'
import { packageVersion } from '../system/package.ts'
import { takeSupervision } from '../system/supervisor.ts'
import type { LogLevel } from '../system/types.ts'
import { serveControl } from './control.ts'
import { type Daemon, startDaemon } from './daemon.ts'
import { prepare } from './start.ts'
import { serveSupervisor } from './supervised.ts'

/** By these `penny doctor` judges, and `penny jail` starts programs, as the daemon does. */
export { readKeyFile } from './gateway-keys.ts'
export { standingJail } from './jails.ts'
export { type LockRoot, lockRoot } from './lock.ts'
export { readConfig } from './machine.ts'
export { checkPathTo, type PathProblem } from './pathcheck.ts'

export type DaemonOptions = Readonly<{ root: string; logLevel: LogLevel; strict: boolean }>

/** Once it need not wait for runs, a second signal, or this much time, ends it at once: nothing is lost, recovery does the rest. Milliseconds. */
const LONGEST_STOP_MS = 1_800

/**
 * The heap may grow by 30 % of what lives in it before it is collected, instead of V8's up to 300 %: after 20,000 messages in a
 * row 175 MB instead of 255, and 100 instead of 255 a while later, for no time that could be measured (Node 20.20).
 */
const HEAP_GROWTH = '--heap-growing-percent=30'

export async function runDaemon(options: DaemonOptions): Promise<number> {
  // First of all: who is told to look again while nobody listens is ended by it, and no supervisor takes that for a failure.
  const isOnTerminal = isatty(0)
  let isAsked = false
  let hangUp = (): void => {
    isAsked = true
  }
  // A terminal that closes may end what has not begun.
  if (!isOnTerminal) process.on('SIGHUP', () => hangUp())
  setFlagsFromString(HEAP_GROWTH)
  closeInherited()
  const supervision = takeSupervision(process.env, process.pid)
  const layout = layoutOf(options.root)
  const started = await prepare(layout, options.logLevel, options.strict)
  if ('exit' in started) {
    process.stderr.write(`penny: ${started.why}\nfix: ${started.fix}\n`)
    return started.exit
  }
  const { system, release, ...prepared } = started
  const supervisor = await serveSupervisor(supervision, system)
  // Whoever read the log may go away, as `penny up | head` does; the mail goes on.
  for (const stream of [process.stdout, process.stderr]) stream.removeAllListeners('error').on('error', () => undefined)
  return new Promise((resolve) => {
    let stopping = false
    let signalled = false
    const stop = (drainMs: number): void => {
      if (drainMs === 0) setTimeout(() => system.exit(0), LONGEST_STOP_MS).unref()
      const stopped = running.then(({ daemon }) => daemon.stop(drainMs))
      const failed = (cause: unknown): void => crash('it did not stop in order', cause)
      if (stopping) return void stopped.catch(failed)
      stopping = true
      system.log('info', 'stopping', { drain_ms: drainMs })
      supervisor.stopping(drainMs)
      Promise.all([running, stopped])
        .then(([{ control }]) => {
          control.close()
          release()
          clearInterval(alive)
          resolve(0)
        })
        .catch(failed)
    }
    const signal = (): void => {
      if (signalled) system.exit(0)
      signalled = true
      stop(0)
    }
    // The shell says so and then the kernel: that is one closing, no second signal.
    const closed = (): void => {
      if (!signalled) signal()
    }
    const reread = (): void => {
      system.log('info', 'SIGHUP: looking at policies/', {})
      void running.then(({ daemon }) => supervisor.reloading(daemon.reread))
    }
    const crash = (what: string, cause: unknown): void => {
      const why = cause instanceof Error ? cause.message : String(cause)
      process.stderr.write(`penny: the daemon ends, ${what}: ${why}\nfix: penny doctor --root ${shellWord(options.root)}\n`)
      system.log('error', what, { why: cause instanceof Error ? (cause.stack ?? cause.message) : String(cause) })
      process.exit(70)
    }
    process.on('uncaughtException', (cause) => crash('an error nobody expected', cause))
    process.on('unhandledRejection', (cause) => crash('an error nobody expected', cause))
    process.on('SIGTERM', signal)
    process.on('SIGINT', signal)
    // A terminal that closes ends what runs in it; elsewhere a daemon is told so that its configuration changed.
    if (isOnTerminal) process.on('SIGHUP', closed)
    hangUp = reread
    const version = packageVersion()
    const { PATH = '/usr/local/bin:/usr/bin:/bin', LANG = 'C.UTF-8', TZ } = process.env
    const start = async (): Promise<{ daemon: Daemon; control: { close: () => void } }> => {
      const daemon = startDaemon({
        system,
        ...prepared,
        layout,
        version,
        environment: { PATH, LANG, ...(TZ === undefined ? {} : { TZ }) },
        gatewayCommand: [process.execPath, ...process.execArgv, process.argv[1] ?? '', 'gateway', 'run'],
        stop,
        failed: (cause) => crash('it did not start', cause),
      })
      const control = await serveControl(layout.daemonSocket, daemon.verbs, (what, why) => system.log('error', what, { why }))
      if (daemon.socketOwner) system.disk.chown(layout.daemonSocket, daemon.socketOwner)
      system.disk.chmod(layout.daemonSocket, 0o660)
      void daemon.ready.then(() => supervisor.ready(prepared.config.org.name))
      return { daemon, control }
    }
    const running = start()
    running.catch((cause: unknown) => crash('it did not start', cause))
    if (isAsked) reread()
    // The timers of the daemon do not keep it alive; this does.
    const alive = setInterval(() => undefined, 3_600_000)
  })
}
