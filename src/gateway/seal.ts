/**
 * What goes over the cliff is kept: the request that lets its client compact a session, and the last one that the window has room for, is
 * written down as it came before it is sent on (contract, page 6). No request waits long for that, or fails with it.
 */
import type { Name } from '../core/names.ts'
import { stampAfter } from '../core/stamp.ts'
import type { Compaction } from '../model/index.ts'
import type { Clock, Disk, Log } from '../system/types.ts'

export type SealReason = Compaction | 'nearly-full'

/** One that is on the medium. `file`: in the folder of its agent; names sort by time. */
export type SealedRequest = Readonly<{ agent: Name; message: string | undefined; session: string | undefined; file: string; why: SealReason }>

/** Whose it is. */
type Whose = Readonly<{ agent: Name; message?: string | undefined }>

export type Seals = Readonly<{
  /** Resolves when it is on the medium, could not be written, or took too long; never rejects. */
  seal: (caller: Whose, session: string | undefined, why: SealReason, body: Buffer) => Promise<void>
}>

export type SealsGiven = Readonly<{
  clock: Clock
  disk: Disk
  log: Log
  /** Of this process alone: a folder for each agent is made in it. */
  folder: string
  sealed: (sealed: SealedRequest) => void
}>

/** Then it is sent on; what is being written is finished all the same. Milliseconds. */
const PATIENCE_MS = 2_000
const MOST_KEPT = 20
/** Of one agent: a client that compacts in a loop must not wear out the disk. */
const MOST_A_MINUTE = 12
const MINUTE_MS = 60_000
/** Message or session; what else may stand in either is no name for a file. */
const NAME = /^[A-Za-z0-9][A-Za-z0-9._:-]{0,127}$/
const SEALED = /^(\d{8}T\d{9}Z)-.+\.json$/
const UNFINISHED = /^\.\d{8}T\d{9}Z-.+\.json\.tmp$/

type Known = { newest: string; recentMs: readonly number[]; isLimited: boolean }

export function createSeals({ clock, disk, log, folder, sealed }: SealsGiven): Seals {
  const known = new Map<Name, Known>()

  /** What a process before this one was writing when it was killed: as large as a request, and nobody's. */
  function clean(): void {
    try {
      for (const of of disk.list(folder)) {
        if (of.kind !== 'folder') continue
        const at = `${folder}/${of.name}`
        for (const { name, kind } of disk.list(at)) if (kind === 'file' && UNFINISHED.test(name)) disk.unlink(`${at}/${name}`)
      }
    } catch (cause) {
      log('warn', 'what was left of unfinished checkpoints cannot be removed', { folder, why: String(cause) })
    }
  }

  function knownOf(agent: Name, at: string): Known {
    const before = known.get(agent)
    if (before) return before
    if (!isThere(folder, agent)) disk.makeFolder(at, 0o700)
    const newest = sealedIn(at).at(-1) ?? ''
    const fresh = { newest, recentMs: [], isLimited: false }
    known.set(agent, fresh)
    return fresh
  }

  function isThere(parent: string, name: string): boolean {
    return disk.list(parent).some((entry) => entry.name === name)
  }

  function sealedIn(at: string): string[] {
    return disk
      .list(at)
      .flatMap(({ name, kind }) => (kind === 'file' && SEALED.test(name) ? [name] : []))
      .sort()
  }

  function isTooOften(agent: Name, of: Known): boolean {
    const now = clock.monotonic()
    const recentMs = of.recentMs.filter((atMs) => now - atMs < MINUTE_MS)
    const isLimited = recentMs.length >= MOST_A_MINUTE
    if (isLimited && !of.isLimited) log('warn', 'an agent compacts so often that not each of its checkpoints is sealed', { agent })
    Object.assign(of, { isLimited, recentMs: isLimited ? recentMs : [...recentMs, now] })
    return isLimited
  }

  async function write({ agent, message }: Whose, session: string | undefined, why: SealReason, body: Buffer): Promise<void> {
    const at = `${folder}/${agent}`
    const of = knownOf(agent, at)
    if (isTooOften(agent, of)) return
    const about = [message, session].find((one) => one !== undefined && NAME.test(one)) ?? 'unknown'
    const file = `${stampAfter(SEALED.exec(of.newest)?.[1], clock.now())}-${about}.json`
    of.newest = file
    const unfinished = `${at}/.${file}.tmp`
    disk.create(unfinished, body, 0o600)
    try {
      await disk.syncPath(unfinished)
      disk.rename(unfinished, `${at}/${file}`)
    } catch (cause) {
      disk.unlink(unfinished)
      throw cause
    }
    await disk.syncPath(at)
    for (const name of sealedIn(at).slice(0, -MOST_KEPT)) disk.unlink(`${at}/${name}`)
    sealed({ agent, message, session, file, why })
  }

  clean()
  return {
    seal: async (caller, session, why, body) => {
      const { agent, message } = caller
      let cancel = (): void => undefined
      const late = new Promise<'late'>((resolve) => {
        cancel = clock.after(PATIENCE_MS, () => resolve('late'))
      })
      const written = write(caller, session, why, body).catch((cause: unknown) => {
        // Perhaps it was removed, by whoever made room.
        known.delete(agent)
        log('error', 'a checkpoint could not be sealed; its request is sent all the same', { agent, message, session, why: String(cause) })
      })
      const outcome = await Promise.race([written, late])
      cancel()
      if (outcome === 'late') log('warn', 'a checkpoint takes long to be sealed; its request is sent meanwhile', { agent, message, session })
    },
  }
}
