/** `sent/`: what a sender's messages look like at their holders now. Derived, written within a second, never read back. */
import { isHolder } from '../core/config.ts'
import type { Name } from '../core/names.ts'
import { isGone, leadsNowhere, type Mail, parseFileName } from '../mailbox/index.ts'
import type { SettleGiven } from './types.ts'

/** Changes of one moment are written together. */
const DELAY_MS = 100
/** Time one turn may spend on mirrors. */
const TURN_MS = 5

export type Mirror = Readonly<{
  /** The text as it now stands; '' takes the mirror away. */
  show: (mail: Pick<Mail, 'from' | 'holder' | 'file'>, text: string) => void
  /** Mirrors of settled messages older than this are removed. */
  retain: (olderThanMs: number, isOpen: (file: string) => boolean) => void
  flush: () => void
  /** Nothing waits to be written. */
  isIdle: () => boolean
}>

type Shown = Readonly<{ owner: Name; file: string; text: string; tries: number }>

export function createMirror(given: SettleGiven): Mirror {
  const { clock, disk, layout, pins } = given
  const dirty = new Map<string, Shown>()
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
    if (dirty.size > 0 && !planned) {
      planned = true
      clock.soon(turn)
    }
  }

  function writeSafely(path: string, shown: Shown): void {
    try {
      write(shown)
    } catch (cause) {
      given.log('warn', 'a mirror could not be written', { id: parseFileName(shown.file)?.id ?? 'none', file: path, why: String(cause) })
      if (leadsNowhere(cause)) again(path, { ...shown, tries: shown.tries + 1 })
    }
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

  function retainOf(folder: string, olderThanMs: number, isOpen: (file: string) => boolean): void {
    pins.stillThere(folder)
    for (const { name, raw, kind } of disk.list(pins.at(folder, '.'))) {
      const path = pins.at(folder, raw ?? name)
      if (kind === 'file' && !isOpen(name) && disk.stat(path).mtimeMs < olderThanMs) disk.unlink(path)
    }
  }

  return {
    show: (mail, text) => {
      const config = given.config()
      if (!isHolder(config, mail.from)) return
      dirty.set(`${layout.sent(mail.from)}/${mail.file}`, { owner: mail.from, file: mail.file, text, tries: 0 })
      plan()
    },
    retain: (olderThanMs, isOpen) => {
      const config = given.config()
      for (const holder of [...config.agents.keys(), ...config.people.keys()]) {
        try {
          retainOf(layout.sent(holder), olderThanMs, isOpen)
        } catch (cause) {
          given.log('warn', 'old mirrors could not be removed', { holder, why: String(cause) })
        }
      }
    },
    flush: () => {
      // Twice: a folder that was missing is there the second time.
      for (let round = 0; round < 2; round++) {
        const now = [...dirty]
        dirty.clear()
        for (const [path, shown] of now) writeSafely(path, shown)
      }
    },
    isIdle: () => dirty.size === 0,
  }
}
