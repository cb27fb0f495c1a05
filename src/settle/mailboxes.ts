/** Looks after new/, cur/ and done/ of every holder: reports changes, sweeps for those that were not reported, rolls months. */
import type { Name } from '../core/names.ts'
import { FOLDERS, type Folder } from '../core/status.ts'
import { shellWord } from '../core/text.ts'
import { isGone, listOrNothing, markOf, parseFileName, statOrNothing } from '../mailbox/index.ts'
import type { Cancel } from '../system/types.ts'
import { makeOddNames } from './oddnames.ts'
import type { Settle } from './settle.ts'
import type { SettleGiven } from './types.ts'

/** Files whose marks are compared in one sweep: an edit in place that was not reported is found within n/500 sweeps. */
const MARKS_A_SWEEP = 500
const RACY_MS = 100

export type Mailboxes = Readonly<{
  setHolders: (holders: readonly Name[]) => void
  /** Every folder that changed is listed and compared with the ledger. */
  sweep: (all: boolean) => void
  rollMonths: () => void
  stop: () => void
}>

type Box = { cancels: Cancel[]; ctimeMs: Record<Folder, number>; listedAtMs: number; troubled: boolean }

export function createMailboxes(given: SettleGiven, settle: Settle): Mailboxes {
  const { clock, disk, layout, ledger } = given
  const boxes = new Map<Name, Box>()
  const oddNames = makeOddNames(given)
  let round: ReturnType<typeof ledger.all> | undefined

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
    try {
      settle.touched(holder, folder, name)
    } catch (cause) {
      unlisted(holder)
      if (!isGone(cause)) given.log('warn', 'a report could not be followed', { file: `workspaces/${holder}/${folder}/${name}`, why: String(cause) })
    }
  }

  function unlisted(holder: Name): void {
    const box = boxes.get(holder)
    if (box) box.ctimeMs = { new: -1, cur: -1, done: -1 }
  }

  function sweepBox(holder: Name, box: Box, all: boolean): void {
    for (const folder of ['new', 'cur'] as const) {
      const path = layout.folder(holder, folder)
      const stat = statOrNothing(disk, path)
      const missing = stat?.kind !== 'folder'
      if (missing) {
        given.pins.forget(path)
        given.repair(holder)
      }
      if (missing || !given.pins.stillThere(path)) {
        for (const cancel of box.cancels) cancel()
        box.cancels = watchBox(holder)
        box.ctimeMs[folder] = -1
      }
      if (missing) continue
      const changed = stat.ctimeMs !== box.ctimeMs[folder] || box.listedAtMs - stat.ctimeMs < RACY_MS
      if (!all && !changed) continue
      box.ctimeMs[folder] = stat.ctimeMs
      if (compare(holder, folder)) box.ctimeMs[folder] = -1
    }
    box.listedAtMs = clock.now()
  }

  /** True: it must be listed again soon, changed or not. */
  function compare(holder: Name, folder: Folder): boolean {
    const seen = new Set<string>()
    const entries = disk.list(layout.folder(holder, folder))
    for (const { name, raw } of entries) {
      if (raw) continue
      const id = parseFileName(name)?.id
      const mail = id && ledger.get(id)
      if (mail && mail.holder === holder && mail.folder === folder && mail.file === name) seen.add(mail.id)
      else settle.touched(holder, folder, name)
    }
    for (const mail of ledger.of(holder).values()) if (mail.folder === folder && !seen.has(mail.id)) settle.look(mail)
    return oddNames.see(holder, folder, entries)
  }

  function compareMarks(): void {
    for (let left = Math.min(MARKS_A_SWEEP, ledger.size()); left > 0; left--) {
      round ??= ledger.all()
      const next = round.next()
      if (next.done) {
        round = undefined
        return
      }
      const mail = ledger.get(next.value.id)
      if (!mail) continue
      const stat = statOrNothing(disk, `${layout.folder(mail.holder, mail.folder)}/${mail.file}`)
      if (!stat || markOf(stat) !== mail.mark) settle.look(mail)
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
        if (!boxes.has(holder)) boxes.set(holder, { cancels: watchBox(holder), ctimeMs: { new: -1, cur: -1, done: -1 }, listedAtMs: 0, troubled: false })
      }
    },
    sweep: (all) => {
      for (const [holder, box] of boxes) {
        try {
          sweepBox(holder, box, all)
          if (box.troubled) given.clear('unreadable-file', `workspaces/${holder}`)
          box.troubled = false
        } catch (cause) {
          const about = `workspaces/${holder}`
          box.troubled = true
          given.raise({
            code: 'unreadable-file',
            about,
            agent: holder,
            sentence: `The mailbox of ${holder} cannot be read (${String(cause)}); it is being made right.`,
            fix: `ls -la ${shellWord(about)}`,
          })
          given.repair(holder)
        }
      }
      compareMarks()
    },
    rollMonths: () => {
      const month = new Date(clock.now()).toISOString().slice(0, 7)
      for (const holder of boxes.keys()) {
        try {
          roll(given, holder, month)
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

/** Settled mail of past months goes to done/2026-10/, so that no folder grows without end. */
function roll(given: SettleGiven, holder: Name, month: string): void {
  const { disk, layout } = given
  const done = layout.folder(holder, 'done')
  for (const { name, kind } of listOrNothing(disk, done)) {
    if (kind !== 'file' || !parseFileName(name)) continue
    const stat = statOrNothing(disk, given.pins.at(done, name))
    const settled = stat && new Date(stat.mtimeMs).toISOString().slice(0, 7)
    if (!settled || settled >= month) continue
    const folder = given.pins.at(done, settled)
    if (!statOrNothing(disk, folder)) disk.makeFolder(folder, 0o2750, given.mailOwner(holder))
    disk.renameNew(given.pins.at(done, name), given.pins.at(`${done}/${settled}`, name))
  }
}
