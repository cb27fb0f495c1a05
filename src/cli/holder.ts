/**
 * Work in folders where a holder may put a link in the place of anything, at any moment. Two walls: the folder is pinned, so that
 * what is done in it is done in it; and root has no more rights there than the holder has.
 */
import { closeSync, constants, fstatSync, openSync } from 'node:fs'
import { shellWord } from '../core/text.ts'
import { codeOf, EXIT, refuse } from './exit.ts'

const { O_DIRECTORY, O_NOFOLLOW, O_NONBLOCK, O_RDONLY } = constants
/** open(2); Node has no name for it. A folder that may be entered but not listed can be pinned, too. */
const O_PATH = 0o10000000
const STICKY = 0o1000

/**
 * Calls `work`, which must be done when it returns, with a path that leads into this folder and no other. Refuses (73) what is no
 * folder. `name`: what people call it, where `folder` is a path in another that is pinned.
 */
export function within<T>(folder: string, work: (at: string) => T, name = folder): T {
  const fd = pin(folder, name)
  const pinned = `/proc/self/fd/${fd}`
  try {
    const { uid, gid, mode } = fstatSync(fd)
    // In a drop folder that anybody writes, the sender is who wrote it.
    if (process.geteuid?.() === 0 && uid !== 0 && (mode & STICKY) === 0) return asHolder(uid, gid, () => work(folder))
    // Who acts for another may not look into /proc/self (proc(5), PR_SET_DUMPABLE), and needs no pin: rights are the wall.
    return work(isActing() ? folder : pinned)
  } catch (cause) {
    throw named(cause, pinned, name)
  } finally {
    closeSync(fd)
  }
}

/** A descriptor of a plain file; undefined: it is something else, such as a link or a pipe. Throws ENOENT as open(2) does. */
export function openPlain(path: string): number | undefined {
  let fd: number
  try {
    fd = openSync(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK)
  } catch (cause) {
    if (['ELOOP', 'ENXIO'].includes(codeOf(cause) ?? '')) return undefined
    throw cause
  }
  if (fstatSync(fd).isFile()) return fd
  closeSync(fd)
  return undefined
}

/** The descriptor says nothing to whoever reads of it, and is closed by then. */
function named(cause: unknown, pinned: string, name: string): unknown {
  if (!(cause instanceof Error)) return cause
  const told: Error & { path?: string; dest?: string } = cause
  const inName = (text: string): string => text.replaceAll(new RegExp(`${pinned}(?!\\d)`, 'g'), () => name)
  told.message = inName(told.message)
  if (told.path !== undefined) told.path = inName(told.path)
  if (told.dest !== undefined) told.dest = inName(told.dest)
  return told
}

function pin(folder: string, name: string): number {
  try {
    return openSync(folder, O_PATH | O_DIRECTORY | O_NOFOLLOW)
  } catch (cause) {
    if (!['ELOOP', 'ENOTDIR'].includes(codeOf(cause) ?? '')) throw cause
    return refuse(EXIT.cannotWrite, `${name} is no folder`, 'its holder put something else in its place', `ls -ld ${shellWord(name)}`)
  }
}

function isActing(): boolean {
  return process.geteuid?.() !== process.getuid?.()
}

function asHolder<T>(uid: number, gid: number, work: () => T): T {
  const groups = process.getgroups?.() ?? []
  const ownGid = process.getegid?.() ?? 0
  process.setgroups?.([gid])
  process.setegid?.(gid)
  process.seteuid?.(uid)
  try {
    return work()
  } finally {
    process.seteuid?.(0)
    process.setegid?.(ownGid)
    process.setgroups?.(groups)
  }
}
