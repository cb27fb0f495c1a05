/** What doctor tries of the hooks that Claude Code is given: a compaction is held up until its checkpoint is there. */
import { spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { CHECKPOINT } from '../context/index.ts'
import { shellWord } from '../core/text.ts'
import { type Finding, ok, reasonOf, skipped, wrong } from './check.ts'
import { codeOf } from './exit.ts'

const SAID = '{"session_id":"doctor","trigger":"auto"}'
const WITHIN_MS = 20_000
const BLOCK = 2

export function checkHooks(searchPath: string, program = fileURLToPath(new URL('./penny.js', import.meta.url))): Finding {
  if (!existsSync(program)) return skipped('hooks', `not tried: ${program} is not built`, 'npm run build')
  let workspace: string | undefined
  try {
    workspace = mkdtempSync(join(tmpdir(), 'penny-doctor-'))
    for (const name of ['home', 'runs', 'cur']) mkdirSync(join(workspace, name))
    const env = { PATH: searchPath, PENNY_AGENT: 'doctor', PENNY_MESSAGE: join(workspace, 'cur', 'm.md') }
    const compact = (): number | null => spawnSync(process.execPath, [program, 'hook', 'precompact'], { input: SAID, env, timeout: WITHIN_MS }).status
    const before = compact()
    writeFileSync(join(workspace, 'home', CHECKPOINT), 'what is done')
    const after = compact()
    if (before === BLOCK && after === 0) return ok('hooks', 'a compaction was held up until its checkpoint was there')
    return wrong(
      'hooks',
      `the hook before a compaction ends with ${before} without a checkpoint, and with ${after} after it; ${BLOCK} and 0 are right`,
      'penny hook settings',
    )
  } catch (cause) {
    if (codeOf(cause) === undefined) throw cause
    return wrong('hooks', `not tried: ${reasonOf(cause)}`, `df -h ${shellWord(tmpdir())}`)
  } finally {
    if (workspace !== undefined) rmSync(workspace, { recursive: true, force: true })
  }
}
