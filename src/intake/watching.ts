/** Keeps a drop folder watched, and lists it when it changed: the watch hints, the listing knows. */
import { shellWord } from '../core/text.ts'
import { isDraftName, isGone } from '../mailbox/index.ts'
import type { Listed } from '../system/types.ts'
import { agentOf, type Desk } from './desk.ts'
import type { IntakeGiven } from './types.ts'

/** A folder changed this shortly before it was listed may have changed again within the same tick of the file system's clock. */
const RACY_MS = 100

export type Watching = Readonly<{ sweep: (desk: Desk, all: boolean) => void }>

export function createWatching(
  given: IntakeGiven,
  enqueue: (desk: Desk, name: string, listed?: Listed) => void,
  forget: (desk: Desk, name: string) => void,
): Watching {
  const { clock, disk, pins } = given

  function watchDesk(desk: Desk): void {
    desk.cancelWatch?.()
    desk.cancelWatch = undefined
    const basename = desk.folder.path.slice(desk.folder.path.lastIndexOf('/') + 1)
    desk.cancelWatch = given.watch(desk.folder.path, (name, wrote) => {
      // A name that is not UTF-8 arrives damaged: only a listing tells its bytes.
      if (name === null || name.includes('\ufffd')) return sweepDesk(desk, true)
      // How a watch reports that its own folder went away: one made there since may even have the same inode.
      if (name === basename) desk.ino = -1
      // A draft is nothing to look at for minutes, and mostly has its real name by now; the next listing finds one that stays.
      else if (isDraftName(name) && !desk.waiting.has(name)) return
      if (wrote) desk.wroteAt.set(name, clock.monotonic())
      enqueue(desk, name)
    })
  }

  /** Lists a folder and queues what is new in it. */
  function lookInto(desk: Desk): void {
    const { folder } = desk
    const before = disk.stat(folder.path)
    if (before.ino !== desk.ino) {
      pins.forget(folder.path)
      watchDesk(desk)
      desk.ino = before.ino
    }
    const present = new Set<string>()
    for (const entry of disk.list(folder.path)) {
      present.add(entry.name)
      if (!desk.waiting.has(entry.name)) enqueue(desk, entry.name, entry)
    }
    for (const name of desk.waiting.keys()) if (!present.has(name)) forget(desk, name)
    for (const [name, at] of desk.wroteAt) if (clock.monotonic() - at > 1000) desk.wroteAt.delete(name)
    ;[desk.listedCtimeMs, desk.listedAtMs] = [before.ctimeMs, clock.now()]
    given.clear('unreadable-file', folder.shown)
  }

  function sweepDesk(desk: Desk, all: boolean): void {
    try {
      const stat = disk.stat(desk.folder.path)
      const changed = stat.ctimeMs !== desk.listedCtimeMs || stat.ino !== desk.ino || desk.listedAtMs - stat.ctimeMs < RACY_MS
      if (all || changed) lookInto(desk)
    } catch (cause) {
      if (desk.folder.kind === 'box' && isGone(cause)) return given.newFolder()
      const code = (cause as NodeJS.ErrnoException).code ?? 'error'
      given.raise({
        code: 'unreadable-file',
        about: desk.folder.shown,
        ...agentOf(desk.folder),
        sentence: `The folder ${desk.folder.shown} cannot be read (${code}); it is being made right.`,
        fix: `ls -ld ${shellWord(desk.folder.shown)}`,
      })
      given.repair(desk.folder)
    }
  }

  return { sweep: sweepDesk }
}
