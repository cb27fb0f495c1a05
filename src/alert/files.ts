/** spool/alerts/ and spool/alerts/done/: the daemon's own folders, so that a staged file and a rename do. */
import type { FaultCode } from '../core/fault.ts'
import { isGone, type Layout, statOrNothing } from '../mailbox/index.ts'
import type { Disk, Ids, Owner } from '../system/types.ts'
import { type AlertText, parseAlert } from './text.ts'

const STAGED = 'alert.'
const MODE = 0o640
/** What an alert can say is bounded (`shown`); a longer file is none of ours. Bytes. */
const MOST_BYTES = 64 * 1024

export type AlertFiles = Readonly<{
  /** Not fsynced: an alert is derived (contract, page 3). Throws the system's error. */
  write: (file: string, text: string) => void
  /** To done/, where an older one of the same cause makes room. */
  close: (file: string) => void
  /** Throws the system's error. */
  list: () => Set<string>
  isThere: (file: string) => boolean
  /** undefined: unreadable, as a power cut can leave it. `changedMs` is when it was written. */
  read: (file: string) => Readonly<{ text: AlertText | undefined; changedMs: number }> | undefined
  /** Removes closed alerts older than this; returns how many. */
  forgetClosed: (olderThanMs: number) => number
  /** Removes what a crash left in staging. */
  clean: () => void
}>

export function alertFiles(disk: Disk, ids: Ids, layout: Layout, owner: Owner | undefined): AlertFiles {
  return {
    write: (file, text) => {
      const staged = `${layout.staging}/${STAGED}${ids.secret()}`
      disk.create(staged, text, MODE, owner)
      try {
        disk.rename(staged, `${layout.alerts}/${file}`)
      } catch (cause) {
        disk.unlink(staged)
        throw cause
      }
    },
    close: (file) => {
      try {
        disk.rename(`${layout.alerts}/${file}`, `${layout.closedAlerts}/${file}`)
      } catch (cause) {
        // A person was quicker; where only done/ is missing, the alert still lies there, and that is an error.
        if (!isGone(cause) || statOrNothing(disk, `${layout.alerts}/${file}`)) throw cause
      }
    },
    list: () => new Set(disk.list(layout.alerts).flatMap(({ name, kind }) => (kind === 'file' ? [name] : []))),
    isThere: (file) => statOrNothing(disk, `${layout.alerts}/${file}`) !== undefined,
    read: (file) => {
      const stat = statOrNothing(disk, `${layout.alerts}/${file}`)
      if (stat?.kind !== 'file') return undefined
      if (stat.size > MOST_BYTES) return { text: undefined, changedMs: stat.mtimeMs }
      return { text: parseAlert(disk.readFile(`${layout.alerts}/${file}`).toString('utf8')), changedMs: stat.mtimeMs }
    },
    forgetClosed: (olderThanMs) => {
      let removed = 0
      for (const { name, kind } of disk.list(layout.closedAlerts)) {
        // The rename that closed it set ctime.
        const stat = kind === 'file' ? statOrNothing(disk, `${layout.closedAlerts}/${name}`) : undefined
        if (!stat || stat.ctimeMs >= olderThanMs) continue
        disk.unlink(`${layout.closedAlerts}/${name}`)
        removed++
      }
      return removed
    },
    clean: () => {
      for (const { name } of disk.list(layout.staging)) if (name.startsWith(STAGED)) disk.unlink(`${layout.staging}/${name}`)
    },
  }
}

/** Stands for an alert whose text was lost: that something happened is still a fact. */
export function lostText(code: FaultCode, key: string, changedMs: number): AlertText {
  const sentence = 'What this alert said was lost when the machine stopped while it was written; the journal and the log say more.'
  return { code, about: key, agent: undefined, firstMs: changedMs, lastMs: changedMs, count: 1, sentence, fix: 'penny events' }
}
