/** What a supervisor wants to hear of a service of Type=notify: sd_notify(3), sd_watchdog_enabled(3). */
import { spawn } from 'node:child_process'
import { loadNative } from './native.ts'
import type { Clock } from './types.ts'

/** `watchdogMs`: ended unless it is heard of within this; undefined: it may be silent. */
export type Supervision = Readonly<{ socket: string; watchdogMs: number | undefined }>

/** Lines as NAME=value. They go out in order, and what could not be said is told once. */
export type Tell = (...lines: readonly string[]) => void

type Send = (lines: readonly string[]) => Promise<'sent' | 'busy'>

/** A supervisor that is starting much else may be slow to listen. */
const AGAIN_MS = 200

/** Whom to tell, taken out of the environment: a program started from here that spoke in the daemon's name would be believed. */
export function takeSupervision(environment: NodeJS.ProcessEnv, pid: number): Supervision | undefined {
  const { NOTIFY_SOCKET: socket, WATCHDOG_USEC: microseconds, WATCHDOG_PID: meant } = environment
  for (const name of ['NOTIFY_SOCKET', 'WATCHDOG_USEC', 'WATCHDOG_PID']) delete environment[name]
  if (socket === undefined || socket === '') return undefined
  const isMeant = meant === undefined || meant === String(pid)
  const watchdogMs = isMeant && microseconds !== undefined ? Number.parseInt(microseconds, 10) / 1000 : Number.NaN
  return { socket, watchdogMs: watchdogMs > 0 ? watchdogMs : undefined }
}

export async function tellSupervisor({ socket }: Supervision, clock: Pick<Clock, 'after'>, failed: (why: string, fix: string) => void): Promise<Tell> {
  const native = await loadNative()
  const send: Send = native ? (lines) => Promise.resolve(native.sendDatagram(socket, Buffer.from(lines.join('\n')))) : (lines) => throughProgram(socket, lines)
  if (!native) failed('koffi cannot be loaded, so systemd-notify speaks for the daemon: the unit must say NotifyAccess=all', 'npm ci')
  let hasFailed = false
  let said = Promise.resolve()

  async function say(lines: readonly string[]): Promise<void> {
    try {
      while ((await send(lines)) === 'busy') await new Promise<void>((resolve) => void clock.after(AGAIN_MS, resolve))
      hasFailed = false
    } catch (cause) {
      if (!hasFailed) failed(`the supervisor cannot be told ${lines[0]}: ${String(cause)}`, 'systemctl status')
      hasFailed = true
    }
  }

  return (...lines) => {
    said = said.then(() => say(lines))
  }
}

/** systemd-notify(1): believed only where the unit lets every process of the service speak. */
function throughProgram(socket: string, lines: readonly string[]): Promise<'sent'> {
  return new Promise((resolve, reject) => {
    const child = spawn('systemd-notify', lines, { stdio: 'ignore', env: { PATH: process.env['PATH'], NOTIFY_SOCKET: socket } })
    child.once('error', reject)
    child.once('exit', (code, signal) => (code === 0 ? resolve('sent') : reject(new Error(`systemd-notify: ${signal ?? `exit ${code}`}`))))
  })
}
