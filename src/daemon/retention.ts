/** Takes away what is past the retention time: run logs, sealed originals. (Mirrors and closed alerts are their rooms' own.) */
import type { Config } from '../core/config.ts'
import { isMessageId, type MessageId } from '../core/ids.ts'
import type { Sealed } from '../journal/index.ts'
import { type Folders, isGone, type Layout, type Ledger } from '../mailbox/index.ts'
import type { Disk, Listed } from '../system/types.ts'
import { heldFiles } from './held.ts'

export function expireRunLogs(disk: Disk, layout: Layout, pins: Folders, config: Config, ledger: Ledger, olderThanMs: number): void {
  for (const agent of config.agents.keys()) {
    const folder = layout.runs(agent)
    pins.stillThere(folder)
    for (const { name, raw, kind } of listPinned(disk, pins, folder)) {
      const id = name.replace(/\.log$/, '')
      const path = pins.at(folder, raw ?? name)
      const unsettled = isMessageId(id) && ledger.get(id) !== undefined
      if (kind === 'file' && !unsettled && disk.stat(path).mtimeMs < olderThanMs) disk.unlink(path)
    }
  }
}

/**
 * The bytes of drops, but for those of unsettled mail, which is put back from them however old it is, and of files that are still
 * held, which go back to where they came from.
 */
export async function expireOriginals(disk: Disk, layout: Layout, sealed: Sealed, ledger: Ledger, olderThanMs: number): Promise<void> {
  const held = new Set(heldFiles(disk, layout).map((name) => name.split('.')[1]))
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
