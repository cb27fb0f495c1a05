/** The built `penny` from outside: started, asked for its status, looked at through /proc, stopped. */
import { readdirSync, readFileSync } from 'node:fs'
import { ended, start, stop } from './children.mjs'
import { nowNs, pause } from './numbers.mjs'

/** @typedef {{ readonly pid: number, readonly startedNs: number, readonly child: import('node:child_process').ChildProcess, readonly root: string }} Daemon */
/** @typedef {import('./children.mjs').User} User */

/** Runs one command of penny against a root.
 * @param {string} penny
 * @param {string} root
 * @param {readonly string[]} args
 * @param {User} [as] */
export const penny = (penny, root, args, as) => ended(start(penny, [...args, '--root', root], { as }))

/** Starts the daemon and returns at once.
 * @param {string} penny
 * @param {string} root
 * @param {User} [as]
 * @returns {Daemon} */
export const startDaemon = (penny, root, as) => {
  const startedNs = nowNs()
  const child = start(penny, ['up', '--root', root], { log: `${root}.log`, as })
  child.stdout?.resume()
  if (child.pid === undefined) throw new Error(`${penny} could not be started`)
  return { pid: child.pid, startedNs, child, root }
}

/** Starts the daemon and waits until `penny status` says that mail is admitted (exit 0).
 * @param {string} program
 * @param {string} root
 * @param {number} patienceMs
 * @param {User} [as] */
export const startReady = async (program, root, patienceMs = 60_000, as = undefined) => {
  const daemon = startDaemon(program, root, as)
  const end = performance.now() + patienceMs
  for (;;) {
    const status = await penny(program, root, ['status'], as)
    if (status.code === 0) return daemon
    if (daemon.child.exitCode !== null) throw new Error(`penny up ended with ${daemon.child.exitCode}; see ${root}.log`)
    if (performance.now() > end) throw new Error(`penny up is not ready after ${patienceMs} ms: ${status.stderr || status.stdout}`)
    await pause(100)
  }
}

/** @param {Daemon} daemon */
export const stopDaemon = (daemon) => stop(daemon.child)

/** Waits until a number of the accounting line of `penny status --json` (contract page 3: the same words are its keys) has reached
 * `count`; returns the CLOCK_MONOTONIC nanoseconds after the answer that said so.
 * @param {string} program
 * @param {Daemon} daemon
 * @param {string} key
 * @param {number} count
 * @param {number} patienceMs */
export const waitForCount = async (program, daemon, key, count, patienceMs) => {
  const end = performance.now() + patienceMs
  for (;;) {
    const { stdout, stderr } = await penny(program, daemon.root, ['status', '--json'])
    const report = stdout.split('\n').find((line) => line.includes('"accounting"'))
    const known = report === undefined ? 0 : Number(JSON.parse(report).accounting[key])
    if (known >= count) return nowNs()
    if (daemon.child.exitCode !== null) throw new Error(`the daemon ended with ${daemon.child.exitCode}; see ${daemon.root}.log`)
    if (performance.now() > end) {
      throw new Error(`after ${patienceMs / 1000} s \`penny status --json\` says ${key}: ${known}, not ${count}${stderr && `; ${stderr.trim()}`}`)
    }
    await pause(100)
  }
}

/** The daemon and the processes that it started, by /proc.
 * @param {number} pid
 * @returns {readonly number[]} */
const family = (pid) => {
  /** @type {Map<number, number>} */
  const parents = new Map()
  for (const name of readdirSync('/proc').filter((entry) => /^\d+$/.test(entry))) {
    const fields = statFields(Number(name))
    if (fields !== undefined) parents.set(Number(name), Number(fields[1]))
  }
  /** @param {number} one @returns {number[]} */
  const withChildren = (one) => [one, ...[...parents].filter(([, parent]) => parent === one).flatMap(([child]) => withChildren(child))]
  return withChildren(pid)
}

/** Fields of /proc/PID/stat after the command's name, which may hold anything; undefined for a process that is gone.
 * @param {number} pid */
const statFields = (pid) => {
  try {
    return readFileSync(`/proc/${pid}/stat`, 'latin1').split(') ').pop()?.split(' ')
  } catch (error) {
    if (['ENOENT', 'ESRCH'].includes(/** @type {NodeJS.ErrnoException} */ (error).code ?? '')) return undefined
    throw error
  }
}

/** VmRSS of the daemon and of what it started, in bytes.
 * @param {Daemon} daemon */
export const residentBytes = (daemon) =>
  family(daemon.pid)
    .map((pid) => readFileSync(`/proc/${pid}/status`, 'utf8').match(/^VmRSS:\s+(\d+) kB$/m)?.[1] ?? '0')
    .reduce((sum, kilobytes) => sum + Number(kilobytes) * 1024, 0)

/** CPU time (user and system) used so far by the daemon and what it started, ended children included, in ms. The unit of /proc is
 * 1/100 s on every Linux that Node runs on.
 * @param {Daemon} daemon */
export const cpuMs = (daemon) =>
  family(daemon.pid)
    .map((pid) => (statFields(pid) ?? []).slice(11, 15).reduce((sum, ticks) => sum + Number(ticks), 0))
    .reduce((sum, ticks) => sum + ticks * 10, 0)

/** Waits until the daemon has nothing left to do (mirrors, cleaning up): a second in which it uses no more CPU than its sweep needs.
 * @param {Daemon} daemon
 * @param {number} mostMs of CPU in that second; 3 % of a core is more than the sweep of thirty agents' folders
 * @param {number} patienceMs
 * @returns {Promise<boolean>} whether it came to rest */
export const quiet = async (daemon, mostMs = 30, patienceMs = 120_000) => {
  const end = performance.now() + patienceMs
  while (performance.now() < end) {
    const before = cpuMs(daemon)
    await pause(1000)
    if (cpuMs(daemon) - before <= mostMs) return true
  }
  return false
}
