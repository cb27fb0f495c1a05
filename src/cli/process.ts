/** The whole program: every command but the one hook that has nothing to say. */
import { Readable } from 'node:stream'
import type { Surroundings } from './command.ts'
import { AGAIN, EXIT } from './exit.ts'
import { main } from './main.ts'
import { fixOf } from './print.ts'

/** `input`: what was read of standard input before, to its end. */
export async function run(input: Buffer | undefined): Promise<void> {
  for (const stream of [process.stdout, process.stderr]) {
    stream.on('error', (cause: NodeJS.ErrnoException) => {
      // `penny tasks | head`: whoever read has read enough.
      if (cause.code === 'EPIPE') process.exit(0)
      throw cause
    })
  }

  // A wait that nothing can end any more would end the process with 13 and not a word.
  process.once('beforeExit', () => {
    process.stderr.write(
      'penny: this is a mistake in penny itself: the command waits for something that cannot come any more; please report it with the command\n' +
        `   fix: ${fixOf(surroundings, 'penny doctor')}; ${fixOf(surroundings, AGAIN)}\n`,
    )
    process.exit(EXIT.bug)
  })
  const surroundings: Surroundings = {
    env: process.env,
    cwd: process.cwd(),
    typed: process.argv.slice(1),
    uid: process.geteuid?.() ?? 0,
    stdin: input === undefined ? process.stdin : Readable.from([input]),
    stdinIsTerminal: process.stdin.isTTY,
    stdoutIsTerminal: process.stdout.isTTY,
    out: (text) => void process.stdout.write(text),
    err: (text) => void process.stderr.write(text),
  }
  const status = await main(process.argv.slice(2), surroundings)
  // A pipe takes what was written later; only then may the process end, and then nothing left open keeps it.
  process.stderr.write('', () => process.stdout.write('', () => process.exit(status)))
}
