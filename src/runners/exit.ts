/** How a run ends, for the daemon that started it (contract, page 3), and the sentence that says why. */

export const EXIT = {
  ok: 0,
  /** An attempt that failed. */
  failed: 1,
  usage: 64,
  /** sysexits(3), EX_TEMPFAIL: no attempt; the daemon tries again later, with growing pauses. */
  tryAgain: 75,
  badConfiguration: 78,
  /** As a shell says it. */
  noProgram: 127,
} as const

/** Ends the run with a sentence, which is the last line of its log, and the command that mends it. */
export class Failure extends Error {
  readonly status: number
  readonly sentence: string
  readonly fix: string | undefined

  constructor(status: number, sentence: string, fix?: string) {
    super(sentence)
    this.status = status
    this.sentence = sentence
    this.fix = fix
  }
}

/** Runs a runner to its end. A thrown mistake of ours keeps its stack in the log. */
export async function end(name: string, work: () => Promise<void>): Promise<void> {
  try {
    await work()
  } catch (cause) {
    if (!(cause instanceof Failure)) throw cause
    // The alert of a failed run repeats its last line.
    if (cause.fix !== undefined) process.stderr.write(`fix: ${cause.fix}\n`)
    process.stderr.write(`${name}: ${cause.sentence}\n`)
    process.exitCode = cause.status
  }
}
