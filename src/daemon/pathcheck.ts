/** The folders from / to the root: whoever can write one of them can put another root in its place (contract, page 5). */
import { shellWord } from '../core/text.ts'
import type { Disk } from '../system/types.ts'

/** `shutsOut`: runs of agents cannot get to their workspaces. */
export type PathProblem = Readonly<{ path: string; what: string; fix: string; shutsOut: boolean }>

/** Everything on the way that deviates. `agentsEnter`: in system mode agents with uids of their own must be able to pass. */
export function checkPathTo(disk: Disk, root: string, self: number, agentsEnter: boolean): PathProblem[] {
  const problems: PathProblem[] = []
  const parts = root.split('/').filter((part) => part !== '')
  for (let depth = 0; depth <= parts.length; depth++) {
    const path = `/${parts.slice(0, depth).join('/')}`
    const stat = disk.stat(path)
    const sticky = (stat.mode & 0o1000) !== 0 && stat.uid === 0
    if (stat.kind === 'link') problems.push({ path, what: 'is a symbolic link', fix: `penny up --root "$(realpath ${shellWord(root)})"`, shutsOut: false })
    else if (stat.uid !== 0 && stat.uid !== self)
      problems.push({ path, what: `belongs to uid ${stat.uid}`, fix: fixOfOwner(path, root, self), shutsOut: false })
    else if ((stat.mode & 0o022) !== 0 && !sticky)
      problems.push({
        path,
        what: `can be written by others (mode ${stat.mode.toString(8)})`,
        fix: `${stat.uid === self || self === 0 ? '' : 'sudo '}chmod go-w ${shellWord(path)}`,
        shutsOut: false,
      })
    if (agentsEnter && stat.kind === 'folder' && (stat.mode & 0o001) === 0)
      problems.push({
        path,
        what: `cannot be entered by agents (mode ${stat.mode.toString(8)}), so none of their runs can start`,
        fix: `chmod o+x ${shellWord(path)}`,
        shutsOut: true,
      })
  }
  return problems
}

/** The root is given to who runs it; a folder above it is somebody's own, out of which an organisation moves. */
function fixOfOwner(path: string, root: string, self: number): string {
  if (path === root) return `${self === 0 ? '' : 'sudo '}chown ${self} ${shellWord(root)}`
  return `penny down; mv -n ${shellWord(root)} ${self === 0 ? '/srv/' : '~/'}   # whoever owns a folder above it can put another organisation in its place`
}
