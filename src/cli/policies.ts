/** The whole configuration, checked, for the commands that need more of it than names. */

import { existsSync, readdirSync } from 'node:fs'
import { describeProblem, loadConfig, readPolicies } from '../config/index.ts'
import type { Config } from '../core/config.ts'
import { counted, shellWord } from '../core/text.ts'
import { fixOfBar } from './bar.ts'
import { plainDisk } from './disk.ts'
import { EXIT, refuse, UNSEEN, unless } from './exit.ts'

/** Refuses (78) a configuration that cannot be used, with the first of its problems. */
export function loadPolicies(root: string): Config {
  const dir = `${root}/policies`
  if (!unless(UNSEEN, () => readdirSync(dir)) && existsSync(dir))
    refuse(EXIT.notPermitted, `you may not read ${dir}`, "the configuration is the operators' alone", fixOfBar(dir))
  const loaded = loadConfig(readPolicies(plainDisk(), dir), dir)
  if (loaded.ok) return loaded.config
  const [first] = loaded.problems
  return refuse(
    EXIT.badConfiguration,
    `policies/ cannot be used: ${first ? describeProblem(first) : ''}`,
    loaded.problems.length > 1 ? `and ${counted(loaded.problems.length - 1, 'more problem')}` : 'this is the only problem',
    `\${EDITOR:-vi} ${shellWord(`${dir}/${first?.file ?? ''}`)}`,
  )
}
