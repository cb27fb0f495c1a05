/** Which folder bars the way to a path. */
import { statSync } from 'node:fs'
import { dirname, resolve } from 'node:path'
import { shellWord } from '../core/text.ts'
import { AS_ROOT, UNSEEN, unless } from './exit.ts'

/** Of the folders on the way the one that this user may not pass, else the last that is there. */
export function barTo(path: string): { path: string; uid: number } | undefined {
  const above = dirname(path) === path ? undefined : barTo(dirname(path))
  // What lies behind a bar cannot be looked at.
  const stat = unless(UNSEEN, () => statSync(path))
  return stat ? { path, uid: stat.uid } : above
}

/** What opens the way where it is this user's own to open; else somebody else has to call. */
export function fixOfBar(path: string): string {
  const bar = barTo(resolve(path))
  return bar && bar.uid !== 0 && bar.uid === process.geteuid?.() ? `chmod u+rwX ${shellWord(bar.path)}` : AS_ROOT
}
