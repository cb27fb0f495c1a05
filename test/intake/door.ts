/** A drop folder with an intake before it: real files, real leases, a clock turned by hand. */
import { mkdirSync } from 'node:fs'
import type { Fault } from '../../src/core/fault.ts'
import { createIntake, type DropFolder, type Fate, type Intake, type Taken } from '../../src/intake/index.ts'
import { pinFolders } from '../../src/mailbox/index.ts'
import { realSystem } from '../../src/system/index.ts'
import type { Disk, System, WatchReport } from '../../src/system/types.ts'
import { type HandClock, handClock } from '../deadline/hand-clock.ts'

export type Door = Readonly<{
  root: string
  clock: HandClock
  intake: Intake
  /** `folder/name: text` of what was handed over. */
  taken: string[]
  refused: string[]
  open: Map<string, Fault>
  asked: { folders: number; repairs: string[]; noticed: string[]; helps: boolean }
  /** Tells the watcher's report for a folder, if events are not lost. */
  say: (folder: string, name: string | null, wrote?: boolean) => void
  /** Lets turns of the event loop pass. */
  settle: () => Promise<void>
  /** Lets time pass, as the daemon does: a sweep every second. */
  pass: (ms: number) => Promise<void>
  fate: { of: (taken: Taken) => Promise<Fate> }
}>

let system: System | undefined

export async function door(root: string, folders: readonly string[] = ['spool'], breakDisk: (disk: Disk) => Disk = (disk) => disk): Promise<Door> {
  mkdirSync(`${root}/probe`)
  system ??= await realSystem(`${root}/probe`, 'error', () => undefined)
  const clock = handClock(Date.now())
  const disk = breakDisk(system.disk)
  const reports = new Map<string, WatchReport>()
  const taken: string[] = []
  const refused: string[] = []
  const open = new Map<string, Fault>()
  const asked = { folders: 0, repairs: [] as string[], noticed: [] as string[], helps: true }
  const fate: Door['fate'] = {
    of: async (one) => {
      disk.unlink(one.raw ? Buffer.concat([Buffer.from(`${one.folder.path}/`), one.raw]) : `${one.folder.path}/${one.name}`)
      return 'gone'
    },
  }
  const intake = createIntake({
    clock,
    disk,
    watch: (folder, report) => {
      reports.set(folder.slice(root.length + 1), report)
      return () => reports.delete(folder.slice(root.length + 1))
    },
    log: () => undefined,
    pins: pinFolders(disk),
    messageBytes: () => 1_000,
    raise: (fault) => void open.set(`${fault.code} ${fault.about}`, fault),
    clear: (code, about) => void open.delete(`${code} ${about}`),
    handle: async (one) => {
      try {
        const result = await fate.of(one)
        if (result === 'gone') taken.push(`${one.folder.shown}/${one.name}: ${one.bytes.toString()}`)
        return result
      } finally {
        one.letGo()
      }
    },
    refuse: async (folder, entry, stat, why) => {
      refused.push(`${folder.shown}/${entry.name}: ${why}`)
      disk.rename(stat.kind === 'folder' ? `${folder.path}/${entry.name}` : `${folder.path}/${entry.name}`, `${root}/refused-${refused.length}`)
      return 'gone'
    },
    newFolder: () => void asked.folders++,
    ownerOf: (uid) => `uid-${uid}`,
    noticed: (folder) => void asked.noticed.push(folder.shown),
    repair: (folder) => {
      asked.repairs.push(folder.shown)
      if (!asked.helps) return false
      disk.chmod(folder.path, 0o700)
      return true
    },
  })
  const settle = async (): Promise<void> => {
    for (let i = 0; i < 20; i++) await new Promise((resolve) => setImmediate(resolve))
  }
  const kindOf = (shown: string): DropFolder['kind'] => (shown === 'spool' ? 'spool' : shown.endsWith('outbox') ? 'outbox' : 'box')
  for (const shown of folders) mkdirSync(`${root}/${shown}`, { recursive: true })
  intake.setFolders(folders.map((shown) => ({ path: `${root}/${shown}`, shown, kind: kindOf(shown), name: shown.split('/').at(-1) ?? '' })))
  await settle()
  return {
    root,
    clock,
    intake,
    taken,
    refused,
    open,
    asked,
    fate,
    settle,
    say: (folder, name, wrote = false) => reports.get(folder)?.(name, wrote),
    pass: async (ms) => {
      for (let left = ms; left > 0; left -= 1_000) {
        clock.turn(Math.min(1_000, left))
        intake.sweep(false)
        await settle()
      }
    },
  }
}
