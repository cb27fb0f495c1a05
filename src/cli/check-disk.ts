/** What doctor tries of the file system below the root: renames, links, durability, leases, locks, time, room. */
import { randomBytes } from 'node:crypto'
import { closeSync, existsSync, fsyncSync, linkSync, openSync, renameSync, rmSync, statfsSync, statSync, unlinkSync, writeSync } from 'node:fs'
import { shellWord } from '../core/text.ts'
import { formatSize } from '../core/units.ts'
import type { LockRoot } from '../daemon/index.ts'
import type { Layout } from '../mailbox/index.ts'
import { leasesWork, loadNative } from '../system/native.ts'
import { type Finding, note, ok, reasonOf, skipped, wrong } from './check.ts'
import { codeOf, UP } from './exit.ts'

/** As Postfix does: refuse early rather than fail in the middle. */
const LEAST_BYTES = 64 * 1024 * 1024
const LEAST_INODES = 2_000
/** A file's time and the clock's may differ by a tick of the file system. */
const CLOCK_TOLERANCE_MS = 2_000

/** A file is really written, linked and renamed: staging → workspaces/ → spool/ → staging. */
export function checkRenames(layout: Layout): Finding[] {
  if (!existsSync(layout.staging)) return [note('file system', 'the daemon has never been started here, so its folders are not there', UP)]
  // Such a name is left alone by the daemon: it is being written.
  const name = `.doctor-${randomBytes(6).toString('hex')}.tmp`
  const path = `${layout.staging}/${name}`
  const places = [`${layout.workspaces}/${name}`, `${layout.spool}/${name}`, path]
  let at = path
  const before = Date.now()
  try {
    const fd = openSync(path, 'wx', 0o600)
    try {
      writeSync(fd, 'doctor')
      fsyncSync(fd)
    } finally {
      closeSync(fd)
    }
    const clock = checkFileTime(statSync(path).mtimeMs, before)
    linkSync(path, `${path}.link`)
    unlinkSync(`${path}.link`)
    for (const place of places) {
      renameSync(at, place)
      at = place
    }
    return [ok('file system', 'a file was written, synced, linked, and renamed between .penny/, workspaces/ and spool/'), clock]
  } catch (cause) {
    const code = codeOf(cause)
    if (code === 'EACCES' || code === 'EPERM') return [skipped('file system', `this user may not try it: ${reasonOf(cause)}`)]
    if (code === 'ENOSPC' || code === 'EDQUOT')
      return [
        wrong(
          'file system',
          `it could not be tried, as it is ${code === 'EDQUOT' ? 'over quota' : 'full'}: ${reasonOf(cause)}`,
          `df -h ${shellWord(layout.root)}; df -i ${shellWord(layout.root)}`,
        ),
      ]
    const fix = code === 'EXDEV' ? `df ${shellWord(layout.spool)} ${shellWord(layout.workspaces)} ${shellWord(layout.own)}` : `df -T ${shellWord(layout.root)}`
    return [
      wrong(
        'file system',
        code === 'EXDEV' ? 'spool/, workspaces/ and .penny/ are not on one file system' : `it does not hold what mail needs: ${reasonOf(cause)}`,
        fix,
      ),
    ]
  } finally {
    rmSync(at, { force: true })
    rmSync(`${path}.link`, { force: true })
  }
}

function checkFileTime(mtimeMs: number, beforeMs: number): Finding {
  const apart = Math.max(beforeMs - mtimeMs, mtimeMs - Date.now())
  if (apart > CLOCK_TOLERANCE_MS)
    return wrong('clocks', `the file system's clock is ${Math.round(apart / 1000)} s away from this machine's`, 'chronyc tracking')
  return new Date().getUTCFullYear() < 2024
    ? wrong('clocks', `the clock says ${new Date().toISOString()}`, 'sudo chronyc makestep')
    : ok('clocks', `file times agree with the clock, ${new Date().toISOString()}`)
}

export function checkRoom(layout: Layout): Finding {
  const { bavail, bsize, ffree, files } = statfsSync(layout.root)
  const bytes = bavail * bsize
  if (bytes < LEAST_BYTES) return wrong('room', `${formatSize(bytes)} are free`, `du -xh ${shellWord(layout.root)} | sort -h | tail`)
  if (files > 0 && ffree < LEAST_INODES) return wrong('room', `${ffree} inodes are free`, `df -i ${shellWord(layout.root)}`)
  return ok('room', `${formatSize(bytes)} are free`)
}

/** Which way there is to tell that nobody is writing a file any more; proved on a file. */
export async function checkCompleteness(layout: Layout): Promise<Finding> {
  if (!existsSync(layout.staging)) return skipped('completeness', 'not tried: the daemon has never been started here', UP)
  const native = await loadNative()
  if (!native) return note('completeness', 'koffi cannot be loaded: writers are found by looking through /proc, which is slower', 'npm install koffi')
  const probe = `${layout.staging}/.doctor-lease.tmp`
  try {
    return leasesWork(native, probe)
      ? ok('completeness', 'read leases tell when a file is whole')
      : note('completeness', 'this file system gives no read leases: writers are found by looking through /proc')
  } catch (cause) {
    return skipped('completeness', `this user may not try it: ${reasonOf(cause)}`)
  } finally {
    rmSync(probe, { force: true })
  }
}

/** The daemon's own lock, twice under one name. `lockRoot`: given by the caller, as the daemon is loaded only for this. */
export async function checkLock(lockRoot: LockRoot): Promise<Finding> {
  const secret = randomBytes(24).toString('hex')
  const first = await lockRoot(secret).catch((cause: unknown) => cause)
  if (!isHeld(first))
    return wrong(
      'lock',
      `no abstract socket can be made: ${codeOf(first) ?? reasonOf(first)}`,
      'uname -a   # it takes Linux, and no sandbox that forbids unix sockets',
    )
  try {
    const second = await lockRoot(secret)
    if ('heldBy' in second) return ok('lock', 'the kernel gives a socket to one holder only')
    second.release()
    return wrong('lock', 'a second holder was not refused (it got the same socket)', 'uname -a')
  } finally {
    first.release()
  }
}

function isHeld(lock: unknown): lock is { release: () => void } {
  return typeof lock === 'object' && lock !== null && 'release' in lock
}
