/**
 * What a command that a test starts has run counts as covered, too. tap would have each of them load a hook of its own, which takes
 * twice as long as the command itself; V8 writes the same by itself (Node's docs, "Command-line API": NODE_V8_COVERAGE), and of
 * hundreds of commands one file is kept.
 */
import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { mergeProcessCovs, type ProcessCov } from '@bcoe/v8-coverage'
import { addListener } from 'process-on-spawn'

/** tap adds it anew to the environment of whatever is started, before the listener here is asked. */
const HOOK = /"?--import=\S*@tapjs\/processinfo\S*/g

export function coverWithoutHooks(project: string): void {
  if (!process.env['NODE_OPTIONS']?.match(HOOK)) return
  const folder = process.env['_TAPJS_PROCESSINFO_COVERAGE_'] === '1' ? `${project}/.tap/commands/${process.pid}` : undefined
  addListener((child) => {
    child.env['NODE_OPTIONS'] = child.env['NODE_OPTIONS']?.replace(HOOK, '').trim() ?? ''
    // Another user could not write there.
    if (folder !== undefined && child.uid === undefined) child.env['NODE_V8_COVERAGE'] = folder
  })
  if (folder === undefined) return
  const merged = `${project}/.tap/coverage`
  for (const made of [folder, merged]) mkdirSync(made, { recursive: true })
  process.on('exit', () => {
    const ours = readdirSync(folder).flatMap((file) => readOurs(`${folder}/${file}`, `file://${project}/dist/`))
    const maps: unknown = Object.assign({}, ...ours.map((one) => one['source-map-cache']))
    writeFileSync(`${merged}/commands-${process.pid}.json`, JSON.stringify({ ...mergeProcessCovs(ours), 'source-map-cache': maps }))
    rmSync(folder, { recursive: true })
  })
}

/** Without Node's own modules and the libraries. */
function readOurs(path: string, within: string): ProcessCov[] {
  try {
    const all = JSON.parse(readFileSync(path, 'utf8')) as ProcessCov
    return [{ ...all, result: all.result.filter(({ url }) => url.startsWith(within)) }]
  } catch (cause) {
    // Killed while it wrote.
    if (cause instanceof SyntaxError) return []
    throw cause
  }
}
