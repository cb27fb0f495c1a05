/** Gives a folder, and what lies in it, from its former owner to the one it is to have: where there were no walls before, or an account changed. */
import type { Disk, Fd, Listed, Owner, Stat } from '../system/types.ts'
import { isGone } from './folders.ts'
import type { Contents } from './layout.ts'

export type HandOver = Readonly<{
  path: string
  mode: number
  contents: Contents
  to: Owner
  /** Of an entry right in the folder and what is in it; undefined: it stays whose it is. */
  ownerOf: (name: string) => Owner | undefined
}>

/** `left`: the first of those that could not be given, with why. */
export type Handed = { from: Owner | undefined; given: number; leftCount: number; left: string[] }

/** Each level takes two descriptors. */
const DEEPEST = 100
const MOST_NAMED = 5

/**
 * One entry a step, so that others have their turns in between. The folder comes last: until then only its former owner could write in
 * it, and after a crash its owner tells that it has to be done again. All by descriptors: an entry that is exchanged leads nowhere, and
 * is judged as what it then is. Given is what belongs to the former owner and has one name: another name of a file may lie
 * where its holder reaches nothing.
 */
export function* handOver(disk: Disk, plan: HandOver, handed: Handed): Generator<void> {
  const top = disk.pinFolder(plan.path)
  try {
    const { dev, uid, gid } = disk.fstat(top)
    handed.from = { uid, gid }
    for (const entry of disk.entries(disk.at(top, '.'))) {
      yield
      const to = plan.ownerOf(entry.name)
      if (to) yield* giveEntry({ disk, dev, from: { uid, gid }, to, contents: plan.contents, handed }, top, entry, entry.name, 1)
    }
    disk.setOwner(top, plan.to)
    disk.setMode(top, plan.mode)
  } finally {
    disk.close(top)
  }
}

type Giving = Readonly<{ disk: Disk; dev: number; from: Owner; to: Owner; contents: Contents; handed: Handed }>

function* giveEntry(giving: Giving, folder: Fd, { name, raw }: Listed, shown: string, depth: number): Generator<void> {
  const { disk, dev } = giving
  let fd: Fd
  try {
    fd = disk.pin(disk.at(folder, raw ?? name))
  } catch (cause) {
    if (isGone(cause)) return
    throw cause
  }
  try {
    const stat = disk.fstat(fd)
    if (stat.dev !== dev) return
    if (stat.kind === 'folder') {
      if (depth === DEEPEST) return leave(giving, shown, 'lies too deep')
      for (const entry of disk.entries(disk.at(fd, '.'))) {
        yield
        yield* giveEntry(giving, fd, entry, `${shown}/${entry.name}`, depth + 1)
      }
    }
    give(giving, fd, stat, shown)
  } finally {
    disk.close(fd)
  }
}

function give(giving: Giving, fd: Fd, stat: Stat, shown: string): void {
  const { disk, from, to, contents, handed } = giving
  // Where the group alone changes, one uid has files of both.
  const isFormer = stat.uid === from.uid && (stat.uid !== to.uid || (stat.gid === from.gid && stat.gid !== to.gid))
  if (!isFormer) return
  if (stat.kind !== 'file' && stat.kind !== 'folder' && stat.kind !== 'link') return leave(giving, shown, `is a ${stat.kind}`)
  if (stat.kind !== 'folder' && stat.links !== 1) return leave(giving, shown, `has ${stat.links} names`)
  try {
    disk.setOwner(fd, to)
    if (stat.kind !== 'link') disk.setMode(fd, modeOf(contents, stat))
    handed.given++
  } catch (cause) {
    // Made immutable by its owner, who must not keep the rest from being given.
    if ((cause as NodeJS.ErrnoException).code !== 'EPERM') throw cause
    leave(giving, shown, 'may not be changed')
  }
}

function leave({ handed }: Giving, shown: string, why: string): void {
  handed.leftCount++
  if (handed.left.length < MOST_NAMED) handed.left.push(`${shown} ${why}`)
}

/** Never a set-id bit but that of mail folders, whose files are for their readers. */
function modeOf(contents: Contents, { kind, mode }: Stat): number {
  const isFolder = kind === 'folder'
  switch (contents) {
    case 'mail':
      return isFolder ? 0o2750 : 0o640
    case 'given':
    case 'alerts':
      return isFolder ? 0o750 : 0o640
    case 'policies':
      return isFolder ? 0o2770 : (mode & 0o770) | 0o660
    case 'held':
      return (mode & 0o707) | 0o040
    case 'daemon':
      return mode & 0o755
    case 'agent':
    case 'person':
      return mode & 0o777
  }
}
