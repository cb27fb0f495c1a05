/** Files in `files/` that no message named: told after ten minutes; drafts there, after five without a writer (contract, page 2). */
import type { FaultCode } from '../core/fault.ts'
import type { Clear, Raise } from '../core/post.ts'
import { shellPath, showSafely } from '../core/text.ts'
import { formatAge, formatSize } from '../core/units.ts'
import { isDraftName, statOrNothing } from '../mailbox/index.ts'
import type { Clock, Disk, Listed, Path, Stat } from '../system/types.ts'
import { whoseOf } from './desk.ts'
import type { DropFolder, OwnerOf } from './types.ts'
import { hasWriter, openOrNothing } from './writer.ts'

const UNNAMED_MS = 10 * 60_000
const DRAFT_MS = 5 * 60_000
/** Told one by one; the alert room counts what is beyond its own limit. */
const MOST_A_FOLDER = 100

export type Leftovers = Readonly<{ sweep: (folders: readonly DropFolder[]) => void }>

type Seen = { mark: string; sinceMs: number; told: FaultCode | undefined }

export function createLeftovers(clock: Clock, disk: Disk, raise: Raise, clear: Clear, ownerOf: OwnerOf): Leftovers {
  const seen = new Map<string, Seen>()

  function look(folder: DropFolder, present: Set<string>): void {
    const files = openOrNothing(`${folder.path}/files`, disk.openFolder)
    if (files === undefined) return
    try {
      for (const entry of disk.list(disk.at(files, '.')).slice(0, 10 * MOST_A_FOLDER)) {
        const path = disk.at(files, entry.raw ?? entry.name)
        const stat = statOrNothing(disk, path)
        if (stat) judge(folder, entry, path, stat, present)
      }
    } finally {
      disk.close(files)
    }
  }

  function judge(folder: DropFolder, { name, raw }: Listed, path: Path, stat: Stat, present: Set<string>): void {
    const about = `${folder.shown}/files/${showSafely(name)}`
    const isDraft = isDraftName(name)
    present.add(about)
    // Of a draft the time since it was written last counts, of any other file the time it lies there.
    const mark = isDraft ? `${stat.ino}:${stat.size}:${stat.mtimeMs}` : ''
    const known = seen.get(about)
    const one = known?.mark === mark ? known : { mark, sinceMs: clock.monotonic(), told: known?.told }
    seen.set(about, one)
    if (clock.monotonic() - one.sinceMs < (isDraft ? DRAFT_MS : UNNAMED_MS)) return
    if (isDraft && stat.kind === 'file' && hasWriter(disk, path)) return
    one.told = isDraft ? 'abandoned-draft' : 'unmatched-file'
    const what = `${about} (${stat.kind}, ${formatSize(stat.size)})`
    raise({
      code: one.told,
      about,
      ...whoseOf(folder, stat.uid, ownerOf),
      sentence: isDraft
        ? `${what} has the name of a file being written, and nobody has written it for ${formatAge(DRAFT_MS)}.`
        : `${what} has lain there for ${formatAge(UNNAMED_MS)}, and no message names it under attach:.`,
      fix: `rm ${shellPath(`${folder.shown}/files`, name, raw)}   # or ${isDraft ? 'give it its own name' : 'send the message that it belongs to'}`,
    })
  }

  return {
    sweep: (folders) => {
      const present = new Set<string>()
      for (const folder of folders) look(folder, present)
      for (const [about, { told }] of seen) {
        if (present.has(about)) continue
        seen.delete(about)
        if (told) clear(told, about)
      }
    },
  }
}
