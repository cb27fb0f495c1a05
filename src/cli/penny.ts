#!/usr/bin/env -S UV_THREADPOOL_SIZE=16 node --disallow-code-generation-from-strings
/**
 * The command line's face: the process itself.
 *
 * Given: argv, the environment, the working directory, the standard streams.
 * Returns: an exit status of sysexits.h, never 2; data on standard output, talk on standard error.
 * When it fails: `main` has said what, why and a command that mends it; a mistake of ours is status 70.
 * The first line starts it with a second net: no code is made from strings, whatever a message says.
 */
import { lookAfterTool } from './posttool.ts'

const quick = lookAfterTool(process.argv.slice(2), process.env)
if (!quick.isDone) await (await import('./process.ts')).run(quick.input)
