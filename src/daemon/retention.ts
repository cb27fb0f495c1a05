/** Takes away what is past the retention time: run logs, sealed originals. (Mirrors and closed alerts are their rooms' own.) */
import type { Config } from '../core/config.ts'
import { isMessageId, type MessageId } from '../core/ids.ts'
import type { Sealed } from '../journal/index.ts'
import { type Folders, isGone, type Layout, type Ledger, parseHeldName, statOrNothing } from '../mailbox/index.ts'
import { inSlices } from '../system/slices.ts'
import type { Disk, Listed, System } from '../system/types.ts'
import { heldFiles } from './held.ts'

export async function expireRunLogs(
  system: Pick<System, 'clock' | 'disk'>,
  layout: Layout,
  pins: Folders,
  config: Config,
  ledger: Ledger,
  olderThanMs: number,
): Promise<void> {
  const { clock, disk } = system
  for (const agent of config.agents.keys()) {
    const folder = layout.runs(agent)
    pins.stillThere(folder)
    await inSlices(clock, listPinned(disk, pins, folder), ({ name, raw, kind }) => {
      // Logs, and what was kept of contexts: all of it is named by its message.
      const id = name.slice(0, 36)
      if (kind !== 'file' || (isMessageId(id) && ledger.get(id) !== undefined)) return
      const path = pins.at(folder, raw ?? name)
      const found = statOrNothing(disk, path)
      if (found && found.mtimeMs < olderThanMs) disk.unlink(path)
    })
  }
}

/**
 * The bytes of drops, but for those of unsettled mail, which is put back from them however old it is, and of files that are still
 * held, which go back to where they came from.
 */
export async function expireOriginals(disk: Disk, layout: Layout, sealed: Sealed, ledger: Ledger, olderThanMs: number): Promise<void> {
  const held = new Set(heldFiles(disk, layout).map((name) => parseHeldName(name)?.id))
  await sealed.expire(olderThanMs, (id: MessageId) => ledger.get(id) !== undefined || held.has(id))
}

/** Nothing where there is no such folder, or a link in its place: the patrol mends and tells that. */
function listPinned(disk: Disk, pins: Folders, folder: string): readonly Listed[] {
  try {
    return disk.list(pins.at(folder, '.'))
  } catch (cause) {
    if (isGone(cause) || (cause as NodeJS.ErrnoException).code === 'ELOOP') return []
    throw cause
  }
}
