/**
 * A lock between commands that edit policies/, by proper-lockfile. It judges by time, so it guards convenience (two people at one file),
 * never mail: the daemon has a lock that the kernel holds (daemon/lock.ts). Only for `.penny/`, which nobody else writes.
 */
import { lstatSync, mkdirSync, readdirSync, rmdirSync, utimesSync } from 'node:fs'

export type Held = Readonly<{
  /** Gives it back; a lock that is ours no more is left alone. */
  release: () => Promise<void>
}>

/** A holder renews it each third of this; one that was killed blocks others no longer. Milliseconds. */
const STALE_MS = 9_000
const LOOK_EACH_MS = 100

/** Which folder is ours, should it be taken for stale and made anew by somebody else. */
type Own = Readonly<{ ino: number; birthtimeMs: number }>

/**
 * The lock folder `path` itself need not exist, the folder it is in must. Waits up to `waitMs` for another holder; undefined: it
 * has it still. Rejects with the system's error where the folder cannot be written, EEXIST where something else lies there.
 */
export async function takeLock(path: string, waitMs: number): Promise<Held | undefined> {
  mendLock(path)
  const own = takeFree(path)
  if (own) return { release: async () => giveBack(path, own) }
  const { lock } = await import('proper-lockfile')
  let sound = true
  const options = {
    // It is told where the lock lies, so what it is named after need not exist, and no link is followed.
    lockfilePath: path,
    realpath: false,
    stale: STALE_MS,
    update: STALE_MS / 3,
    retries: { retries: Math.ceil(waitMs / LOOK_EACH_MS), minTimeout: LOOK_EACH_MS, maxTimeout: LOOK_EACH_MS, factor: 1 },
    // By default it throws in a timer, which ends the process.
    onCompromised: () => {
      sound = false
    },
  }
  try {
    const release = await lock(path, options)
    return {
      release: async () => {
        if (sound) await release()
      },
    }
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === 'ELOCKED') return undefined
    throw cause
  }
}

/**
 * Free, it is taken as the library takes it, by making the folder; only who has to wait loads the library. What is taken so is not
 * renewed: an edit is one turn of the event loop, in which no timer comes round, and takes less than STALE_MS.
 */
function takeFree(path: string): Own | undefined {
  try {
    mkdirSync(path)
    return lstatSync(path)
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code !== 'EEXIST') throw cause
    return undefined
  }
}

function giveBack(path: string, own: Own): void {
  const there = lstatSync(path, { throwIfNoEntry: false })
  if (there?.ino === own.ino && there.birthtimeMs === own.birthtimeMs) rmdirSync(path)
}

/**
 * A lock of the future (the clock was put back since) would block for ever, because its age stays negative: it is given the age of one
 * that was left. A living holder renews it within a third of STALE_MS, before it could be taken for stale. What holds files is no lock.
 */
function mendLock(path: string): void {
  const stat = lstatSync(path, { throwIfNoEntry: false })
  if (!stat) return
  if (!stat.isDirectory() || readdirSync(path).length > 0)
    throw Object.assign(new Error(`EEXIST: ${path} lies where a lock belongs; remove it`), { code: 'EEXIST' })
  if (stat.mtimeMs > Date.now() + STALE_MS) utimesSync(path, new Date(), new Date())
}
