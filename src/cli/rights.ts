/** Who may do what this user may not: whoever runs the organisation. */
import { statSync } from 'node:fs'
import { join } from 'node:path'
import { shellWord } from '../core/text.ts'
import { barTo } from './bar.ts'
import type { Surroundings } from './command.ts'
import { AS_ROOT, UNSEEN, UP, unless } from './exit.ts'
import { rootMeant } from './root.ts'

/** The uid that runs this organisation; undefined: there is none. */
function ownerOf(root: string): number | undefined {
  const [first] = [join(root, '.penny'), join(root, 'policies'), root].flatMap((path) => unless(UNSEEN, () => statSync(path).uid) ?? [])
  return first ?? barTo(root)?.uid
}

type Caller = Pick<Surroundings, 'typed' | 'env' | 'uid' | 'cwd'>

/** A fix as this user can paste it: by whoever runs the organisation, where this user may not. */
export function byWhoMay(surroundings: Caller, fix: string): string {
  const { typed, env, uid } = surroundings
  if (fix !== AS_ROOT && (fix !== UP || uid === 0)) return uid === 0 ? withoutSudo(fix) : fix
  const root = rootMeant(surroundings)
  const owner = ownerOf(root) ?? 0
  // An alias is nothing that sudo knows, and sudo takes the environment away.
  const named = env['PENNY_ROOT']
  const again = named && !typed.some((word) => word.startsWith('--root')) ? [...typed, '--root', named] : typed
  if (fix === UP) return owner === uid ? UP : sudo(owner, [typed[0] ?? 'penny', 'up', '--detach', '--root', root])
  return `${sudo(owner, again)}   # ${owner === 0 ? 'or join the operators group of policies/org.yaml' : `uid ${owner} runs this organisation`}`
}

/** Root needs none, and many containers have none. What stands in quotes is no command. */
function withoutSudo(fix: string): string {
  return /['"]/.test(fix) ? fix : fix.replace(/(^|&& |\| )sudo (?!-)/g, '$1')
}

function sudo(owner: number, words: readonly string[]): string {
  return `sudo ${owner === 0 ? '' : `-u '#${owner}' `}${words.map(shellWord).join(' ')}`
}
