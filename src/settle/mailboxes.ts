/** Looks after new/, cur/ and done/ of every holder: reports changes, sweeps for those that were not reported, rolls months. */
import type { MessageId } from '../core/ids.ts'
import type { Name } from '../core/names.ts'
import { FOLDERS, type Folder } from '../core/status.ts'
import { shellWord } from '../core/text.ts'
import { isGone, isMonth, isRacy, listOrNothing, type Mail, markOf, parseFileName, statOrNothing } from '../mailbox/index.ts'
import { inSlices } from '../system/slices.ts'
import type { Cancel, Listed as Entry, Stat } from '../system/types.ts'
import { makeOddNames } from './oddnames.ts'
import type { Settle } from './settle.ts'
import type { SettleGiven } from './types.ts'

/**
 * Files whose marks are compared in one sweep, some 5 µs each: no listing tells of an edit in place. Where it was not reported, one of
 * what is worked on (cur/) or came lately is found within one sweep, or within n/1,000 of them; one of the rest within n/1,500.
 */
const LIKELY_A_SWEEP = 1_000
const MARKS_A_SWEEP = 1_500
const LATELY_MS = 10 * 60_000
/** A folder that takes long to list, because its holder filled it, is listed again after so many times as long. */
const LISTING_PAUSES = 20

export type Mailboxes = Readonly<{
  setHolders: (holders: readonly Name[]) => void
  /** Every folder that changed is listed and compared with the ledger. */
  sweep: (all: boolean) => Promise<void>
  rollMonths: () => Promise<void>
  stop: () => void
}>

/** Folders that are listed. */
type Listed = 'new' | 'cur'
/** `rights`: owner and mode as last seen; `moved`: a watch said that one of its folders went away, or has another owner or mode. */
type Box = {
  cancels: Cancel[]
  ctimeMs: Record<Listed, number>
  nextMs: Record<Listed, number>
  rights: Record<Listed, string>
  moved: boolean
  troubled: boolean
  /** It is being looked at. */
  busy: boolean
}

export function createMailboxes(given: SettleGiven, settle: Settle): Mailboxes {
  const { clock, disk, layout, ledger } = given
  const boxes = new Map<Name, Box>()
  const oddNames = makeOddNames(given)
  let round: ReturnType<typeof ledger.all> | undefined
  /** Where the last sweep ended among the likely ones. */
  let likelyAt = 0

  function watchBox(holder: Name): Cancel[] {
    return FOLDERS.flatMap((folder) => {
      try {
        return [given.watch(layout.folder(holder, folder), (name) => reported(holder, folder, name))]
      } catch (cause) {
        if (!isGone(cause)) throw cause
        return []
      }
    })
  }

  /** A hint: whatever goes wrong with it, the sweep looks again. */
  function reported(holder: Name, folder: Folder, name: string | null): void {
    if (name === null) return unlisted(holder)
    // How a watch reports on its own folder; a file of that name is found by the listing that follows.
    if (name === folder) return moved(holder)
    try {
      settle.touched(holder, folder, name)
    } catch (cause) {
      unlisted(holder)
      if (!isGone(cause)) given.log('warn', 'a report could not be followed', { file: `workspaces/${holder}/${folder}/${name}`, why: String(cause) })
    }
  }

  function moved(holder: Name): void {
    const box = boxes.get(holder)
    if (box) box.moved = true
  }

  function unlisted(holder: Name): void {
    const box = boxes.get(holder)
    if (box) box.ctimeMs = { new: -1, cur: -1 }
  }

  function watchAnew(holder: Name, box: Box): void {
    for (const cancel of box.cancels) cancel()
    box.cancels = watchBox(holder)
  }

  async function sweepBox(holder: Name, box: Box, all: boolean): Promise<void> {
    if (box.moved) {
      given.repair(holder)
      watchAnew(holder, box)
      box.ctimeMs = { new: -1, cur: -1 }
      box.moved = false
    }
    for (const folder of ['new', 'cur'] as const) {
      const path = layout.folder(holder, folder)
      const stat = statOrNothing(disk, path)
      const missing = stat?.kind !== 'folder'
      if (missing) {
        given.pins.forget(path)
        given.repair(holder)
      }
      if (missing || !given.pins.stillThere(path, stat)) {
        watchAnew(holder, box)
        box.ctimeMs[folder] = -1
      }
      if (missing) continue
      if (stat.ctimeMs !== box.ctimeMs[folder]) checkRights(holder, box, folder, stat)
      const startedMs = clock.monotonic()
      if (!all && (stat.ctimeMs === box.ctimeMs[folder] || startedMs < box.nextMs[folder])) continue
      const listedMs = clock.now()
      box.ctimeMs[folder] = stat.ctimeMs
      if ((await compare(holder, folder)) || isRacy(stat.ctimeMs, listedMs)) box.ctimeMs[folder] = -1
      const endedMs = clock.monotonic()
      box.nextMs[folder] = endedMs + LISTING_PAUSES * (endedMs - startedMs)
    }
  }

  function checkRights(holder: Name, box: Box, folder: Listed, stat: Stat): void {
    if (rightsOf(stat) === box.rights[folder]) return
    if (box.rights[folder] !== '') given.repair(holder)
    const now = statOrNothing(disk, layout.folder(holder, folder))
    box.rights[folder] = now ? rightsOf(now) : ''
  }

  /** True: it must be listed again soon, changed or not. */
  async function compare(holder: Name, folder: Folder): Promise<boolean> {
    const seen = new Set<string>()
    const odd: Entry[] = []
    await inSlices(clock, disk.entries(layout.folder(holder, folder)), (entry) => {
      const { name, raw } = entry
      if (raw) return void odd.push(entry)
      const id = parseFileName(name)?.id
      const mail = id && ledger.get(id)
      if (mail && mail.holder === holder && mail.folder === folder && mail.file === name) seen.add(mail.id)
      else settle.touched(holder, folder, name)
    })
    for (const mail of ledger.of(holder).values()) if (mail.folder === folder && !seen.has(mail.id)) settle.look(mail)
    return oddNames.see(holder, folder, odd)
  }

  /** Of one that is still being looked at, because its holder filled it, the next sweep is told. */
  async function look(holder: Name, box: Box, all: boolean): Promise<void> {
    if (box.busy) return
    const about = `workspaces/${holder}`
    box.busy = true
    try {
      await sweepBox(holder, box, all)
      if (box.troubled) given.clear('unreadable-file', about)
      box.troubled = false
    } catch (cause) {
      box.troubled = true
      given.raise({
        code: 'unreadable-file',
        about,
        agent: holder,
        sentence: `The mailbox of ${holder} cannot be read (${String(cause)}); it is being made right.`,
        fix: `ls -la ${shellWord(about)}`,
      })
      given.repair(holder)
    } finally {
      box.busy = false
    }
  }

  function compareMark(mail: Mail): void {
    try {
      const stat = statOrNothing(disk, `${layout.folder(mail.holder, mail.folder)}/${mail.file}`)
      if (!stat || markOf(stat) !== mail.mark) settle.look(mail)
    } catch (cause) {
      // One folder that cannot be read must not keep the others from being looked at.
      given.log('warn', 'a file could not be compared', { id: mail.id, why: String(cause) })
    }
  }

  function* likely(): Iterable<Mail> {
    const sinceMs = clock.now() - LATELY_MS
    const all: MessageId[] = []
    for (const mail of ledger.all()) if (mail.folder === 'cur' || mail.createdMs > sinceMs) all.push(mail.id)
    if (likelyAt >= all.length) likelyAt = 0
    likelyAt += LIKELY_A_SWEEP
    for (const id of all.slice(likelyAt - LIKELY_A_SWEEP, likelyAt)) {
      const mail = ledger.get(id)
      if (mail) yield mail
    }
  }

  /** The next ones of all, going on where the last sweep ended. */
  function* nextMarks(): Iterable<Mail> {
    for (let left = Math.min(MARKS_A_SWEEP, ledger.size()); left > 0; left--) {
      round ??= ledger.all()
      const next = round.next()
      if (next.done) {
        round = undefined
        return
      }
      const mail = ledger.get(next.value.id)
      if (mail) yield mail
    }
  }

  return {
    setHolders: (holders) => {
      for (const [holder, box] of boxes) {
        if (holders.includes(holder)) continue
        for (const cancel of box.cancels) cancel()
        boxes.delete(holder)
      }
      for (const holder of holders) {
        if (boxes.has(holder)) continue
        const never = { new: -1, cur: -1 }
        const rights = { new: '', cur: '' }
        boxes.set(holder, { cancels: watchBox(holder), ctimeMs: { ...never }, nextMs: { ...never }, rights, moved: false, troubled: false, busy: false })
      }
    },
    sweep: async (all) => {
      const looks = [...boxes].map(([holder, box]) => look(holder, box, all))
      if (ledger.size() > MARKS_A_SWEEP) await inSlices(clock, likely(), compareMark)
      await inSlices(clock, nextMarks(), compareMark)
      await Promise.all(looks)
    },
    rollMonths: async () => {
      const month = new Date(clock.now()).toISOString().slice(0, 7)
      for (const holder of [...boxes.keys()]) {
        try {
          await roll(given, holder, month)
        } catch (cause) {
          given.log('warn', 'past months could not be put away', { holder, why: String(cause) })
        }
      }
    },
    stop: () => {
      for (const { cancels } of boxes.values()) for (const cancel of cancels) cancel()
    },
  }
}

const rightsOf = ({ mode, uid, gid }: Stat): string => `${mode} ${uid} ${gid}`

/** Settled mail of past months goes to done/2026-10/, so that no folder grows without end. */
async function roll(given: SettleGiven, holder: Name, month: string): Promise<void> {
  const { disk, layout } = given
  const done = layout.folder(holder, 'done')
  await inSlices(given.clock, listOrNothing(disk, done), ({ name, kind }) => {
    if (kind !== 'file' || !parseFileName(name)) return
    const stat = statOrNothing(disk, given.pins.at(done, name))
    const settled = stat && new Date(stat.mtimeMs).toISOString().slice(0, 7)
    // Of a time that its holder made up, or from before the clock was set: it would be looked for in no folder of that name.
    if (!settled || !isMonth(settled) || settled >= month) return
    const folder = given.pins.at(done, settled)
    if (!statOrNothing(disk, folder)) disk.makeFolder(folder, 0o2750, given.mailOwner(holder))
    disk.renameNew(given.pins.at(done, name), given.pins.at(`${done}/${settled}`, name))
  })
}
