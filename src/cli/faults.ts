/** What the surroundings refuse, as a refusal of ours. */
import { accessSync, constants } from 'node:fs'
import { dirname } from 'node:path'
import { fixOfBar } from './bar.ts'
import { AS_ROOT, codeOf, EXIT, Refusal } from './exit.ts'

const BY_CODE: Readonly<Record<string, readonly [exit: number, why: string, fix: string]>> = {
  EACCES: [EXIT.notPermitted, 'you may not do that as this user', AS_ROOT],
  EPERM: [EXIT.notPermitted, 'you may not do that as this user', AS_ROOT],
  ENOSPC: [EXIT.cannotWrite, 'the disk is full', 'df -h; df -i'],
  EDQUOT: [EXIT.cannotWrite, 'the disk quota is used up', 'quota'],
  EROFS: [EXIT.cannotWrite, 'the file system is read-only', 'mount | grep ro,'],
  EIO: [EXIT.inputOutput, 'the disk answers with an error', 'dmesg | tail'],
  EMFILE: [EXIT.tryAgain, 'too many files are open', 'ulimit -n 4096'],
  ENFILE: [EXIT.tryAgain, 'too many files are open on this machine', 'sysctl fs.file-max'],
}

/** A fault of the surroundings as a refusal; undefined: it is none, so it is our mistake. */
export function refusalOf(cause: unknown): Refusal | undefined {
  if (cause instanceof Refusal) return cause
  const code = codeOf(cause)
  const known = code === undefined ? undefined : BY_CODE[code]
  if (!known || !(cause instanceof Error)) return undefined
  const [exit, why, fix] = known
  const path = fix === AS_ROOT ? barredAt(cause) : undefined
  return new Refusal(exit, cause.message, why, path === undefined ? fix : fixOfBar(path))
}

/** Of a rename, which needs both folders, the one that this user may not write to. */
function barredAt({ path, dest }: Error & { path?: unknown; dest?: unknown }): string | undefined {
  if (typeof path !== 'string') return undefined
  if (typeof dest !== 'string') return path
  return mayChange(dirname(path)) ? dirname(dest) : dirname(path)
}

function mayChange(folder: string): boolean {
  try {
    accessSync(folder, constants.W_OK | constants.X_OK)
    return true
  } catch {
    return false
  }
}
