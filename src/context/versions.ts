/**
 * Versions of `home/checkpoint.md`, kept in `runs/` for the message that they are about: an agent may work on several, and what it has
 * overwritten or removed is still there for the next run.
 */
import type { MessageId } from '../core/ids.ts'
import type { Name } from '../core/names.ts'
import { stampAfter } from '../core/stamp.ts'
import { digestOf, type Folders, isLeased, type Layout, leadsNowhere, markOf, statOrNothing } from '../mailbox/index.ts'
import type { Clock, Disk, Ids, Log, Owner, Stat } from '../system/types.ts'
import { CHECKPOINT, checkpointFile, versionFile, versionOf } from './names.ts'

export type Versions = Readonly<{
  /** As it lies there now; undefined: there is none, or no plain file of the agent's own. */
  look: (agent: Name) => Stat | undefined
  /** Keeps it for those of `ids` that it is about, if it is another than the last. Throws what the disk refuses. */
  keep: (agent: Name, ids: readonly MessageId[]) => void
  forget: (id: MessageId) => void
}>

export type VersionsGiven = Readonly<{
  clock: Clock
  disk: Disk
  log: Log
  ids: Ids
  layout: Layout
  pins: Folders
  givenOwner: (agent: Name) => Owner | undefined
  /** Whether a file in this agent's home may be of its making. */
  mayOwn: (agent: Name, stat: Stat) => boolean
}>

const MOST_KEPT = 20
/** Larger ones would fill the context that they are to save. */
const MOST_BYTES = 256 * 1024

export function makeVersions(given: VersionsGiven): Versions {
  const { clock, disk, layout, pins } = given
  /** Of what was kept last, by message. */
  const kept = new Map<MessageId, string>()
  /** Of the file that was read last, by agent: one that did not change is not read again. */
  const seen = new Map<Name, Readonly<{ mark: string; ids: string }>>()

  function look(agent: Name): Stat | undefined {
    try {
      const stat = disk.stat(pins.at(layout.home(agent), CHECKPOINT))
      return isOwn(agent, stat) ? stat : undefined
    } catch (cause) {
      if (leadsNowhere(cause) || isLocked(cause)) return undefined
      throw cause
    }
  }

  /** Not somebody else's under another name: what is kept here its agent may read. */
  function isOwn(agent: Name, stat: Stat): boolean {
    return stat.kind === 'file' && stat.links === 1 && given.mayOwn(agent, stat)
  }

  function read(agent: Name): Buffer | undefined {
    try {
      const fd = disk.openRead(pins.at(layout.home(agent), CHECKPOINT))
      try {
        const stat = disk.fstat(fd)
        const { size } = stat
        if (!isOwn(agent, stat)) return undefined
        if (size > MOST_BYTES) given.log('warn', 'a checkpoint is too large to be kept', { agent, bytes: size })
        return size > 0 && size <= MOST_BYTES ? disk.read(fd, size) : undefined
      } finally {
        disk.close(fd)
      }
    } catch (cause) {
      if (leadsNowhere(cause) || isLeased(cause)) return undefined
      throw cause
    }
  }

  function keepFor(agent: Name, id: MessageId, text: Buffer): void {
    const digest = digestOf(text)
    if (kept.get(id) === digest) return
    const folder = layout.runs(agent)
    const before = disk.list(pins.at(folder, '.')).flatMap(({ name, kind }) => (kind === 'file' && versionOf(name)?.id === id ? [name] : []))
    before.sort()
    const [newest] = before.slice(-1)
    const isSame = newest !== undefined && digestOf(disk.readFile(pins.at(folder, newest))) === digest
    if (!isSame) {
      const file = versionFile(id, stampAfter(newest === undefined ? undefined : versionOf(newest)?.stamp, clock.now()))
      const staged = `${layout.staging}/checkpoint.${given.ids.secret()}`
      disk.create(staged, text, 0o640, given.givenOwner(agent))
      disk.rename(staged, pins.at(folder, file))
      disk.link(pins.at(folder, file), staged)
      disk.rename(staged, pins.at(folder, checkpointFile(id)))
      for (const name of before.slice(0, Math.max(0, before.length + 1 - MOST_KEPT))) disk.unlink(pins.at(folder, name))
    }
    kept.set(id, digest)
  }

  return {
    look,
    keep: (agent, ids) => {
      pins.stillThere(layout.home(agent))
      pins.stillThere(layout.runs(agent))
      const stat = look(agent)
      const mark = stat && markOf(stat)
      if (mark === undefined || (seen.get(agent)?.mark === mark && seen.get(agent)?.ids === ids.join())) return
      const text = read(agent)
      const about = text ? aboutWhich(text.toString('utf8'), ids) : []
      for (const id of about) keepFor(agent, id, text as Buffer)
      seen.set(agent, { mark, ids: ids.join() })
    },
    forget: (id) => void kept.delete(id),
  }
}

/** An agent may lock its home for a daemon that is an ordinary user. */
function isLocked(cause: unknown): boolean {
  return (cause as NodeJS.ErrnoException).code === 'EACCES'
}

/** Where it names one or some of them it is about those; else about all that the agent works on, which is mostly one. */
function aboutWhich(text: string, ids: readonly MessageId[]): readonly MessageId[] {
  const named = ids.filter((id) => text.includes(id))
  return named.length > 0 ? named : ids
}

/** Where a run finds what was kept for its message. */
export function keptFor(disk: Disk, layout: Layout, agent: Name, name: string): string | undefined {
  const path = `${layout.runs(agent)}/${name}`
  return statOrNothing(disk, path)?.kind === 'file' ? path : undefined
}
