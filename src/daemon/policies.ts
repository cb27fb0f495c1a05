/** The configuration as it runs: an immutable snapshot, taken anew when policies/ changed and is valid. */

import { describeProblem, type Problem } from '../config/index.ts'
import type { Config } from '../core/config.ts'
import type { Clear, Raise } from '../core/post.ts'
import { counted, shellWord } from '../core/text.ts'
import type { Layout } from '../mailbox/index.ts'
import { listTree, type TreeWatch, watchTree } from '../system/index.ts'
import type { Cancel, Clock, Disk, Log } from '../system/types.ts'
import { readConfig } from './machine.ts'

/** A change on disk has settled after this much quiet (contract, page 7), milliseconds. */
const QUIET_MS = 500
const DEEPEST = 4

export type Policies = Readonly<{
  current: () => Config
  /** Whether policies/ cannot be used as it is now; the alert of it is open then. */
  invalid: () => boolean
  /** Reads the folder and takes what changed, if it is valid. */
  look: () => void
  watch: () => Cancel
}>

export type PoliciesGiven = Readonly<{
  disk: Disk
  clock: Clock
  log: Log
  layout: Layout
  /** Whose the daemon's process is. */
  uid: number
  raise: Raise
  clear: Clear
  /** Builds all that a configuration needs, while the other still counts; what it returns lets the new one count. Throws where something is refused. */
  prepare: (next: Config) => () => void
  /** Once it counts: folders, guides, timers. Done again where it throws. */
  changed: () => void
  /** What the folder looked like before the first configuration was read: what changed since then is news. */
  seen: string
}>

/** What the surroundings refuse, and a command that mends it; undefined: our own mistake. */
export function refusalOf(cause: unknown, root: string): { why: string; fix: string } | undefined {
  const { code } = cause as NodeJS.ErrnoException
  if (!(cause instanceof Error) || typeof code !== 'string' || !/^E[A-Z0-9]+$/.test(code)) return undefined
  if (code === 'ELOOKUP') return { why: cause.message, fix: 'getent passwd root   # Debian: apt-get install libc-bin' }
  return { why: cause.message, fix: `df -h ${shellWord(root)}; ls -la ${shellWord(`${root}/.penny`)}` }
}

export function createPolicies(given: PoliciesGiven, first: Config): Policies {
  const dir = given.layout.policies
  let current = first
  let invalid: Readonly<{ sentence: string; fix: string }> | undefined
  let isBehind = false
  let cancelQuiet: Cancel | undefined
  let lastSeen = given.seen
  let tree: TreeWatch | undefined

  /** The periodic look costs a few stats; only a change is worth reading everything. */
  function lookIfChanged(): void {
    const seen = fingerprint(given.disk, dir)
    if (seen !== lastSeen) tree?.again()
    else if (!invalid) return
    lastSeen = seen
    look()
  }

  function look(): void {
    try {
      const loaded = readConfig(given.disk, given.layout, given.uid)
      if (!loaded.ok) return refuse(loaded.problems)
      if (loaded.config.digest !== current.digest) take(loaded.config)
      if (isBehind) given.changed()
      isBehind = false
    } catch (cause) {
      const refusal = refusalOf(cause, given.layout.root)
      if (!refusal) throw cause
      const runs = isBehind ? 'it is in force only in part' : 'what ran before runs on'
      return say(`A change in policies/ cannot be taken, ${runs}: ${refusal.why}; it is tried again every half a minute`, refusal.fix)
    }
    invalid = undefined
    given.clear('config-invalid', 'policies')
  }

  function take(next: Config): void {
    const letItCount = given.prepare(next)
    current = next
    isBehind = true
    letItCount()
    given.log('info', 'configuration taken', { digest: current.digest.slice(0, 12), agents: current.agents.size })
  }

  function refuse(problems: readonly Problem[]): void {
    const [first] = problems
    const more = problems.length > 1 ? ` (and ${counted(problems.length - 1, 'more mistake')}: penny doctor)` : ''
    say(
      `A change in policies/ cannot be used: ${first ? describeProblem(first) : 'it cannot be read'}${more}. What ran before runs on, but the daemon will not start again until this is mended.`,
      first ? `\${EDITOR:-vi} ${shellWord(`policies/${first.file}`)}` : 'ls -la policies/',
    )
  }

  function say(sentence: string, fix: string): void {
    invalid = { sentence, fix }
    given.raise({ code: 'config-invalid', about: 'policies', sentence, fix })
  }

  return {
    current: () => current,
    invalid: () => {
      // Whoever asks is told the same by the alerts, also where a person closed this one a moment ago.
      if (invalid) say(invalid.sentence, invalid.fix)
      return invalid !== undefined
    },
    look: lookIfChanged,
    watch: () => {
      // Whatever was wrong when a daemon before this one ended: this one could start.
      given.clear('config-invalid', 'policies')
      tree = watchTree(dir, DEEPEST, () => {
        cancelQuiet?.()
        cancelQuiet = given.clock.after(QUIET_MS, lookIfChanged)
      })
      return () => {
        tree?.cancel()
        tree = undefined
      }
    },
  }
}

/** Changes whenever a file under the folder does. */
export function fingerprint(disk: Disk, dir: string): string {
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
