/** Whether there is such a program: one judge for runs and for whoever asks before. */
import { type Stats, statSync } from 'node:fs'
import { resolve } from 'node:path'

const UNSEEN = ['ENOENT', 'ENOTDIR', 'EACCES', 'EPERM', 'ELOOP', 'ENAMETOOLONG']

/** What is wrong with a program, given as a path or as a word to be looked for in PATH from `cwd` (execvp(3)); undefined: it can be started. */
export function faultOfProgram(program: string, searchPath: string, cwd: string): string | undefined {
  if (!program.includes('/'))
    return searchPath.split(':').some((folder) => isProgram(look(resolve(cwd, folder, program)))) ? undefined : `there is no program ${program} in PATH`
  const found = look(resolve(cwd, program))
  if (isProgram(found)) return undefined
  if (!found) return `there is no program ${program}`
  if (found.isDirectory()) return `${program} is a folder`
  return found.isFile() ? `${program} is not executable: chmod +x ${program}` : `${program} is no program`
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
