/** Whether the root's file system keeps the promises the mail rests on: tried, not believed. */
import { shellWord } from '../core/text.ts'
import { type Layout, statOrNothing } from '../mailbox/index.ts'
import type { Disk, Path } from '../system/types.ts'

/** Magic numbers of statfs(2) for file systems that a server or a program keeps: they say most often why something does not hold. */
const KEPT_ELSEWHERE: Readonly<Record<number, string>> = {
  26985: 'NFS',
  4283649346: 'CIFS',
  4266872130: 'SMB2',
  16914839: '9P',
  1702057286: 'FUSE',
  12805120: 'Ceph',
  1397113167: 'AFS',
}

/** A full disk says nothing about what its file system holds: whoever asked is told of that. */
const FULL: readonly string[] = ['ENOSPC', 'EDQUOT']

/** `mayOverrule`: mail could go on all the same, at the operator's own risk. */
export type BrokenPromise = Readonly<{ why: string; fix: string; mayOverrule: boolean }>

/** undefined: fine. `type`: as statfs(2) tells it. Throws where the disk is full. */
export function judgeFileSystem(disk: Disk, layout: Layout, type: number): BrokenPromise | undefined {
  const folders = [layout.own, layout.spool, layout.workspaces]
  const fix = `df -T ${folders.map(shellWord).join(' ')}`
  const apart = { why: 'spool/, workspaces/ and .penny/ must be on one file system and one mount, and they are not', fix, mayOverrule: false }
  if (new Set(folders.map((folder) => disk.stat(folder).dev)).size > 1) return apart
  for (const folder of [layout.spool, layout.workspaces]) {
    const broken = tryMoves(disk, layout.staging, folder)
    // The same disk mounted twice: what lies on the other mount cannot be reached by a rename.
    if (broken === 'EXDEV') return apart
    if (broken === undefined) continue
    const where = KEPT_ELSEWHERE[type] ?? 'a file system'
    const why = `${layout.root} is on ${where}, which does not hold what mail needs: between .penny/ and ${folder} ${broken}`
    return { why: `${why} (to overrule, at your own risk: PENNY_ANY_FILESYSTEM=1)`, fix: `${fix}   # ext4, xfs and btrfs hold it`, mayOverrule: true }
  }
  return undefined
}

/** What does not hold, as the rest of a sentence; `EXDEV` where nothing can be moved between the two folders at all. */
function tryMoves(disk: Disk, staging: string, folder: string): string | undefined {
  const [from, to, other] = [`${staging}/.probe-a`, `${folder}/.penny-probe`, `${staging}/.probe-b`]
  const isThere = (path: Path): boolean => statOrNothing(disk, path) !== undefined
  for (const path of [from, to, other]) if (isThere(path)) disk.unlink(path)
  try {
    const made = disk.create(from, 'a', 0o600)
    disk.renameNew(from, to)
    if (isThere(from) || disk.stat(to).ino !== made.ino) return 'a file that was renamed is not the same file'
    if (!disk.list(folder).some(({ name }) => name === '.penny-probe')) return 'a file that was renamed is not in the list of its folder'
    disk.create(other, 'b', 0o600)
    if (!refusesToReplace(disk, other, to)) return 'a rename that must not replace a file replaced it'
    disk.exchange(other, to)
    if (disk.readFile(to).toString() !== 'b' || disk.readFile(other).toString() !== 'a') return 'an exchange of two names did not exchange them'
    disk.link(to, from)
    if (disk.stat(to).links !== 2) return 'a link did not count'
    disk.rename(other, to)
    return disk.readFile(to).toString() === 'a' && !isThere(other) ? undefined : 'a rename did not replace what was there'
  } catch (cause) {
    const { code = '' } = cause as NodeJS.ErrnoException
    if (FULL.includes(code)) throw cause
    return code === 'EXDEV' ? 'EXDEV' : `a rename or link is refused: ${(cause as Error).message}`
  } finally {
    for (const path of [from, to, other]) if (isThere(path)) disk.unlink(path)
  }
}

function refusesToReplace(disk: Disk, from: string, to: string): boolean {
  try {
    disk.renameNew(from, to)
    return false
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === 'EEXIST') return true
    throw cause
  }
}
