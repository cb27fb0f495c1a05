import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { run } from './children.mjs'

/** @typedef {'recipe' | 'watch' | 'drop' | 'spawn' | 'smtp'} Program */
/** @typedef {Readonly<Record<Program, string>>} Programs paths of the compiled programs */

/** Compiles bench/c with `cc`. They are in C so that the measuring isn't measured: a thread of Node would share the cores with the
 * daemon and add its own pauses to every time that is taken.
 * @param {string} sources
 * @param {string} into
 * @returns {Promise<Programs>} */
export const compile = async (sources, into) => {
  mkdirSync(into)
  /** @param {Program} name */
  const one = async (name) => {
    const output = join(into, name)
    await run('cc', ['-std=gnu11', '-O2', '-Wall', '-Wextra', '-pthread', '-o', output, join(sources, `${name}.c`)])
    return output
  }
  return { recipe: await one('recipe'), watch: await one('watch'), drop: await one('drop'), spawn: await one('spawn'), smtp: await one('smtp') }
}
