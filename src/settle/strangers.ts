/** Files in a mailbox that are no unsettled message of its holder: drafts of editors, settled mail put back, things of unknown origin. */
import type { MessageId } from '../core/ids.ts'
import type { Name } from '../core/names.ts'
import { type Folder, isSettled, type Status } from '../core/status.ts'
import { shellWord, showSafely } from '../core/text.ts'
import { formatSize } from '../core/units.ts'
import { isDraftName, type Mail, markOf, parseFileName, statOrNothing } from '../mailbox/index.ts'
import { parseMessage, readHolder, rewrite } from '../message/index.ts'
import { setAside } from './aside.ts'
import { move, type Place, putNew, snapshot } from './file.ts'
import { makeLooks } from './looks.ts'
import { swap } from './swap.ts'
import type { SettleGiven } from './types.ts'

const STRAY_MS = 10_000
const DRAFT_MS = 5 * 60_000
/** Settled messages whose files are known by heart; older ones are read. */
const REMEMBERED = 10_000
/** Names of a holder's whose ids are looked for in the journal in one moment: anybody can make up any number of them. */
const LOOKED_UP = 16
const MOMENT_MS = 1_000
/** Some editors save by a link and take the old name away. */
const LINKED_MS = 1_000

export type Strangers = Readonly<{
  meet: (holder: Name, folder: Folder, name: string) => void
  /** A message was settled, as its file now stands in done/. */
  remember: (mail: Mail) => void
  sweep: () => void
}>

const idOf = (key: string): string => parseFileName(key.slice(key.lastIndexOf('/') + 1))?.id ?? 'none'

type Stray = { sinceMs: number; alerted: boolean }

export function createStrangers(given: SettleGiven, readmit: (mail: Mail) => void): Strangers {
  const { clock, disk, layout } = given
  const strays = new Map<string, Stray>()
  const settled = new Map<MessageId, { mark: string; status: Status | undefined }>()

  const linked = new Set<string>()
  const looks = makeLooks<string>(clock, (key) =>
    meetNow(key).catch((cause: unknown) =>
      given.log('error', 'a file could not be looked at', { id: idOf(key), file: `workspaces/${key}`, why: String(cause) }),
    ),
  )
  let lookedUp = new Map<Name, number>()
  /** Over what may be looked up in this moment. */
  let later = new Set<string>()

  const shown = (holder: Name, folder: Folder, name: string): string => `workspaces/${holder}/${folder}/${showSafely(name)}`

  function soon(key: string): void {
    const [holder] = splitKey(key)
    looks.soon(holder as Name, key)
  }

  /** Whether one more name of this holder's may be looked up now; if not, it is met again in a moment. */
  function mayLookUp(holder: Name, key: string): boolean {
    const count = lookedUp.get(holder) ?? 0
    if (lookedUp.size === 0)
      clock.after(MOMENT_MS, () => {
        const waiting = later
        lookedUp = new Map()
        later = new Set()
        for (const one of waiting) soon(one)
      })
    lookedUp.set(holder, count + 1)
    if (count < LOOKED_UP) return true
    later.add(key)
    return false
  }

  async function meetNow(key: string): Promise<void> {
    const [holder, folder, name] = splitKey(key) as [Name, Folder, string]
    const path = given.pins.at(layout.folder(holder, folder), name)
    const stat = statOrNothing(disk, path)
    if (!stat) return forget(key)
    if (strays.has(key)) return
    if (folder === 'done' && stat.kind === 'folder' && /^\d{4}-\d{2}$/.test(name)) return
    const id = parseFileName(name)?.id
    if (id !== undefined && stat.kind === 'file') {
      if (folder === 'done' && settled.get(id)?.mark === markOf(stat)) return
      const unsettled = given.ledger.get(id)
      if (unsettled?.holder === holder) return readmit(unsettled)
      if (!mayLookUp(holder, key)) return
      const mail = given.recall(id)
      if (mail && mail.holder === holder) return back(mail, { folder, file: name, path, stat }, key)
    }
    strays.set(key, { sinceMs: clock.monotonic(), alerted: false })
  }

  function forget(key: string): void {
    const stray = strays.get(key)
    strays.delete(key)
    if (stray?.alerted) given.clear('unmatched-file', `workspaces/${key}`)
  }

  /** A settled message was changed or moved by its holder, who may not reopen it. A note may lie where its holder likes. */
  async function back(mail: Mail, place: Place, key: string): Promise<void> {
    if (mail.status === null) {
      if (place.folder !== 'done') readmit({ ...mail, folder: place.folder, file: place.file })
      return
    }
    const read = snapshot(given, mail, place)
    if (read === 'busy' || read === 'gone') return
    if (read === 'too-large') return leaveLarge(mail, place)
    if (read === 'linked' && !linked.has(key)) {
      linked.add(key)
      return void clock.after(LINKED_MS, () => soon(key))
    }
    linked.delete(key)
    if (typeof read === 'string') return putBackSafe(mail, place)
    try {
      const parsed = parseMessage(read.bytes, { frontMatterBytes: read.bytes.length })
      const status = parsed.ok ? readHolder(parsed.message).status : undefined
      const right = statusOf(mail)
      if (status === right && place.folder === 'done') return void settled.set(mail.id, { mark: markOf(place.stat), status: right })
      if (parsed.ok && status !== right && typeof (await swap(given, mail, place, read, rewrite(parsed.message.text, { status: right }))) === 'string') return
      if (place.folder !== 'done') move(given, mail, place.path, 'done', mail.file)
      given.raise({
        code: 'status-conflict',
        about: mail.id,
        agent: mail.holder,
        sentence: `${mail.holder} tried to reopen message ${mail.id} (${mail.subject}), which is ${right}; only its sender may. It was put back.`,
        fix: `penny set ${mail.id} status=open   # as its sender or the postmaster`,
      })
    } finally {
      read.letGo()
    }
  }

  /** What it was settled as, where this daemon saw it; else its file is all there is to go by. */
  const statusOf = (mail: Mail): Status => settled.get(mail.id)?.status ?? (mail.status !== null && isSettled(mail.status) ? mail.status : 'done')

  /** It would be cut off where it were written anew, so it stays as its holder made it. */
  function leaveLarge(mail: Mail, place: Place): void {
    if (place.folder !== 'done') move(given, mail, place.path, 'done', mail.file)
    remember({ ...mail, status: statusOf(mail) })
    const about = shown(mail.holder, 'done', mail.file)
    given.raise({
      code: 'too-large',
      about: mail.id,
      agent: mail.holder,
      sentence: `${about}, which is settled, has grown to ${formatSize(place.stat.size)}; it is left as it is.`,
      fix: `ls -l ${shellWord(`workspaces/${mail.holder}/done/${mail.file}`)}`,
    })
  }

  /** What lies there may be another's file, which the daemon must not read for this holder. */
  async function putBackSafe(mail: Mail, place: Place): Promise<void> {
    const kept = setAside(given, mail, place.path, 'was-in-its-place')
    const sentence = `In the place of message ${mail.id} (${mail.subject}), which is settled, lay a file that has other names too (a hard link) or a foreign owner; it was not read and is kept in ${kept}.`
    given.raise({ code: 'unsafe-file', about: mail.id, agent: mail.holder, sentence, fix: `stat ${shellWord(kept)}` })
    const original = given.original(mail.id)
    const status = statusOf(mail)
    if (original === undefined) return
    if (!statOrNothing(disk, given.pins.at(layout.folder(mail.holder, 'done'), mail.file))) await putNew(given, mail, 'done', rewrite(original, { status }))
    remember({ ...mail, status })
  }

  function remember(mail: Mail): void {
    const stat = statOrNothing(disk, given.pins.at(layout.folder(mail.holder, 'done'), mail.file))
    if (!stat) return
    settled.set(mail.id, { mark: markOf(stat), status: mail.status ?? undefined })
    const [oldest] = settled.keys()
    if (settled.size > REMEMBERED && oldest !== undefined) settled.delete(oldest)
  }

  return {
    meet: (holder, folder, name) => soon(`${holder}/${folder}/${name}`),
    remember,
    sweep: () => {
      const now = clock.monotonic()
      for (const [key, stray] of strays) {
        const [holder = '', folder = '', name = ''] = splitKey(key)
        const stat = statOrNothing(disk, `${layout.workspace(holder)}/${folder}/${name}`)
        if (!stat) forget(key)
        else if (!stray.alerted && now - stray.sinceMs > (isDraftName(name) ? DRAFT_MS : STRAY_MS)) {
          stray.alerted = true
          const about = shown(holder as Name, folder as Folder, name)
          given.raise({
            code: 'unmatched-file',
            about: `workspaces/${key}`,
            agent: holder,
            sentence: `${about} is not a message the daemon put there; it is not looked at. To send something, drop it in workspaces/${holder}/outbox/.`,
            fix: `mv ${shellWord(`workspaces/${key}`)} workspaces/${shellWord(holder)}/home/`,
          })
        }
      }
    },
  }
}

function splitKey(key: string): [string, string, string] {
  const first = key.indexOf('/')
  const second = key.indexOf('/', first + 1)
  return [key.slice(0, first), key.slice(first + 1, second), key.slice(second + 1)]
}
