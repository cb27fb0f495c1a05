/** Whether there is such a program: one judge for runs and for whoever asks before. */
import { closeSync, constants, openSync, readSync, type Stats, statSync } from 'node:fs'
import { basename, resolve } from 'node:path'
import { showSafely } from '../core/text.ts'

const UNSEEN = ['ENOENT', 'ENOTDIR', 'EACCES', 'EPERM', 'ELOOP', 'ENAMETOOLONG']

/** So much of a script the kernel reads for the name of its interpreter (BINPRM_BUF_SIZE). */
const FIRST_LINE_BYTES = 256

/** What is wrong with a program, given as a path or as a word to be looked for in PATH from `cwd` (execvp(3)); undefined: it can be started. */
export function faultOfProgram(program: string, searchPath: string, cwd: string): string | undefined {
  if (!program.includes('/')) {
    const path = findInPath(program, searchPath, cwd)
    return path === undefined ? `there is no program ${program} in PATH` : faultOfInterpreter(program, path, searchPath, cwd)
  }
  const path = resolve(cwd, program)
  const found = look(path)
  if (isProgram(found)) return faultOfInterpreter(program, path, searchPath, cwd)
  if (!found) return `there is no program ${program}`
  if (found.isDirectory()) return `${program} is a folder`
  return found.isFile() ? `${program} is not executable: chmod +x ${program}` : `${program} is no program`
}

/** Its path; undefined: there is none. */
export function findInPath(word: string, searchPath: string, cwd: string): string | undefined {
  return searchPath
    .split(':')
    .map((folder) => resolve(cwd, folder, word))
    .find((path) => isProgram(look(path)))
}

/** A script at `path` is started by the program its first line names; the error of execve(2) speaks of the script where that is missing. */
export function faultOfInterpreter(program: string, path: string, searchPath: string, cwd: string): string | undefined {
  const [, line] = /^#![ \t]*([^\n]*)\n/.exec(beginningOf(path)) ?? []
  // A line that is longer, or no text, is left to the kernel.
  if (line === undefined || line.includes('\ufffd')) return undefined
  if (line.endsWith('\r')) return `the first line of ${program} ends in a carriage return, as Windows writes it: sed -i 's/\\r$//' ${program}`
  const [interpreter = '', word = ''] = line.split(/[ \t]+/)
  if (!isProgram(look(resolve(cwd, interpreter)))) return `${program} is a script, and its interpreter ${showSafely(interpreter)} is missing`
  // What env(1) is to do with options or variables before the word is its own affair.
  const isFound = basename(interpreter) !== 'env' || !/^[\w.+][\w.+-]*$/.test(word) || findInPath(word, searchPath, cwd) !== undefined
  return isFound ? undefined : `${program} is a script, and its interpreter ${word} is not in PATH`
}

/** Empty where it may not be read: whoever starts it need not be whoever asks. */
function beginningOf(path: string): string {
  let fd: number | undefined
  try {
    // A pipe put there meanwhile does not keep us waiting.
    fd = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK)
    const bytes = Buffer.alloc(FIRST_LINE_BYTES)
    return bytes.toString('utf8', 0, readSync(fd, bytes, 0, bytes.length, 0))
  } catch {
    return ''
  } finally {
    if (fd !== undefined) closeSync(fd)
  }
}

function isProgram(found: Stats | undefined): boolean {
  return found?.isFile() === true && (found.mode & 0o111) !== 0
}

/** A folder that may not be searched is as good as none. */
function look(path: string): Stats | undefined {
  try {
    return statSync(path)
  } catch (cause) {
    if (UNSEEN.includes((cause as NodeJS.ErrnoException).code ?? '')) return undefined
    throw cause
  }
}
