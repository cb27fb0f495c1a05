/**
 * The outside world as parameters.
 *
 * Given: where the root is (to prove what its file system can do) and where log lines go.
 * Returns: a `System`: clock, disk, watch, ids, log, spawner - the real ones. Tests make their own from `types.ts`:
 * a clock turned by hand, a disk that dies at operation n.
 * When it fails: every call throws Node's SystemError with its `code`; nothing here decides what that means for a message.
 * The rest of the program does not import node:fs, node:child_process, timers or the environment, with the exception of
 * the rooms that start processes (`daemon/`, `cli/`).
 */
import { readFileSync, unlinkSync } from 'node:fs'
import { realClock } from './clock.ts'
import { realDisk } from './disk.ts'
import { makeIds } from './ids.ts'
import { chooseLease } from './lease.ts'
import { makeLog } from './log.ts'
import { loadNative } from './native.ts'
import { realSpawner } from './spawner.ts'
import type { LogLevel, System } from './types.ts'
import { realWatch } from './watch.ts'

export { type CronFields, parseCron } from './cron.ts'
export { join } from './disk.ts'
export { readKept } from './durable.ts'
export { makeIds } from './ids.ts'
export { writeState, writeStateNow } from './statefile.ts'
export { listTree } from './tree.ts'
export type * from './types.ts'
export { type TreeWatch, watchTree } from './watchtree.ts'

/** The system a daemon runs on; `probeFolder` is a private folder on the root's file system. */
export async function realSystem(probeFolder: string, logLevel: LogLevel, writeLog: (line: string) => void): Promise<System> {
  const native = await loadNative()
  const probe = `${probeFolder}/.lease-probe`
  const lease = chooseLease(native, probe)
  if (native) unlinkSync(probe)
  return {
    clock: realClock,
    disk: realDisk(native, lease),
    watch: realWatch(native),
    ids: makeIds(realClock),
    log: makeLog(realClock, logLevel, writeLog),
    spawner: realSpawner,
    self: { uid: process.geteuid?.() ?? 0, gid: process.getegid?.() ?? 0 },
    bootId: readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim(),
    exit: native?.exit ?? ((status) => process.exit(status)),
  }
}
