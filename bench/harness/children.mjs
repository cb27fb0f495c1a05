/**
 * Every process that the bench starts goes through here, so that none outlives it: each is the head of its own process group, and the
 * groups still alive are killed when the bench ends, fails, or is interrupted.
 */
import { spawn } from 'node:child_process'
import { closeSync, openSync } from 'node:fs'

/** @typedef {import('node:child_process').ChildProcess} ChildProcess */
/** @typedef {{ readonly uid: number, readonly gid: number }} User */
/** @typedef {{ readonly code: number, readonly stdout: string, readonly stderr: string }} Ended */

/** @type {Set<ChildProcess>} */
const alive = new Set()

/** Signals a whole group; a group that is already gone is what was wanted.
 * @param {ChildProcess} child
 * @param {NodeJS.Signals} signal */
const signalGroup = (child, signal) => {
  try {
    if (child.pid !== undefined) process.kill(-child.pid, signal)
  } catch (error) {
    if (/** @type {NodeJS.ErrnoException} */ (error).code !== 'ESRCH') throw error
  }
}

/** Starts a process, as another user where one is named. Its standard error goes to `log`, if given.
 * @param {string} command
 * @param {readonly string[]} args
 * @param {{ readonly log?: string, readonly env?: NodeJS.ProcessEnv, readonly cwd?: string, readonly as?: User | undefined }} [options] */
export const start = (command, args, options = {}) => {
  const log = options.log === undefined ? undefined : openSync(options.log, 'a')
  const { as, cwd, env = process.env } = options
  const child = spawn(command, args, { ...as, detached: true, cwd, stdio: ['ignore', 'pipe', log ?? 'pipe'], env })
  if (log !== undefined) closeSync(log)
  alive.add(child)
  child.once('close', () => alive.delete(child))
  return child
}

/** Waits for the end of a process; a signal counts as exit code -1, a program that can't be started as an error.
 * @param {ChildProcess} child
 * @returns {Promise<Ended>} */
export const ended = (child) =>
  new Promise((resolve, reject) => {
    let stdout = ''
    let stderr = ''
    child.stdout?.setEncoding('utf8').on('data', (text) => (stdout += text))
    child.stderr?.setEncoding('utf8').on('data', (text) => (stderr += text))
    child.once('error', reject)
    child.once('close', (code) => resolve({ code: code ?? -1, stdout, stderr }))
  })

/** Runs a program that must succeed and returns what it printed.
 * @param {string} command
 * @param {readonly string[]} args
 * @param {User} [as] */
export const run = async (command, args, as) => {
  const { code, stdout, stderr } = await ended(start(command, args, { as }))
  if (code !== 0) throw new Error(`${command} ${args.slice(0, 4).join(' ')} … ended with ${code}: ${stderr.trim() || stdout.trim()}`)
  return stdout
}

/** Asks a process to end, waits, and kills its group after `patienceMs`.
 * @param {ChildProcess} child
 * @param {number} patienceMs
 * @returns {Promise<number>} milliseconds that it took */
export const stop = async (child, patienceMs = 10_000) => {
  const begun = performance.now()
  if (child.exitCode === null && child.signalCode === null) {
    const gone = new Promise((resolve) => child.once('exit', resolve))
    child.kill('SIGTERM')
    const timer = setTimeout(() => signalGroup(child, 'SIGKILL'), patienceMs)
    await gone
    clearTimeout(timer)
  }
  const took = performance.now() - begun
  signalGroup(child, 'SIGKILL')
  return took
}

export const killAll = () => {
  for (const child of alive) signalGroup(child, 'SIGKILL')
}
