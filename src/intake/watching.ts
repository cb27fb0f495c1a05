/** Keeps a drop folder watched, and lists it when it changed: the watch hints, the listing knows. */
import { shellWord } from '../core/text.ts'
import { isDraftName, isGone, isRacy } from '../mailbox/index.ts'
import type { Cancel, Listed, Stat } from '../system/types.ts'
import { agentOf, type Desk } from './desk.ts'
import type { IntakeGiven } from './types.ts'

/** Between two listings of one folder. Milliseconds. */
const APART_MS = 100
/** A folder that takes long to list is listed less often, so that it costs the others at most a tenth of the time; within the 2 s of page 1. */
const APART_IN_COSTS = 10
/** Spent on a listing in one turn of the event loop: whoever makes a hundred thousand files holds nobody up. */
const SLICE_MS = 8
/** More than any listing takes: nobody begins another meanwhile. */
const LISTING_MS = 60_000
const MOST_APART_MS = 1_500

export type Watching = Readonly<{
  /** Lists the folder if it changed (`all`: in any case); soon, where it was listed only just now. */
  sweep: (desk: Desk, all: boolean) => void
  forget: (desk: Desk) => void
}>

type Listing = { readonly entries: Iterator<Listed>; readonly present: Set<string>; costMs: number }

const identityOf = ({ ino, mode, uid, gid }: Stat): string => `${ino} ${mode} ${uid} ${gid}`

export function createWatching(given: IntakeGiven, enqueue: (desk: Desk, name: string, listed?: Listed) => void): Watching {
  const { clock, disk, pins } = given
  /** Folders to be listed (true: also where they did not change), whoever asked and however often. One is listed in one turn. */
  const asked = new Map<Desk, boolean>()
  /** Folders that are being listed, some names a turn. */
  const underWay = new Map<Desk, Listing>()
  let cancel: Cancel | undefined

  function ask(desk: Desk, all: boolean): void {
    asked.set(desk, all || asked.get(desk) === true)
    if (cancel === undefined) plan()
  }

  function plan(): void {
    const nextAtMs = Math.min(...[...asked.keys()].map(({ listAgainAtMs }) => listAgainAtMs))
    cancel = asked.size === 0 ? undefined : clock.after(Math.max(1, nextAtMs - clock.monotonic()), serve)
  }

  function serve(): void {
    const nowMs = clock.monotonic()
    for (const [desk, all] of asked) {
      if (desk.listAgainAtMs > nowMs) continue
      asked.delete(desk)
      sweepNow(desk, all)
      break
    }
    plan()
  }

  function watchDesk(desk: Desk): void {
    desk.cancelWatch?.()
    desk.cancelWatch = undefined
    const basename = desk.folder.path.slice(desk.folder.path.lastIndexOf('/') + 1)
    desk.cancelWatch = given.watch(desk.folder.path, (name, wrote) => {
      // A name that is not UTF-8 arrives damaged: only a listing tells its bytes.
      if (name === null || name.includes('\ufffd')) return ask(desk, true)
      // How a watch reports that its own folder went away: one made there since may even have the same inode.
      if (name === basename) desk.ino = -1
      else if (name === 'files') return given.noticed(desk.folder)
      // A draft is nothing to look at for minutes, and mostly has its real name by now; the next listing finds one that stays.
      else if (isDraftName(name) && !desk.waiting.has(name)) return
      if (wrote) desk.wroteAt.set(name, clock.monotonic())
      enqueue(desk, name)
    })
  }

  /** Lists a folder and queues what is new in it. */
  function lookInto(desk: Desk): void {
    const { folder } = desk
    const startedMs = clock.monotonic()
    const before = disk.stat(folder.path)
    if (before.ino !== desk.ino) {
      pins.forget(folder.path)
      watchDesk(desk)
      desk.ino = before.ino
    }
    ;[desk.listedCtimeMs, desk.listedAtMs] = [before.ctimeMs, clock.now()]
    desk.listAgainAtMs = startedMs + LISTING_MS
    const listing: Listing = { entries: disk.entries(folder.path)[Symbol.iterator](), present: new Set(), costMs: 0 }
    underWay.set(desk, listing)
    goOn(desk, listing)
  }

  function goOn(desk: Desk, listing: Listing): void {
    const { entries, present } = listing
    const startedMs = clock.monotonic()
    for (let next = entries.next(); !next.done; next = entries.next()) {
      const entry = next.value
      present.add(entry.name)
      if (!desk.waiting.has(entry.name)) enqueue(desk, entry.name, entry)
      if (clock.monotonic() - startedMs <= SLICE_MS) continue
      listing.costMs += clock.monotonic() - startedMs
      return clock.soon(() => {
        if (underWay.get(desk) !== listing) return
        try {
          goOn(desk, listing)
        } catch (cause) {
          failed(desk, cause)
        }
      })
    }
    listed(desk, listing, startedMs)
  }

  function listed(desk: Desk, { present, costMs }: Listing, startedMs: number): void {
    underWay.delete(desk)
    // What came to wait while the folder was listed may not have been in it then: a look tells.
    for (const name of desk.waiting.keys()) if (!present.has(name)) enqueue(desk, name)
    for (const [name, at] of desk.wroteAt) if (clock.monotonic() - at > 1000) desk.wroteAt.delete(name)
    const nowMs = clock.monotonic()
    desk.listAgainAtMs = nowMs + Math.min(MOST_APART_MS, Math.max(APART_MS, APART_IN_COSTS * (costMs + nowMs - startedMs)))
    if (desk.troubled) given.clear('unreadable-file', desk.folder.shown)
    desk.troubled = false
    if (!asked.has(desk)) return
    cancel?.()
    plan()
  }

  function abandon(desk: Desk): void {
    underWay.get(desk)?.entries.return?.()
    underWay.delete(desk)
  }

  function sweepDesk(desk: Desk, all: boolean): void {
    if (clock.monotonic() >= desk.listAgainAtMs) sweepNow(desk, all)
    else ask(desk, all)
  }

  function sweepNow(desk: Desk, all: boolean): void {
    const { folder } = desk
    try {
      const stat = disk.stat(folder.path)
      const changed = stat.ctimeMs !== desk.listedCtimeMs || stat.ino !== desk.ino || isRacy(stat.ctimeMs, desk.listedAtMs)
      if (!all && !changed) return
      if (identityOf(stat) !== desk.identity) {
        if (desk.identity !== '') given.repair(folder)
        desk.identity = identityOf(disk.stat(folder.path))
      }
      lookInto(desk)
    } catch (cause) {
      failed(desk, cause)
    }
  }

  function failed(desk: Desk, cause: unknown): void {
    const { folder } = desk
    abandon(desk)
    desk.listAgainAtMs = clock.monotonic() + APART_MS
    const isFirst = desk.ino !== -1
    // One made in its place since may have the same inode, and nobody watches it.
    desk.ino = -1
    if (given.repair(folder)) return isFirst ? ask(desk, true) : undefined
    if (folder.kind === 'box' && isGone(cause)) return given.newFolder()
    const code = (cause as NodeJS.ErrnoException).code ?? 'error'
    desk.troubled = true
    given.raise({
      code: 'unreadable-file',
      about: folder.shown,
      ...agentOf(folder),
      sentence: `The folder ${folder.shown} cannot be read (${code}); it is tried again and again.`,
      fix: `ls -ld ${shellWord(folder.shown)}`,
    })
  }

  return {
    sweep: sweepDesk,
    forget: (desk) => {
      asked.delete(desk)
      abandon(desk)
      desk.cancelWatch?.()
    },
  }
}
