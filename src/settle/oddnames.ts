/** Names in a mailbox that are not UTF-8: nothing the daemon made, and no path that could be written down; told after 10 s. */
import type { Name } from '../core/names.ts'
import type { Folder } from '../core/status.ts'
import { shellWord, showSafely } from '../core/text.ts'
import { statOrNothing } from '../mailbox/index.ts'
import type { Listed } from '../system/types.ts'
import { keptFor, MOST_A_FOLDER, untoldMs } from './strays.ts'
import type { SettleGiven } from './types.ts'

export type OddNames = Readonly<{
  /** A listing of a mailbox folder. True: one of them waits to be told, so the folder must be listed again soon. */
  see: (holder: Name, folder: Folder, entries: readonly Listed[]) => boolean
}>

export function makeOddNames(given: SettleGiven): OddNames {
  const { clock, disk, layout } = given
  const known = new Map<string, Map<string, { sinceMs: number; told: boolean }>>()

  function tell(holder: Name, folder: Folder, about: string, raw: Buffer): void {
    const path = `workspaces/${holder}/${folder}`
    const stat = statOrNothing(disk, given.pins.at(layout.folder(holder, folder), raw))
    if (!stat) return
    const { makeCommand, keptWord } = keptFor(given, holder)
    given.raise({
      code: 'unmatched-file',
      about,
      agent: holder,
      sentence: `${about} has a name that is not UTF-8; it is not a message the daemon put there, and is not looked at.`,
      fix: `${makeCommand}find ${shellWord(path)} -maxdepth 1 -inum ${stat.ino} -exec mv -nT {} ${keptWord}stray-${stat.ino} \\;`,
    })
  }

  return {
    see: (holder, folder, entries) => {
      const place = `workspaces/${holder}/${folder}`
      const before = known.get(place)
      const now = new Map<string, { sinceMs: number; told: boolean }>()
      let waits = false
      for (const { name, raw } of entries) {
        if (!raw || now.size >= MOST_A_FOLDER) continue
        const about = `${place}/${showSafely(name)}`
        const one = before?.get(about) ?? { sinceMs: clock.monotonic(), told: false }
        now.set(about, one)
        const isDue = clock.monotonic() - one.sinceMs >= untoldMs(name)
        if (isDue && !one.told) tell(holder, folder, about, raw)
        one.told ||= isDue
        waits ||= !one.told
      }
      for (const [about, { told }] of before ?? []) if (told && !now.has(about)) given.clear('unmatched-file', about)
      if (now.size > 0) known.set(place, now)
      else known.delete(place)
      return waits
    },
  }
}
