/** Files in `files/` that no message named: told after ten minutes; drafts there, after five without a writer (contract, page 2). */
import type { FaultCode } from '../core/fault.ts'
import type { Clear, Raise } from '../core/post.ts'
import { shellPath, showSafely } from '../core/text.ts'
import { formatAge, formatSize } from '../core/units.ts'
import { isDraftName, isMessageName, statOrNothing } from '../mailbox/index.ts'
import { inSlices } from '../system/slices.ts'
import type { Clock, Disk, Listed, Path, Stat } from '../system/types.ts'
import { whoseOf } from './desk.ts'
import type { DropFolder, IsNamed, OwnerOf } from './types.ts'
import { hasWriter, openOrNothing } from './writer.ts'

const UNNAMED_MS = 10 * 60_000
const DRAFT_MS = 5 * 60_000
/** Looked at in one sweep; of a folder with more, the next sweep goes on behind the last one. */
const MOST_A_FOLDER = 1_000

export type Leftovers = Readonly<{ sweep: (folders: readonly DropFolder[]) => Promise<void> }>

type Seen = { mark: string; sinceMs: number; told: FaultCode | undefined }

const aboutOf = (folder: DropFolder, name: string): string => `${folder.shown}/files/${showSafely(name)}`

export function createLeftovers(clock: Clock, disk: Disk, raise: Raise, clear: Clear, ownerOf: OwnerOf, isNamed: IsNamed): Leftovers {
  const seen = new Map<string, Seen>()
  /** How many were looked at, of folders that hold more than one sweep looks at. */
  const lookedAt = new Map<string, number>()
  let underWay = false

  async function look(folder: DropFolder, present: Set<string>): Promise<void> {
    const files = openOrNothing(`${folder.path}/files`, disk.openFolder)
    if (files === undefined) return
    const from = lookedAt.get(folder.path) ?? 0
    let nth = 0
    try {
      await inSlices(clock, disk.entries(disk.at(files, '.')), (entry) => {
        const isDue = nth >= from && nth < from + MOST_A_FOLDER
        nth++
        const about = aboutOf(folder, entry.name)
        if (seen.has(about)) present.add(about)
        if (!isDue) return
        const path = disk.at(files, entry.raw ?? entry.name)
        const stat = statOrNothing(disk, path)
        if (stat) judge(folder, entry, path, stat, present)
      })
    } finally {
      disk.close(files)
    }
    if (nth > from + MOST_A_FOLDER) lookedAt.set(folder.path, from + MOST_A_FOLDER)
    else lookedAt.delete(folder.path)
  }

  function judge(folder: DropFolder, { name, raw }: Listed, path: Path, stat: Stat, present: Set<string>): void {
    const about = aboutOf(folder, name)
    const isDraft = isDraftName(name)
    present.add(about)
    // Of a draft the time since it was written last counts, of any other file the time it lies there.
    const mark = isDraft ? `${stat.ino}:${stat.size}:${stat.mtimeMs}` : ''
    const known = seen.get(about)
    const one = known?.mark === mark ? known : { mark, sinceMs: clock.monotonic(), told: known?.told }
    seen.set(about, one)
    if (stat.kind === 'file' && raw === undefined && isNamed(folder, name, stat.uid)) {
      if (one.told) clear(one.told, about)
      // Once no message that waits sends it along any more, it has its time from then on.
      Object.assign(one, { sinceMs: clock.monotonic(), told: undefined })
      return
    }
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
      fix: fixFor(folder, { name, raw }, isDraft),
    })
  }

  return {
    sweep: async (folders) => {
      if (underWay) return
      underWay = true
      try {
        const present = new Set<string>()
        for (const folder of folders) await look(folder, present)
        for (const [about, { told }] of seen) {
          if (present.has(about)) continue
          seen.delete(about)
          if (told) clear(told, about)
        }
      } finally {
        underWay = false
      }
    },
  }
}

/** What has the name of a message was meant to be sent: nothing in `files/` is. */
function fixFor({ shown }: DropFolder, { name, raw }: Pick<Listed, 'name' | 'raw'>, isDraft: boolean): string {
  const fileWord = shellPath(`${shown}/files`, name, raw)
  if (!isDraft && isMessageName(name)) return `mv -n ${fileWord} ${shellPath(shown, name, raw)}   # to send it; or send the message that it belongs to`
  return `rm ${fileWord}   # or ${isDraft ? 'give it its own name' : 'send the message that it belongs to'}`
}
