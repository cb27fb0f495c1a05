/** The files of the project as they lie in the working directory, which is its top wherever tests are started. */
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join, sep } from 'node:path'

/** A file of the project: its path from the top, with `/`, and its text. */
export type Source = Readonly<{ path: string; text: string }>

/** What is made, fetched or delivered, not written. */
const NOT_OURS = new Set(['.git', 'node_modules', 'dist', 'dist-new', 'dist-test', '.tap', '.penny', 'bench/tmp', 'spool', 'workspaces'])
const TEXT = /\.(ts|mjs|cjs|js|json|md|yaml|yml|sh|py|c|toml)$|^[^.]+$|^\.[a-z]+(rc|ignore|attributes|config)?$/
/** Results of a bench name the machine they were measured on; npm owns the lock file, which has a check of its own. */
const GENERATED = /(^|\/)(results\.md|package-lock\.json)$/

/** Every text file that somebody wrote. */
export function written(): Source[] {
  return walk('.')
    .filter((path) => TEXT.test(path.slice(path.lastIndexOf('/') + 1)) && !GENERATED.test(path))
    .map(read)
}

export function read(path: string): Source {
  return { path, text: readFileSync(path, 'utf8') }
}

export function rooms(): string[] {
  return readdirSync('src', { withFileTypes: true })
    .filter((entry) => entry.isDirectory() && readdirSync(join('src', entry.name)).length > 0)
    .map((entry) => entry.name)
}

export { existsSync as exists }

function walk(folder: string): string[] {
  return readdirSync(folder, { withFileTypes: true }).flatMap((entry) => {
    const path = folder === '.' ? entry.name : `${folder}/${entry.name}`
    if (entry.isDirectory())
      return NOT_OURS.has(path) || entry.name === 'node_modules' || entry.name.startsWith('tap-testdir') ? [] : walk(path.split(sep).join('/'))
    return entry.isFile() ? [path] : []
  })
}
