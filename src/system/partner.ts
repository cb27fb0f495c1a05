/** A process of our own beside this one, with a pair of sockets between the two: lines there and back on descriptor 3, and nobody else has it. */
import { spawn } from 'node:child_process'
import type { Duplex } from 'node:stream'
import { takeLines } from './pair.ts'
import { asUser, NOT_HANDED_ON } from './spawner.ts'
import type { SpawnPlan } from './types.ts'

export type PartnerPlan = Readonly<{
  argv: readonly string[]
  cwd: string
  env: Readonly<Record<string, string>>
  /** undefined: as this process. */
  as: SpawnPlan['as']
  heard: (line: string) => void
}>

export type Partner = Readonly<{
  pid: number
  /** What is said to one that has ended is lost: whoever starts the next tells it everything. */
  say: (line: string) => void
  ended: Promise<Readonly<{ code: number | null; signal: string | null }>>
  /** Closes the sockets, which it takes as the order to end, and says so by a signal as well. */
  close: () => void
  kill: () => void
}>

export type StartPartner = (plan: PartnerPlan) => Promise<Partner>

/** One line of it; whoever says more is no partner any more. */
const LONGEST_LINE = 8 * 1024 ** 2

export const startPartner: StartPartner = ({ argv, cwd, env, as, heard }) => {
  const [program = '', ...args] = as ? asUser(as, argv) : argv
  // A group of its own: what a terminal sends to this one, as Ctrl-C, is this one's to hand on. Its log is ours.
  const child = spawn(program, args, { cwd, env: { ...env, ...NOT_HANDED_ON }, detached: true, stdio: ['ignore', 2, 2, 'pipe'] })
  const link = child.stdio[3] as Duplex
  link.on('error', () => undefined)
  link.setEncoding('utf8')
  link.on(
    'data',
    takeLines(heard, LONGEST_LINE, () => child.kill('SIGKILL')),
  )
  return new Promise((resolve, reject) => {
    const ended = new Promise<{ code: number | null; signal: string | null }>((done) => child.once('exit', (code, signal) => done({ code, signal })))
    child.once('error', reject)
    child.once('spawn', () =>
      resolve({
        pid: child.pid ?? 0,
        say: (line) => void (link.writable && link.write(`${line}\n`)),
        ended,
        close: () => {
          link.end()
          child.kill('SIGTERM')
        },
        kill: () => void child.kill('SIGKILL'),
      }),
    )
  })
}
