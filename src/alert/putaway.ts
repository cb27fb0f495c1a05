/** Conditions that a person closed while they last: they come back, unless whoever raised them says meanwhile that they are gone. */
import { FAULTS, type Fault, type FaultCode } from '../core/fault.ts'
import type { OpenAlert } from './book.ts'
import { alertFile, keyOf } from './key.ts'

/** Long enough to mend what it is about, and within the minute of a full sweep. */
const COMES_BACK_MS = 45_000

export type PutAway = Readonly<{
  put: (alert: OpenAlert, monotonic: number) => void
  /** Whoever says so again needs no reminder. */
  raised: (fault: Fault) => void
  gone: (code: FaultCode, about: string) => void
  goneBut: (code: FaultCode, keep: ReadonlySet<string>) => void
  /** Those whose time has come; they are put away no longer. */
  due: (monotonic: number) => readonly OpenAlert[]
}>

export function makePutAway(): PutAway {
  const away = new Map<string, { readonly alert: OpenAlert; readonly atMs: number }>()

  function forget(code: FaultCode, isGone: (file: string) => boolean): void {
    for (const [file, { alert }] of away) {
      if (alert.code !== code) continue
      for (const member of alert.members ?? []) if (isGone(member)) alert.members?.delete(member)
      if (alert.members ? alert.members.size === 0 : isGone(file)) away.delete(file)
    }
  }

  return {
    put: (alert, atMs) => {
      // What is of before a restart, or only half known, is raised by whoever finds it.
      if (FAULTS[alert.code].kind === 'condition' && alert.confirmed && !alert.foundOnce) away.set(alert.file, { alert, atMs })
    },
    raised: ({ code, about }) => {
      if (away.size > 0) away.delete(alertFile(code, keyOf(about)))
    },
    gone: (code, about) => {
      if (away.size === 0) return
      const gone = alertFile(code, keyOf(about))
      forget(code, (file) => file === gone)
    },
    goneBut: (code, keep) => {
      if (away.size === 0) return
      const kept = new Set([...keep].map((about) => alertFile(code, keyOf(about))))
      forget(code, (file) => !kept.has(file))
    },
    due: (monotonic) => {
      const due = [...away.values()].filter(({ atMs }) => monotonic - atMs >= COMES_BACK_MS).map(({ alert }) => alert)
      for (const { file } of due) away.delete(file)
      return due
    },
  }
}
