/** One thing that doctor tried: what came of it, and what mends it. */
import { AS_ROOT } from './exit.ts'

export type Finding = Readonly<{
  /** A word or two: what was tried. */
  check: string
  /** `note`: nothing is broken, but a person should know. */
  outcome: 'ok' | 'wrong' | 'note' | 'skipped'
  what: string
  /** A command to paste; empty where nothing has to be done. */
  fix: string
}>

export function ok(check: string, what: string): Finding {
  return { check, outcome: 'ok', what, fix: '' }
}

export function wrong(check: string, what: string, fix: string): Finding {
  return { check, outcome: 'wrong', what, fix }
}

export function note(check: string, what: string, fix = ''): Finding {
  return { check, outcome: 'note', what, fix }
}

export function skipped(check: string, why: string, fix: string = AS_ROOT): Finding {
  return { check, outcome: 'skipped', what: why, fix }
}

export function reasonOf(cause: unknown): string {
  return cause instanceof Error ? cause.message : String(cause)
}
