/**
 * What a command that a test starts has run counts as covered, too: V8 writes it (Node's docs, "Command-line API": NODE_V8_COVERAGE)
 * to the folder that scripts/lib/cover.mjs left in the environment. Under `tap run` each would load a hook instead, which takes
 * twice as long as the command itself; there they do without.
 */
import { addListener } from 'process-on-spawn'

/** tap adds it anew to the environment of whatever is started, before the listener here is asked. */
const HOOK = /"?--import=\S*@tapjs\/processinfo\S*/g

export function coverWithoutHooks(): void {
  const folder = process.env['TEST_COVERAGE']
  addListener((child) => {
    child.env['NODE_OPTIONS'] = child.env['NODE_OPTIONS']?.replace(HOOK, '').trim() ?? ''
    // Another user could not write there.
    if (folder !== undefined && child.uid === undefined) child.env['NODE_V8_COVERAGE'] = folder
  })
}
