/** Files in a mailbox that are none of the daemon's: told one by one up to a number, beyond that as one for the folder. */
import type { Name } from '../core/names.ts'
import type { Folder } from '../core/status.ts'
import { shellWord, showSafely } from '../core/text.ts'
import { isDraftName, listOrNothing, parseFileName, statOrNothing } from '../mailbox/index.ts'
import type { SettleGiven } from './types.ts'

const STRAY_MS = 10_000
const DRAFT_MS = 5 * 60_000
/** Anybody can make any number of files in its own folders: so many of one folder are followed, and so many of all looked at in a sweep. */
export const MOST_A_FOLDER = 100
const LOOKED_AT = 500
/** Without one that had no room: whether there are still too many is then asked anew. */
const CROWDED_MS = 130_000

/** How long a file may lie there before it is told of. */
export const untoldMs = (name: string): number => (isDraftName(name) ? DRAFT_MS : STRAY_MS)

/** Where a stray is moved to within its mailbox: a person has no home/ there, and what fixes put into `was-…` of attachments/ is left alone. */
export function keptFor({ config }: Pick<SettleGiven, 'config'>, holder: Name): Readonly<{ makeCommand: string; keptWord: string }> {
  if (config().agents.has(holder)) return { makeCommand: '', keptWord: shellWord(`workspaces/${holder}/home/`) }
  const keptWord = shellWord(`workspaces/${holder}/attachments/was-beside/`)
  return { makeCommand: `mkdir -p ${keptWord} && `, keptWord }
}

export type Strays = Readonly<{
  has: (holder: Name, folder: Folder, name: string) => boolean
  /** Whether one more of this folder's would be followed; where not, the folder is told as a whole. */
  hasRoom: (holder: Name, folder: Folder) => boolean
  /** It has no room, so the folder holds too many. */
  refuse: (holder: Name, folder: Folder) => void
  add: (holder: Name, folder: Folder, name: string) => void
  forget: (holder: Name, folder: Folder, name: string) => void
  sweep: () => void
}>

type Stray = { readonly sinceMs: number; told: boolean }
type Crowd = { readonly sinceMs: number; refusedMs: number; askedMs: number; told: boolean }
type Box = Readonly<{ holder: Name; folder: Folder; strays: Map<string, Stray> }>

export function createStrays(given: SettleGiven, meet: (holder: Name, folder: Folder, name: string) => void): Strays {
  const { clock, disk, layout } = given
  const boxes = new Map<string, Box>()
  const crowds = new Map<string, Crowd>()
  let round: Iterator<readonly [Box, string, Stray]> | undefined

  function* everyStray(): Generator<readonly [Box, string, Stray]> {
    for (const box of boxes.values()) for (const [name, stray] of box.strays) yield [box, name, stray]
  }

  function forget(holder: Name, folder: Folder, name: string): void {
    const at = `${holder}/${folder}`
    const stray = boxes.get(at)?.strays.get(name)
    if (!stray) return
    boxes.get(at)?.strays.delete(name)
    if (boxes.get(at)?.strays.size === 0) boxes.delete(at)
    if (stray.told) given.clear('unmatched-file', `workspaces/${at}/${name}`)
  }

  function refuse(holder: Name, folder: Folder): void {
    const now = clock.monotonic()
    const crowd = crowds.get(`${holder}/${folder}`)
    if (crowd) crowd.refusedMs = now
    else crowds.set(`${holder}/${folder}`, { sinceMs: now, refusedMs: now, askedMs: Number.NEGATIVE_INFINITY, told: false })
  }

  function look(now: number): void {
    for (let left = LOOKED_AT; left > 0; left--) {
      round ??= everyStray()
      const next = round.next()
      if (next.done) {
        round = undefined
        return
      }
      const [{ holder, folder }, name, stray] = next.value
      if (!statOrNothing(disk, `${layout.folder(holder, folder)}/${name}`)) forget(holder, folder, name)
      else if (!stray.told && !crowds.has(`${holder}/${folder}`) && now - stray.sinceMs > untoldMs(name)) {
        stray.told = true
        const about = `workspaces/${holder}/${folder}/${showSafely(name)}`
        const { makeCommand, keptWord } = keptFor(given, holder)
        given.raise({
          code: 'unmatched-file',
          about: `workspaces/${holder}/${folder}/${name}`,
          agent: holder,
          sentence: `${about} is not a message the daemon put there; it is not looked at. To send something, drop it in workspaces/${holder}/outbox/.`,
          fix: `${makeCommand}mv -n ${shellWord(`workspaces/${holder}/${folder}/${name}`)} ${keptWord}`,
        })
      }
    }
  }

  function lookAtCrowd(at: string, crowd: Crowd, now: number): void {
    const [holder, folder] = at.split('/') as [Name, Folder]
    const about = `workspaces/${at}`
    if (!crowd.told && now - crowd.sinceMs > STRAY_MS) {
      crowd.told = true
      const { makeCommand, keptWord } = keptFor(given, holder)
      given.raise({
        code: 'unmatched-file',
        about,
        agent: holder,
        sentence: `${about} holds more than ${MOST_A_FOLDER} files that are no messages the daemon put there; they are not looked at.`,
        fix: `${makeCommand}find ${shellWord(about)} -maxdepth 1 -type f ! -name '[1-9]-*.md' -exec mv -n -t ${keptWord} {} +`,
      })
    }
    if (now - crowd.refusedMs < CROWDED_MS) return
    if (crowd.askedMs < crowd.refusedMs) {
      crowd.askedMs = now
      for (const { name } of listOrNothing(disk, layout.folder(holder, folder))) if (!parseFileName(name)) meet(holder, folder, name)
    } else if (now - crowd.askedMs > STRAY_MS) {
      crowds.delete(at)
      if (crowd.told) given.clear('unmatched-file', about)
    }
  }

  return {
    has: (holder, folder, name) => boxes.get(`${holder}/${folder}`)?.strays.has(name) ?? false,
    hasRoom: (holder, folder) => (boxes.get(`${holder}/${folder}`)?.strays.size ?? 0) < MOST_A_FOLDER,
    refuse,
    add: (holder, folder, name) => {
      const at = `${holder}/${folder}`
      const box = boxes.get(at) ?? { holder, folder, strays: new Map<string, Stray>() }
      boxes.set(at, box)
      if (box.strays.size >= MOST_A_FOLDER) refuse(holder, folder)
      else box.strays.set(name, { sinceMs: clock.monotonic(), told: false })
    },
    forget,
    sweep: () => {
      const now = clock.monotonic()
      look(now)
      for (const [at, crowd] of crowds) lookAtCrowd(at, crowd, now)
    },
  }
}
