/** One command at a time edits policies/. */
import { chmodSync, mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { takeLock } from '../system/lockfile.ts'
import { AGAIN, EXIT, refuse } from './exit.ts'

/** The lock lies where no agent can write: locks of this kind are only safe there. */
export const OWN = '.penny'
export const POLICIES_LOCK = 'policies.lock'
/** Edits take milliseconds; whoever waits longer is told who is in the way. Milliseconds. */
const WAIT_MS = 5_000

/** Does the edit alone, in one turn of the event loop: a lock that is lost meanwhile is lost after it. Refuses (75) where another command goes on editing. */
export async function editPolicies<T>(root: string, edit: () => T): Promise<T> {
  const own = join(root, OWN)
  // The daemon's own folder is passed through by everybody and listed by nobody (contract, page 5).
  if (mkdirSync(own, { recursive: true }) !== undefined) chmodSync(own, 0o711)
  const lock = await takeLock(join(own, POLICIES_LOCK), WAIT_MS)
  if (!lock) refuse(EXIT.tryAgain, `somebody else edits the policies of ${root} right now`, `${join(own, POLICIES_LOCK)} is held`, AGAIN)
  try {
    return edit()
  } finally {
    await lock.release()
  }
}
