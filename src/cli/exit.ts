/** How a command ends: sysexits(3) codes, and the one way to refuse. */

/** Never 2: hooks of coding agents read 2 as "block" (contract, page 4). */
export const EXIT = {
  ok: 0,
  /** A negative answer: "no mail", "alerts are open". */
  no: 1,
  usage: 64,
  badMessage: 65,
  noSuchThing: 66,
  noDaemon: 69,
  bug: 70,
  cannotWrite: 73,
  inputOutput: 74,
  tryAgain: 75,
  notPermitted: 77,
  badConfiguration: 78,
} as const

/** Thrown where a command cannot go on: what is wrong, why, and a command that mends it. */
export class Refusal extends Error {
  readonly exit: number
  readonly why: string
  readonly fix: string
  constructor(exit: number, what: string, why: string, fix: string) {
    super(what)
    this.exit = exit
    this.why = why
    this.fix = fix
  }
}

export function refuse(exit: number, what: string, why: string, fix: string): never {
  throw new Refusal(exit, what, why, fix)
}

/** Stands for the command as it was typed, called by root: written out where it is shown. */
export const AS_ROOT = 'sudo penny …'

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
  return new Refusal(exit, cause.message, why, fix)
}

/** The system's word for an error: `ENOENT`. */
export function codeOf(cause: unknown): string | undefined {
  return cause instanceof Error && 'code' in cause && typeof cause.code === 'string' ? cause.code : undefined
}

/** What the call returns, or undefined where it failed with one of these codes. */
export function unless<T>(codes: readonly string[], call: () => T): T | undefined {
  try {
    return call()
  } catch (cause) {
    if (codes.includes(codeOf(cause) ?? '')) return undefined
    throw cause
  }
}

/** Codes of a file or folder that is not there. */
export const GONE: readonly string[] = ['ENOENT', 'ENOTDIR']
/** The same, or it may not be looked at. */
export const UNSEEN: readonly string[] = [...GONE, 'EACCES', 'EPERM']
