#!/usr/bin/env -S UV_THREADPOOL_SIZE=16 node --disallow-code-generation-from-strings
/**
 * The command line's face: the process itself.
 *
 * Given: argv, the environment, the working directory, the standard streams.
 * Returns: an exit status of sysexits.h, never 2; data on standard output, talk on standard error.
 * When it fails: `main` has said what, why and a command that mends it; a mistake of ours is status 70.
 * The first line starts it with a second net: no code is made from strings, whatever a message says.
 */
import type { Surroundings } from './command.ts'
import { AGAIN, EXIT } from './exit.ts'
import { main } from './main.ts'
import { fixOf } from './print.ts'

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
  stdin: process.stdin,
  stdinIsTerminal: process.stdin.isTTY,
  stdoutIsTerminal: process.stdout.isTTY,
  out: (text) => void process.stdout.write(text),
  err: (text) => void process.stderr.write(text),
}
const status = await main(process.argv.slice(2), surroundings)
// A pipe takes what was written later; only then may the process end, and then nothing left open keeps it.
process.stderr.write('', () => process.stdout.write('', () => process.exit(status)))
