/** Files in a mailbox that are no unsettled message of its holder: drafts of editors, settled mail put back, things of unknown origin. */
import type { Name } from '../core/names.ts'
import type { Folder } from '../core/status.ts'
import { isMonth, type Mail, parseFileName, statOrNothing } from '../mailbox/index.ts'
import { admissionByMirror } from './adopt.ts'
import { makeLooks } from './looks.ts'
import { createSettled } from './settled.ts'
import { createStrays } from './strays.ts'
import type { SettleGiven } from './types.ts'

/** Names of a holder's whose ids are looked for in the journal in one moment: anybody can make up any number of them. */
const LOOKED_UP = 16
const MOMENT_MS = 1_000
/** Names of a holder's that wait to be looked at. */
const MOST_WAITING = 1_000
const MOST_WITH_ID = 20_000

export type Strangers = Readonly<{
  meet: (holder: Name, folder: Folder, name: string) => void
  /** A message was settled, as its file now stands in done/. */
  remember: (mail: Mail) => void
  sweep: () => void
}>

const idOf = (key: string): string => parseFileName(key.slice(key.lastIndexOf('/') + 1))?.id ?? 'none'

export function createStrangers(given: SettleGiven, readmit: (mail: Mail) => void, shown: (mail: Mail, text: string) => void): Strangers {
  const { clock, disk, layout } = given
  const strays = createStrays(given, meet)
  const settled = createSettled(given, readmit, shown, (mail, place, ms) => looks.later(mail.holder, `${mail.holder}/${place.folder}/${place.file}`, ms))
  const looks = makeLooks<string>(clock, (key) =>
    meetNow(key).catch((cause: unknown) =>
      given.log('error', 'a file could not be looked at', { id: idOf(key), file: `workspaces/${key}`, why: String(cause) }),
    ),
  )
  let lookedUp = new Map<Name, number>()
  let planned = false
  /** Over what may be looked up in this moment. */
  const later = new Map<Name, Set<string>>()

  function meet(holder: Name, folder: Folder, name: string): void {
    const hasId = parseFileName(name) !== undefined
    const waiting = looks.waiting(holder)
    const isTooMuch = hasId ? waiting >= MOST_WITH_ID : waiting >= MOST_WAITING || !(strays.hasRoom(holder, folder) || strays.has(holder, folder, name))
    if (isTooMuch) strays.refuse(holder, folder)
    else looks.soon(holder, `${holder}/${folder}/${name}`)
  }

  /** Whether one more name of this holder's may be looked up now; if not, it is met again in a moment. */
  function mayLookUp(holder: Name, folder: Folder, key: string): boolean {
    const count = lookedUp.get(holder) ?? 0
    plan()
    lookedUp.set(holder, count + 1)
    if (count < LOOKED_UP) return true
    const waiting = later.get(holder) ?? new Set()
    later.set(holder, waiting)
    if (waiting.size < MOST_WITH_ID) waiting.add(key)
    else strays.refuse(holder, folder)
    return false
  }

  function plan(): void {
    if (!planned) clock.after(MOMENT_MS, nextMoment)
    planned = true
  }

  function nextMoment(): void {
    planned = false
    lookedUp = new Map()
    for (const [holder, waiting] of later) {
      for (const key of [...waiting].slice(0, LOOKED_UP)) {
        waiting.delete(key)
        looks.soon(holder, key)
      }
      if (waiting.size === 0) later.delete(holder)
    }
    if (later.size > 0) plan()
  }

  async function meetNow(key: string): Promise<void> {
    const [holder, folder, name] = splitKey(key) as [Name, Folder, string]
    const path = given.pins.at(layout.folder(holder, folder), name)
    const stat = statOrNothing(disk, path)
    if (!stat) {
      settled.forget(key)
      return strays.forget(holder, folder, name)
    }
    if (strays.has(holder, folder, name)) return
    if (folder === 'done' && stat.kind === 'folder' && isMonth(name)) return
    const id = parseFileName(name)?.id
    if (id !== undefined && stat.kind === 'file') {
      if (folder === 'done' && settled.isAsAgreed(id, stat)) return
      const unsettled = given.ledger.get(id)
      if (unsettled?.holder === holder) return readmit(unsettled)
      if (!mayLookUp(holder, folder, key)) return
      const mail = await given.past(id)
      if (mail && mail.holder === holder) {
        const now = given.ledger.get(id) ? undefined : statOrNothing(disk, path)
        if (now?.kind === 'file') return settled.putRight(mail, { folder, file: name, path, stat: now })
        // Reopened, moved or replaced meanwhile.
        return meet(holder, folder, name)
      }
      const admission = mail || folder === 'done' ? undefined : admissionByMirror(given, holder, { folder, file: name, path, stat }, id)
      if (admission === 'busy') return looks.later(holder, key, MOMENT_MS)
      const adopted = admission && given.readmit(admission)
      if (adopted) return readmit(adopted)
    }
    strays.add(holder, folder, name)
  }

  return {
    meet,
    remember: settled.remember,
    sweep: () => {
      strays.sweep()
      settled.sweep(meet)
    },
  }
}

function splitKey(key: string): [string, string, string] {
  const first = key.indexOf('/')
  const second = key.indexOf('/', first + 1)
  return [key.slice(0, first), key.slice(first + 1, second), key.slice(second + 1)]
}
