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

/** Stands for the command as it was typed: written out where it is shown. */
export const AGAIN = 'penny …'

/** Starts the daemon; where the organisation is another user's, shown as that user would do it. */
export const UP = 'penny up --detach'

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
