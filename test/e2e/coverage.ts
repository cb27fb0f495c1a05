/**
 * What a command that a test starts has run counts as covered, too. tap would have each of them load a hook of its own, which takes
 * twice as long as the command itself; V8 writes the same by itself (Node's docs, "Command-line API": NODE_V8_COVERAGE), and of
 * hundreds of commands one file is kept.
 */
import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { addListener } from 'process-on-spawn'

/** Node's docs, NODE_V8_COVERAGE: what V8 counted, and the source maps of what was loaded. */
type Counted = Readonly<{ result: readonly Readonly<{ url: string }>[]; 'source-map-cache'?: object }>

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
  const counted = `${project}/.tap/coverage`
  for (const made of [folder, counted]) mkdirSync(made, { recursive: true })
  process.on('exit', () => {
    const ours = readdirSync(folder).flatMap((file) => readOurs(`${folder}/${file}`, `file://${project}/dist/`))
    const all = { result: ours.flatMap(({ result }) => result), 'source-map-cache': Object.assign({}, ...ours.map((one) => one['source-map-cache'])) as object }
    writeFileSync(`${counted}/commands-${process.pid}.json`, JSON.stringify(all))
    rmSync(folder, { recursive: true })
  })
}

/** Without Node's own modules and the libraries. */
function readOurs(path: string, within: string): Counted[] {
  try {
    const all = JSON.parse(readFileSync(path, 'utf8')) as Counted
    return [{ ...all, result: all.result.filter(({ url }) => url.startsWith(within)) }]
  } catch (cause) {
    // Killed while it wrote.
    if (cause instanceof SyntaxError) return []
    throw cause
  }
}
