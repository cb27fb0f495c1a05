/** Whether the root's file system keeps the promises the mail rests on: tried, not believed. */
import { statfsSync } from 'node:fs'
import { type Layout, statOrNothing } from '../mailbox/index.ts'
import type { Disk } from '../system/types.ts'

/** Magic numbers of statfs(2) for file systems on which a rename is not what it seems, or whose server may not keep what fsync said. */
const NETWORK: Readonly<Record<number, string>> = {
  26985: 'NFS',
  4283649346: 'CIFS',
  4266872130: 'SMB2',
  16914839: '9P',
  1702057286: 'FUSE',
  12805120: 'Ceph',
  1397113167: 'AFS',
}

/** undefined: fine. Else one sentence that says what does not hold. */
export function refuseFileSystem(disk: Disk, layout: Layout, overruled: boolean): string | undefined {
  const folders = [layout.staging, layout.spool, layout.workspaces]
  const devices = new Set(folders.map((folder) => disk.stat(folder).dev))
  if (devices.size > 1) return `spool/, workspaces/ and .penny/ must be on one file system; they are on ${devices.size}`
  const type = NETWORK[statfsSync(layout.staging).type]
  if (type !== undefined && !overruled)
    return `${layout.root} is on ${type}, which does not promise what mail needs (to overrule: PENNY_ANY_FILESYSTEM=1 penny up)`
  for (const folder of [layout.spool, layout.workspaces]) {
    const broken = tryMoves(disk, layout.staging, folder)
    if (broken !== undefined) return `between .penny/ and ${folder}: ${broken}`
  }
  return undefined
}

function tryMoves(disk: Disk, staging: string, folder: string): string | undefined {
  const [from, to, other] = [`${staging}/.probe-a`, `${folder}/.penny-probe`, `${staging}/.probe-b`]
  for (const path of [from, to, other]) if (statOrNothing(disk, path)) disk.unlink(path)
  try {
    disk.create(from, 'a', 0o600)
    disk.renameNew(from, to)
    disk.create(other, 'b', 0o600)
    disk.exchange(other, to)
    if (disk.readFile(to).toString() !== 'b') return 'an exchange of two names did not exchange them'
    disk.link(to, from)
    return disk.stat(to).links === 2 ? undefined : 'a link did not count'
  } catch (cause) {
    return (cause as Error).message
  } finally {
    for (const path of [from, to, other]) if (statOrNothing(disk, path)) disk.unlink(path)
  }
}
