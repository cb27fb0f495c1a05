/** Programs started as an agent: own process group, own uid, nothing inherited but what the plan names. */
import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process'
import { closeSync, fstatSync, constants as open, openSync, readdirSync, readFileSync, readSync } from 'node:fs'
import { constants } from 'node:os'
import type { Readable, Writable } from 'node:stream'
import { expendable } from './cgroup.ts'
import type { Spawned, Spawner, SpawnPlan } from './types.ts'

export const realSpawner: Spawner = { spawn: start, alive, killGroup: (pid, signal) => send(-pid, signal), kill: send, withEnvironment }

/** How long a process that left the group may hold the output open after the program has ended. Milliseconds. */
const LINGER_MS = 300
/** Read of one process's environment: a process may claim that it has gigabytes (prctl PR_SET_MM_MAP). */
const ENVIRONMENT_BYTES = 64 * 1024

/** Node hands its own to every child whose environment does not name it (child_process.js, copyProcessEnvToEnv). */
export const NOT_HANDED_ON = { NODE_V8_COVERAGE: undefined }

function start(plan: SpawnPlan): Promise<Spawned> {
  const asWhom = plan.as ? asUser(plan.as, plan.argv) : plan.argv
  const [program = '', ...args] = expendable(plan.group, asWhom)
  const child = startChild(program, args, plan)
  const [, , , status, ...given] = child.stdio
  status?.on('data', (chunk: Buffer) => plan.jail?.status(chunk))
  plan.jail?.given.forEach((bytes, i) => {
    const to = given[i] as Writable
    // A jail that could not be made has read none of it.
    to.on('error', () => undefined)
    to.end(bytes)
  })
  child.stdout.on('data', (chunk: Buffer) => plan.output('stdout', chunk))
  child.stderr.on('data', (chunk: Buffer) => plan.output('stderr', chunk))
  // A program that does not read its input closes the pipe: that is its right.
  child.stdin.on('error', () => undefined)
  child.stdin.end(plan.stdin)
  child.on('exit', () => {
    // A run is over when its program is: what stays behind in its group would hold the output open for ever.
    if (child.pid !== undefined) send(-child.pid, 'SIGKILL')
    const linger = setTimeout(() => {
      child.stdout.destroy()
      child.stderr.destroy()
    }, LINGER_MS)
    child.on('close', () => clearTimeout(linger))
  })
  return new Promise((resolve, reject) => {
    const ended = new Promise<{ code: number | null; signal: string | null }>((done) => child.on('close', (code, signal) => done({ code, signal })))
    child.once('error', reject)
    child.once('spawn', () => {
      const pid = child.pid ?? 0
      resolve({ pid, startTime: alive(pid) ?? '', ended, kill: (signal) => (plan.jail && signal === 'SIGTERM' ? endInside(pid) : send(-pid, signal)) })
    })
  })
}

/** Typed with the three streams that are always there. */
function startChild(
  program: string,
  args: readonly string[],
  { cwd, env, jail }: SpawnPlan,
): ChildProcessWithoutNullStreams & { stdio: (Readable | Writable)[] } {
  const more = jail ? ['pipe' as const, ...jail.given.map(() => 'pipe' as const)] : []
  const child: unknown = spawn(program, args, { cwd, env: { ...env, ...NOT_HANDED_ON }, detached: true, stdio: ['pipe', 'pipe', 'pipe', ...more] })
  return child as ReturnType<typeof startChild>
}

/** Everything below a process, as far as it is not gone meanwhile (proc(5), task/TID/children). */
function below(pid: number): number[] {
  try {
    const children = readdirSync(`/proc/${pid}/task`).flatMap((thread) => readFileSync(`/proc/${pid}/task/${thread}/children`, 'latin1').split(' '))
    return children.filter((word) => word !== '').flatMap((word) => [Number(word), ...below(Number(word))])
  } catch (cause) {
    if (['ENOENT', 'ESRCH'].includes((cause as NodeJS.ErrnoException).code ?? '')) return []
    throw cause
  }
}

function endInside(pid: number): void {
  const inside = below(pid)
  // Not made yet: nothing in there wants to be told.
  if (inside.length === 0) send(-pid, 'SIGKILL')
  for (const one of inside) send(one, 'SIGTERM')
}

/** The words that start a program with these ids and no way to get others back (setpriv(1)). */
export function asUser(as: NonNullable<SpawnPlan['as']>, argv: readonly string[]): string[] {
  const groups = as.groups.length > 0 ? `--groups=${as.groups.join(',')}` : '--clear-groups'
  return ['setpriv', `--reuid=${as.uid}`, `--regid=${as.gid}`, groups, '--no-new-privs', '--', ...argv]
}

/** Fields of proc_pid_stat(5): the name in brackets may hold anything, so counting starts after the last bracket. */
function alive(pid: number): string | undefined {
  try {
    const fields = readFileSync(`/proc/${pid}/stat`, 'latin1')
      .replace(/^.*\) /s, '')
      .split(' ')
    const [state] = fields
    return state === 'Z' || state === 'X' ? undefined : fields[19]
  } catch (cause) {
    if (['ENOENT', 'ESRCH'].includes((cause as NodeJS.ErrnoException).code ?? '')) return undefined
    throw cause
  }
}

/** `SIGKILL` for 9; undefined: there is no such signal. */
export function signalName(number: number): string | undefined {
  return Object.entries(constants.signals).find(([, one]) => one === number)?.[0]
}

/** A negative number is a process group, as kill(2) has it. */
function send(pid: number, signal: 'SIGTERM' | 'SIGKILL'): void {
  try {
    process.kill(pid, signal)
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code !== 'ESRCH') throw cause
  }
}

function withEnvironment(entry: string, uid: number | undefined): number[] {
  const room = Buffer.allocUnsafe(ENVIRONMENT_BYTES)
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map(Number)
    .filter((pid) => {
      try {
        return environmentOf(pid, uid, room).split('\0').includes(entry)
      } catch {
        // Gone, another user's, or made to fail by a process that says itself where its environment lies: one such hides nobody but itself.
        return false
      }
    })
}

/** Empty for a process of somebody else. */
function environmentOf(pid: number, uid: number | undefined, room: Buffer): string {
  const fd = openSync(`/proc/${pid}/environ`, open.O_RDONLY)
  try {
    // A process that forbids to be dumped shows root as its owner.
    const owner = fstatSync(fd).uid
    if (uid !== undefined && owner !== uid && owner !== 0) return ''
    return room.toString('latin1', 0, readSync(fd, room, 0, room.length, 0))
  } finally {
    closeSync(fd)
  }
}
