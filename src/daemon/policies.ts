/** The configuration as it runs: an immutable snapshot, taken anew when policies/ changed and is valid. */

import { describeProblem, loadConfig, type Problem, readPolicies } from '../config/index.ts'
import type { Config } from '../core/config.ts'
import type { Clear, Raise } from '../core/post.ts'
import { shellWord } from '../core/text.ts'
import { listTree, watchTree } from '../system/index.ts'
import type { Cancel, Clock, Disk, Log } from '../system/types.ts'

/** A change on disk has settled after this much quiet (contract, page 7), milliseconds. */
const QUIET_MS = 500
const DEEPEST = 4

export type Policies = Readonly<{
  current: () => Config
  invalid: () => boolean
  /** Reads the folder and takes what changed, if it is valid. */
  look: () => void
  watch: () => Cancel
}>

export type PoliciesGiven = Readonly<{ disk: Disk; clock: Clock; log: Log; dir: string; raise: Raise; clear: Clear; changed: (config: Config) => void }>

/** The first snapshot; problems where there can be none. */
export function firstConfig(disk: Disk, dir: string): { ok: true; config: Config } | { ok: false; problems: readonly Problem[] } {
  return loadConfig(readPolicies(disk, dir), dir)
}

export function createPolicies(given: PoliciesGiven, first: Config): Policies {
  let current = first
  let invalid = false
  let cancelQuiet: Cancel | undefined
  let lastSeen = fingerprint(given.disk, given.dir)

  /** The periodic look costs a few stats; only a change is worth reading everything. */
  function lookIfChanged(): void {
    const seen = fingerprint(given.disk, given.dir)
    if (seen === lastSeen && !invalid) return
    lastSeen = seen
    look()
  }

  function look(): void {
    const loaded = loadConfig(readPolicies(given.disk, given.dir), given.dir)
    if (!loaded.ok) return refuse(loaded.problems)
    invalid = false
    given.clear('config-invalid', 'policies')
    if (loaded.config.digest === current.digest) return
    current = loaded.config
    given.log('info', 'configuration taken', { digest: current.digest.slice(0, 12), agents: current.agents.size })
    given.changed(current)
  }

  function refuse(problems: readonly Problem[]): void {
    invalid = true
    const [first] = problems
    const more = problems.length > 1 ? ` (and ${problems.length - 1} more)` : ''
    given.raise({
      code: 'config-invalid',
      about: 'policies',
      sentence: `A change in policies/ cannot be used, what ran before runs on: ${first ? describeProblem(first) : 'it cannot be read'}${more}`,
      fix: first ? `\${EDITOR:-vi} ${shellWord(`policies/${first.file}`)}` : 'ls -la policies/',
    })
  }

  return {
    current: () => current,
    invalid: () => invalid,
    look: lookIfChanged,
    watch: () =>
      watchTree(given.dir, DEEPEST, () => {
        cancelQuiet?.()
        cancelQuiet = given.clock.after(QUIET_MS, look)
      }),
  }
}

/** Changes whenever a file under the folder does. */
function fingerprint(disk: Disk, dir: string): string {
  try {
    return listTree(dir, DEEPEST)
      .map(({ path }) => {
        const { ino, size, mtimeMs, ctimeMs } = disk.stat(`${dir}/${path}`)
        return `${path}:${ino}:${size}:${mtimeMs}:${ctimeMs}`
      })
      .join('\n')
  } catch (cause) {
    // Being changed at this moment, or not readable: reading it tells.
    return String(cause)
  }
}
