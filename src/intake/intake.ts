import { isDraftName, isGone, isMessageName, statOrNothing } from '../mailbox/index.ts'
import type { Listed } from '../system/types.ts'
import { createAlarms } from './alarms.ts'
import { type Desk, newDesk, type Waiting } from './desk.ts'
import { createLines } from './lines.ts'
import { look } from './look.ts'
import { createTelling } from './telling.ts'
import { createTurns } from './turns.ts'
import type { DropFolder, Fate, IntakeGiven, IsNamed, Taken, Waits } from './types.ts'
import { createWatching } from './watching.ts'

export type Intake = Readonly<{
  setFolders: (folders: readonly DropFolder[]) => void
  /** Level-triggered: whatever lies in a folder that changed is looked at. `all` looks into every folder. */
  sweep: (all: boolean) => void
  /** Files seen and not yet taken. */
  waiting: () => number
  /** Before its time: what it waited for may be there. */
  lookAgain: (folder: DropFolder, name: string) => void
  /** A message that waits in this folder sends this file of its files/ along. */
  isNamed: IsNamed
  /** No new files; resolves when those in flight are through. */
  stop: () => Promise<void>
}>

/** After the last write to a file that was written in place: a script that appends line by line closes it each time. */
const GRACE_MS = 15

/** Drops that wait long, but not in line, are looked at in turn: this much later for each that waits beside them. */
const CROWD_MS = 1_000
const CROWD_EACH_MS = 0.5

/** One that stands further back in line, and has not changed, is only looked at to see that. */
const PARKED_MS = 60_000

type Put = Pick<Waiting, 'raw' | 'mark' | 'sinceMs'>

export function createIntake(given: IntakeGiven): Intake {
  const { clock, disk, pins } = given
  const desks = new Map<string, Desk>()
  const turns = createTurns(clock, desks, examineSafely)
  const { enqueue } = turns
  const telling = createTelling(given)
  const alarms = createAlarms(clock, enqueue)
  const lines = createLines((desk, name) => {
    if (!desk.inFlight.has(name)) enqueue(desk, name)
  })
  const watching = createWatching(given, enqueue)

  function examineSafely(desk: Desk, name: string, listed: Listed | undefined): void {
    try {
      examine(desk, name, listed)
    } catch (cause) {
      setAside(desk, name, cause)
    }
  }

  function examine(desk: Desk, name: string, listed: Listed | undefined): void {
    const known = desk.waiting.get(name)
    const raw = listed?.raw ?? known?.raw
    const path = pins.at(desk.folder.path, raw ?? name)
    const stat = statOrNothing(disk, path)
    if (!stat) return forget(desk, name)
    const mark = `${stat.ino}:${stat.size}:${stat.mtimeMs}:${stat.links}`
    const sinceMs = known?.mark === mark ? known.sinceMs : clock.monotonic()
    const waitedMs = clock.monotonic() - sinceMs
    const put: Put = { raw, mark, sinceMs }
    const wait = (againMs: number): void => putOff(desk, name, put, againMs)
    if (known?.mark === mark && !lines.isFirst(desk, name)) return keep(desk, name, put, PARKED_MS)
    const wroteMs = clock.monotonic() - (desk.wroteAt.get(name) ?? Number.NEGATIVE_INFINITY)
    if (wroteMs < GRACE_MS && stat.kind === 'file') return wait(GRACE_MS - wroteMs)

    const message = isMessageName(name)
    const named = stat.kind === 'file' && !message && raw === undefined && desk.named.has(name, stat.uid)
    if (named) telling.close(desk, name)
    // Told of as in any drop folder, and all the same a box, of nobody: what is dropped in it is held (contract, page 1).
    if (message && stat.kind === 'folder' && desk.folder.kind === 'spool') meetFolder(desk, name)
    const verdict = look({
      disk,
      folder: desk.folder,
      name,
      raw,
      path,
      stat,
      waitedMs,
      messageBytes: given.messageBytes(),
      draft: isDraftName(name),
      message,
      named,
    })
    switch (verdict.see) {
      case 'nothing':
        return
      case 'new-folder':
        return meetFolder(desk, name)
      case 'wait':
        return wait(verdict.againMs)
      case 'writer':
        return putOff(desk, name, { ...put, sinceMs: clock.monotonic() }, verdict.againMs)
      case 'gone':
        return forget(desk, name)
      case 'alert':
        wait(verdict.againMs)
        return telling.alert(desk, name, verdict, stat.uid)
      case 'unsafe':
        return follow(desk, name, put, stat.uid, given.refuse(desk.folder, { name, raw, kind: stat.kind }, stat, verdict.why))
      case 'whole': {
        const { fd, bytes } = verdict
        const letGo = (): void => {
          disk.lease.drop(fd)
          disk.closeLater(fd)
        }
        const taken: Taken = {
          folder: desk.folder,
          name,
          raw,
          fd,
          stat: verdict.stat,
          bytes,
          waitedMs,
          mayPass: (line) => lines.mayPass(desk, name, line),
          leaveLine: () => void lines.leave(desk, name, true),
          untouched: () => disk.lease.unbroken(fd),
          letGo,
        }
        return follow(desk, name, put, stat.uid, given.handle(taken))
      }
    }
  }

  function meetFolder(desk: Desk, name: string): void {
    if (!desks.has(`${desk.folder.path}/${name}`)) given.newFolder()
  }

  function follow(desk: Desk, name: string, put: Put, uid: number, work: Promise<Fate>): void {
    turns.entered(desk, name)
    work.then(
      (fate) => {
        turns.left(desk, name)
        if (fate === 'gone') served(desk, name)
        else waitAs(desk, name, put, uid, fate)
        // The same name may have been dropped again, or changed, while this one was on its way.
        if (desk.again.delete(name)) enqueue(desk, name)
      },
      (cause: unknown) => {
        turns.left(desk, name)
        desk.again.delete(name)
        setAside(desk, name, cause)
      },
    )
  }

  function waitAs(desk: Desk, name: string, put: Put, uid: number, { againMs, attach = [], line }: Waits): void {
    desk.named.set(name, uid, attach)
    if (line !== undefined) return keep(desk, name, put, lines.join(desk, name, line) ? againMs : PARKED_MS)
    lines.leave(desk, name, true)
    keep(desk, name, put, Math.max(againMs, againMs < CROWD_MS ? 0 : desk.waiting.size * CROWD_EACH_MS))
  }

  /** Waits for something of its own: others that wait for the same as it did go before it. */
  function putOff(desk: Desk, name: string, put: Put, againMs: number): void {
    lines.leave(desk, name, false)
    keep(desk, name, put, againMs)
  }

  function keep(desk: Desk, name: string, put: Put, againMs: number, failures = 0): void {
    const known = desk.waiting.get(name)
    const againAtMs = clock.monotonic() + againMs
    const alerted = failures > 0 ? 'unreadable-file' : known?.alerted
    const entry: Waiting = { ...put, againAtMs, alarmAtMs: known?.alarmAtMs ?? Number.POSITIVE_INFINITY, alerted, failures }
    desk.waiting.set(name, entry)
    alarms.set(desk, name, entry)
  }

  /** Our own mistake, or a fault of the disk, on one file: it must neither stop nor spin the others. */
  function setAside(desk: Desk, name: string, cause: unknown): void {
    if (isGone(cause) && !stillLies(desk, name)) return forget(desk, name)
    const known = desk.waiting.get(name)
    const failures = (known?.failures ?? 0) + 1
    lines.leave(desk, name, false)
    keep(desk, name, known ?? { raw: undefined, mark: '', sinceMs: clock.monotonic() }, Math.min(60_000, 250 * 2 ** failures), failures)
    telling.setAside(desk, name, cause, failures)
  }

  /** ENOENT may also speak of a folder of ours: only a drop that is really away may be forgotten. */
  function stillLies(desk: Desk, name: string): boolean {
    try {
      return statOrNothing(disk, pins.at(desk.folder.path, desk.waiting.get(name)?.raw ?? name)) !== undefined
    } catch (cause) {
      if (isGone(cause)) return false
      throw cause
    }
  }

  /** Of drops that stand in line, those of another folder go before the next of this one. */
  function served(desk: Desk, name: string): void {
    const { path } = desk.folder
    if (lines.leave(desk, name, true) && desks.delete(path)) desks.set(path, desk)
    forget(desk, name)
  }

  function forget(desk: Desk, name: string): void {
    lines.leave(desk, name, false)
    telling.close(desk, name)
    desk.waiting.delete(name)
    desk.named.set(name, 0, [])
  }

  /** A file is sent along by a message that waits, or no longer: then it has its time from now on. */
  function namedNow(desk: Desk, file: string): void {
    const known = desk.waiting.get(file)
    if (!known) return
    known.sinceMs = clock.monotonic()
    enqueue(desk, file)
  }

  return {
    setFolders: (folders) => {
      const wanted = new Map(folders.map((folder) => [folder.path, folder]))
      for (const [path, desk] of desks) {
        if (wanted.has(path)) continue
        watching.forget(desk)
        lines.forget(desk)
        pins.forget(path)
        desks.delete(path)
      }
      for (const [path, folder] of wanted) {
        if (desks.has(path)) continue
        const desk: Desk = newDesk(folder, (file) => namedNow(desk, file))
        desks.set(path, desk)
        watching.sweep(desk, true)
      }
    },
    sweep: (all) => {
      for (const desk of desks.values()) watching.sweep(desk, all)
    },
    lookAgain: ({ path }, name) => {
      const desk = desks.get(path)
      if (desk) enqueue(desk, name)
    },
    waiting: () => [...desks.values()].reduce((sum, desk) => sum + desk.queue.size + desk.waiting.size + desk.inFlight.size, 0),
    isNamed: (folder, file, uid) => desks.get(folder.path)?.named.has(file, uid) === true,
    stop: () => {
      alarms.stop()
      for (const desk of desks.values()) watching.forget(desk)
      return turns.stop()
    },
  }
}
