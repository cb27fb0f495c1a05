/** Makes the folders of the table in contract page 5, and mends them where somebody changed them. */
import type { Disk, Fd, Owner, Path, Stat } from '../system/types.ts'
import { isGone, statOrNothing } from './folders.ts'
import type { Rule } from './layout.ts'

/** Ids behind the roles of the table. In user mode everything is the one user's and nothing is given away. */
export type Owners = Readonly<{
  daemon: Owner
  operatorsGid: number
  holder: Owner | undefined
  readersGid: number | undefined
  /** undefined: the gateway's process has no uid of its own. */
  gateway?: Owner | undefined
  /** System mode: owners are set. */
  give: boolean
}>

/** `aside`: the path that what lay there has now. `former`: it is another's; what lies in it is given first, then the folder (`handOver`). */
export type Deviation = Readonly<{ kind: 'missing' | 'replaced' | 'rights' | 'former'; path: string; what: string; mended: boolean; aside?: string }>

/** What tells a folder of somebody else's from ours. */
export type Strangers = Readonly<{
  /** Besides the daemon: who made the folders that are ours (an ordinary user, before there were walls). */
  builder: number | undefined
  secret: () => string
}>

/** What lies there may be exchanged while it is mended, in a loop if its holder likes: then the next patrol finds it again. */
const MOST_TRIES = 3
/** Things that lay in one place, kept to be looked at. */
const MOST_ASIDE = 8

/** Makes what is missing and mends what deviates; returns what it found wrong. Throws where a parent cannot be written. */
export function provision(disk: Disk, rules: readonly Rule[], owners: Owners, strangers?: Strangers): Deviation[] {
  return rules.flatMap((rule) => {
    const owner = ownerOf(rule, owners)
    const stat = statOrNothing(disk, rule.path)
    // Nearly always: nothing is opened for it.
    if (stat?.kind === 'folder' && deviationsOf(stat, rule, owners.give ? owner : undefined).length === 0) return []
    return mendInParent(disk, rule, owners.give ? owner : undefined, strangers)
  })
}

/** By descriptors throughout: whoever can write the parent can put a link in the folder's place at any moment. */
function mendInParent(disk: Disk, rule: Rule, owner: Owner | undefined, strangers: Strangers | undefined): Deviation[] {
  const cut = rule.path.lastIndexOf('/')
  const parent = disk.pinFolder(rule.path.slice(0, cut))
  try {
    for (let tries = 1; ; tries++) {
      try {
        return mend(disk, parent, rule.path.slice(cut + 1), rule, owner, strangers)
      } catch (cause) {
        if (!wasSwapped(cause)) throw cause
        if (tries === MOST_TRIES) return [{ kind: 'replaced', path: rule.path, what: 'was exchanged again and again while it was mended', mended: false }]
      }
    }
  } finally {
    disk.close(parent)
  }
}

function mend(disk: Disk, parent: Fd, name: string, rule: Rule, owner: Owner | undefined, strangers: Strangers | undefined): Deviation[] {
  const at = disk.at(parent, name)
  const stat = statOrNothing(disk, at)
  if (!stat) {
    disk.makeFolder(at, rule.mode, owner)
    return [{ kind: 'missing', path: rule.path, what: 'was not there', mended: true }]
  }
  if (stat.kind !== 'folder') {
    // A file or link where a folder belongs: set aside, so that what it was can be looked at.
    disk.rename(
      at,
      asideFor(disk, (other) => disk.at(parent, other), name),
    )
    disk.makeFolder(at, rule.mode, owner)
    return [{ kind: 'replaced', path: rule.path, what: `was a ${stat.kind}, not a folder`, mended: true }]
  }
  if (rule.closed && owner && strangers && stat.uid !== owner.uid && stat.uid !== strangers.builder) {
    // A name that nobody can put something under before.
    const aside = `was-${strangers.secret().slice(0, 8)}`
    disk.rename(at, disk.at(parent, `${name}.${aside}`))
    disk.makeFolder(at, rule.mode, owner)
    return [{ kind: 'replaced', path: rule.path, what: `was a folder of uid ${stat.uid}`, mended: true, aside: `${rule.path}.${aside}` }]
  }
  return mendFolder(disk, at, rule, owner, strangers !== undefined)
}

/** A free name beside it, or that of what was set aside longest ago: who does this in a loop fills nothing. */
export function asideFor(disk: Disk, at: (name: string) => Path, name: string): Path {
  const names = Array.from({ length: MOST_ASIDE }, (_, i) => at(`${name}.was-${i + 1}`))
  const [first] = names.map((path) => ({ path, sinceMs: statOrNothing(disk, path)?.ctimeMs ?? 0 })).sort((a, b) => a.sinceMs - b.sinceMs)
  return first?.path ?? at(`${name}.was`)
}

function mendFolder(disk: Disk, at: Path, rule: Rule, owner: Owner | undefined, contentsFirst: boolean): Deviation[] {
  const folder = disk.pinFolder(at)
  try {
    const stat = disk.fstat(folder)
    const wrong = deviationsOf(stat, rule, owner)
    if (wrong.length === 0) return []
    if (owner && contentsFirst && wasAnothers(stat, rule, owner)) {
      if (stat.mode !== rule.mode) disk.setMode(folder, rule.mode)
      return [{ kind: 'former', path: rule.path, what: `is still of ${stat.uid}:${stat.gid}`, mended: false }]
    }
    if (owner) disk.setOwner(folder, owner)
    disk.setMode(folder, rule.mode)
    return [{ kind: 'rights', path: rule.path, what: `had ${wrong.join(' and ')}`, mended: true }]
  } finally {
    disk.close(folder)
  }
}

/**
 * Nobody but root gives a folder away. A holder can change the group of its own, though, at no cost; and what is root's in a folder of
 * an agent's may have been moved there by the agent.
 */
function wasAnothers(stat: Stat, { contents, user }: Rule, owner: Owner): boolean {
  if (contents === undefined) return false
  if (stat.uid === owner.uid) return user === 'daemon' && stat.gid !== owner.gid
  return stat.uid !== 0 || contents === 'person'
}

function deviationsOf(stat: Stat, rule: Rule, owner: Owner | undefined): string[] {
  return [
    ...(owner && (stat.uid !== owner.uid || stat.gid !== owner.gid) ? [`owner ${stat.uid}:${stat.gid} instead of ${owner.uid}:${owner.gid}`] : []),
    ...(stat.mode === rule.mode ? [] : [`mode ${stat.mode.toString(8)} instead of ${rule.mode.toString(8)}`]),
  ]
}

function wasSwapped(cause: unknown): boolean {
  return isGone(cause) || ['ELOOP', 'EEXIST', 'ENOTEMPTY', 'EISDIR'].includes((cause as NodeJS.ErrnoException).code ?? '')
}

export function ownerOf(rule: Pick<Rule, 'user' | 'group'>, owners: Owners): Owner {
  const holder = owners.holder ?? owners.daemon
  const gateway = owners.gateway ?? owners.daemon
  const gids = { daemon: owners.daemon.gid, operators: owners.operatorsGid, holder: holder.gid, readers: owners.readersGid ?? holder.gid, gateway: gateway.gid }
  return { uid: { daemon: owners.daemon, holder, gateway }[rule.user].uid, gid: gids[rule.group] }
}
