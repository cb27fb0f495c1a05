/** `sent/`: what a sender's messages look like at their holders now. Derived, written within a second, never read back. */
import { holdersOf, isHolder } from '../core/config.ts'
import type { Name } from '../core/names.ts'
import { isGone, leadsNowhere, type Mail, parseFileName, statOrNothing } from '../mailbox/index.ts'
import { inSlices } from '../system/slices.ts'
import type { SettleGiven } from './types.ts'

/** Changes of one moment are written together. */
const DELAY_MS = 100
/** Time one turn may spend on mirrors. */
const TURN_MS = 5
/** What a disk answers that is full or broken: the mirror stays to be written until it can be. */
const PASSING: readonly unknown[] = ['ENOSPC', 'EDQUOT', 'EROFS', 'EIO', 'EMFILE', 'ENFILE', 'ENOMEM']
const FIRST_AGAIN_MS = 500
const LAST_AGAIN_MS = 30_000

export type Mirror = Readonly<{
  /** The text as it now stands; '' takes the mirror away. */
  show: (mail: Pick<Mail, 'from' | 'holder' | 'file'>, text: string) => void
  /** Mirrors of settled messages older than this are removed. */
  retain: (olderThanMs: number, isOpen: (file: string) => boolean) => Promise<void>
  flush: () => void
  /** Nothing waits to be written, and nothing failed that is to be tried again. */
  isIdle: () => boolean
}>

type Shown = Readonly<{ owner: Name; file: string; text: string; tries: number }>

export function createMirror(given: SettleGiven): Mirror {
  const { clock, disk, layout, pins } = given
  const dirty = new Map<string, Shown>()
  /** Refused by the disk; the newest text of each. */
  const failed = new Map<string, Shown>()
  let againMs = FIRST_AGAIN_MS
  let planned = false

  function plan(): void {
    if (planned) return
    planned = true
    clock.after(DELAY_MS, turn)
  }

  function turn(): void {
    planned = false
    const startedMs = clock.monotonic()
    for (const [path, shown] of dirty) {
      dirty.delete(path)
      writeSafely(path, shown)
      if (clock.monotonic() - startedMs > TURN_MS) break
    }
    if (failed.size === 0) againMs = FIRST_AGAIN_MS
    if (dirty.size > 0 && !planned) {
      planned = true
      clock.soon(turn)
    }
  }

  function writeSafely(path: string, shown: Shown): void {
    try {
      write(shown)
      failed.delete(path)
    } catch (cause) {
      given.log('warn', 'a mirror could not be written', { id: parseFileName(shown.file)?.id ?? 'none', file: path, why: String(cause) })
      if (leadsNowhere(cause)) again(path, { ...shown, tries: shown.tries + 1 })
      else if (PASSING.includes((cause as NodeJS.ErrnoException).code)) later(path, shown)
    }
  }

  function later(path: string, shown: Shown): void {
    if (failed.size === 0) {
      clock.after(againMs, () => {
        const all = [...failed]
        failed.clear()
        for (const [one, text] of all) if (!dirty.has(one)) dirty.set(one, text)
        if (dirty.size > 0) plan()
      })
      againMs = Math.min(2 * againMs, LAST_AGAIN_MS)
    }
    failed.set(path, shown)
  }

  /** Its folder is missing or no folder: made again, and the mirror once more, unless a newer one came. */
  function again(path: string, shown: Shown): void {
    if (dirty.has(path) || shown.text === '' || shown.tries > 1) return
    try {
      given.repair(shown.owner)
      dirty.set(path, shown)
      plan()
    } catch (cause) {
      given.log('warn', 'a mailbox could not be mended', { holder: shown.owner, why: String(cause) })
    }
  }

  function write({ owner, file, text }: Shown): void {
    const folder = layout.sent(owner)
    pins.stillThere(folder)
    const path = pins.at(folder, file)
    if (text === '') {
      try {
        disk.unlink(path)
      } catch (cause) {
        if (!isGone(cause)) throw cause
      }
      return
    }
    const staged = `${layout.staging}/mirror.${given.ids.secret()}`
    disk.create(staged, text, 0o640, given.givenOwner(owner))
    try {
      disk.rename(staged, path)
    } catch (cause) {
      disk.unlink(staged)
      throw cause
    }
  }

  async function retainOf(folder: string, olderThanMs: number, isOpen: (file: string) => boolean): Promise<void> {
    pins.stillThere(folder)
    await inSlices(clock, disk.list(pins.at(folder, '.')), ({ name, raw, kind }) => {
      if (kind !== 'file' || isOpen(name)) return
      const path = pins.at(folder, raw ?? name)
      const found = statOrNothing(disk, path)
      if (found && found.mtimeMs < olderThanMs) disk.unlink(path)
    })
  }

  return {
    show: (mail, text) => {
      const config = given.config()
      if (!isHolder(config, mail.from)) return
      dirty.set(`${layout.sent(mail.from)}/${mail.file}`, { owner: mail.from, file: mail.file, text, tries: 0 })
      plan()
    },
    retain: async (olderThanMs, isOpen) => {
      for (const holder of holdersOf(given.config())) {
        try {
          await retainOf(layout.sent(holder), olderThanMs, isOpen)
        } catch (cause) {
          given.log('warn', 'old mirrors could not be removed', { holder, why: String(cause) })
        }
      }
    },
    flush: () => {
      // Twice: a folder that was missing is there the second time.
      for (let round = 0; round < 2; round++) {
        const now = [...failed, ...dirty]
        dirty.clear()
        for (const [path, shown] of now) writeSafely(path, shown)
      }
    },
    isIdle: () => dirty.size === 0 && failed.size === 0,
  }
}
