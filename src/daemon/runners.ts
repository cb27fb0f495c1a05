/** Programs of policies/runners/ as they run: a copy that agents can execute and nobody can change under a running one. */
import { type Layout, listOrNothing, statOrNothing } from '../mailbox/index.ts'
import { listTree } from '../system/index.ts'
import type { Disk } from '../system/types.ts'

/** Copies of configurations kept, for runs that go on while it changes. */
const KEPT = 5

/** Copies the folder as it is now to `.penny/runners/<digest>/`; returns that path. */
export function copyRunners(disk: Disk, layout: Layout, digest: string): string {
  const all = `${layout.own}/runners`
  const target = `${all}/${digest.slice(0, 16)}`
  if (statOrNothing(disk, target)) return target
  if (!statOrNothing(disk, all)) disk.makeFolder(all, 0o711)
  const fresh = `${target}.new`
  removeTree(disk, fresh)
  disk.makeFolder(fresh, 0o755)
  const from = `${layout.policies}/runners`
  for (const { path, kind } of statOrNothing(disk, from) ? listTree(from, 4) : []) {
    if (kind === 'folder') disk.makeFolder(`${fresh}/${path}`, 0o755)
    else if (kind === 'file') disk.create(`${fresh}/${path}`, disk.readFile(`${from}/${path}`), 0o755)
  }
  disk.rename(fresh, target)
  const old = listOrNothing(disk, all).map(({ name }) => ({ name, made: disk.stat(`${all}/${name}`).mtimeMs }))
  for (const { name } of old.sort((a, b) => b.made - a.made).slice(KEPT)) removeTree(disk, `${all}/${name}`)
  return target
}

function removeTree(disk: Disk, folder: string): void {
  if (!statOrNothing(disk, folder)) return
  for (const { name, kind } of disk.list(folder)) {
    if (kind === 'folder') removeTree(disk, `${folder}/${name}`)
    else disk.unlink(`${folder}/${name}`)
  }
  disk.removeFolder(folder)
}
