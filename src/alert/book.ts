/** The open alerts, in memory: at most twenty files of one code for one agent, and one that counts the rest. */
import { FAULTS, type Fault, type FaultCode } from '../core/fault.ts'
import { alertFile, isManyKey, keyOf, manyKeyOf, parseAlertFile } from './key.ts'
import { type AlertText, shown, shownCommand } from './text.ts'

/** Contract, page 3. */
const MOST_FOR_ONE_AGENT = 20
/** So many agents at once have one cause; what comes after is counted. */
const MOST_OF_ONE_CODE = 1_000
/** How many conditions beyond those are told apart, so that their alert closes with the last of them. */
const MOST_MEMBERS = 10_000

export type OpenAlert = {
  readonly file: string
  readonly code: FaultCode
  readonly about: string
  readonly agent: string | undefined
  /** Of an alert that counts others: what comes after the number. */
  sentence: string
  fix: string
  readonly firstMs: number
  lastMs: number
  count: number
  /** Monotonic milliseconds of the last time it was seen: what 24 h are counted from. */
  seenAt: number
  /** Monotonic milliseconds; undefined: never yet, the disk was full. */
  writtenAt: number | undefined
  /** The file does not say yet what is known. */
  dirty: boolean
  /** False: read back after a restart, and not raised again since. */
  confirmed: boolean
  /** Of an alert that counts others: the file names they would have. */
  readonly members: Set<string> | undefined
  /** Nobody looks for it again: whoever raised it last says so. An alert's file does not. */
  foundOnce?: boolean
  /** There are more than `members` can tell apart. */
  overfull: boolean
}

/** Where a fault goes: a new alert, or one that is open; `same` says that it adds nothing to what that one says. */
export type Entered = Readonly<{
  alert: OpenAlert
  how: 'new' | 'again' | 'same'
  /** Counted only this one, which has now a file of its own. */
  emptied: OpenAlert | undefined
}>

export type Book = Readonly<{
  enter: (fault: Fault, nowMs: number, monotonic: number) => Entered
  /** One that was removed while it lasts. undefined: it is open again already, or nothing is left that it counted. */
  back: (alert: OpenAlert, nowMs: number, monotonic: number) => Entered | undefined
  adopt: (file: string, text: AlertText, nowMs: number, monotonic: number) => OpenAlert
  get: (file: string) => OpenAlert | undefined
  all: () => OpenAlert[]
  remove: (alert: OpenAlert) => void
  /** The alerts that are to be closed when this condition is gone: its own, or the one that counted it last. */
  gone: (code: FaultCode, about: string) => OpenAlert | undefined
  /** The same for every condition of `code` that is not about one of `keep`. */
  goneBut: (code: FaultCode, keep: ReadonlySet<string>) => OpenAlert[]
}>

export function makeBook(): Book {
  const open = new Map<string, OpenAlert>()
  /** Alerts with a file of their own, by code and by code and agent; manys by code. */
  const singles = new Map<string, number>()
  const manys = new Map<FaultCode, Set<OpenAlert>>()
  const groupOf = (code: FaultCode, agent: string | undefined): string => `${code} ${agent ?? ''}`

  function add(alert: OpenAlert): OpenAlert {
    open.set(alert.file, alert)
    if (alert.members) manys.set(alert.code, (manys.get(alert.code) ?? new Set()).add(alert))
    else for (const group of [alert.code, groupOf(alert.code, alert.agent)]) singles.set(group, (singles.get(group) ?? 0) + 1)
    return alert
  }
  function remove(alert: OpenAlert): void {
    if (!open.delete(alert.file)) return
    if (alert.members) {
      manys.get(alert.code)?.delete(alert)
      return
    }
    for (const group of [alert.code, groupOf(alert.code, alert.agent)]) {
      const left = (singles.get(group) ?? 0) - 1
      if (left > 0) singles.set(group, left)
      else singles.delete(group)
    }
  }
  /** Whose count a fault without a file of its own goes into; undefined: it may have a file. */
  function crowd(fault: Fault): { key: string; agent: string | undefined } | undefined {
    if ((singles.get(groupOf(fault.code, fault.agent)) ?? 0) >= MOST_FOR_ONE_AGENT) return { key: manyKeyOf(fault.agent), agent: fault.agent }
    if ((singles.get(fault.code) ?? 0) >= MOST_OF_ONE_CODE) return { key: manyKeyOf(undefined), agent: undefined }
    return undefined
  }
  /** A condition that was counted among others and is gone, or has now a file of its own. */
  function leave(code: FaultCode, file: string): OpenAlert | undefined {
    for (const many of manys.get(code) ?? []) {
      if (many.members?.delete(file)) {
        recount(many)
        return isEmpty(many) ? many : undefined
      }
    }
    return undefined
  }
  function enter(fault: Fault, nowMs: number, monotonic: number, file = alertFile(fault.code, keyOf(fault.about))): Entered {
    const known = open.get(file)
    if (known) return { alert: known, how: again(known, fault, nowMs, monotonic), emptied: undefined }
    const many = crowd(fault)
    if (!many) {
      const emptied = leave(fault.code, file)
      return { alert: add(makeAlert(file, fault, nowMs, monotonic)), how: 'new', emptied }
    }
    const manyFile = alertFile(fault.code, many.key)
    const counting = open.get(manyFile)
    const alert = counting ?? add(makeMany(manyFile, many, fault, nowMs, monotonic))
    const isAnother = count(alert, file, fault, nowMs, monotonic)
    return { alert, how: !counting ? 'new' : isAnother ? 'again' : 'same', emptied: undefined }
  }
  function back(alert: OpenAlert, nowMs: number, monotonic: number): Entered | undefined {
    const { file, code, about, agent, sentence, fix, members } = alert
    const known = open.get(file)
    if (!members) return known ? undefined : enter({ code, about, sentence, fix, ...(agent === undefined ? {} : { agent }) }, nowMs, monotonic, file)
    for (const member of members) if (open.has(member)) members.delete(member)
    if (members.size === 0) return undefined
    for (const member of known?.members ?? []) members.add(member)
    if (known) remove(known)
    Object.assign(alert, { count: members.size, lastMs: nowMs, seenAt: monotonic, writtenAt: known?.writtenAt, dirty: true })
    return { alert: add(alert), how: known ? 'again' : 'new', emptied: undefined }
  }
  return {
    enter,
    back,
    adopt: (file, text, nowMs, monotonic) => {
      const many = isManyKey(parseAlertFile(file)?.key ?? '')
      const seenAt = monotonic - Math.max(0, nowMs - text.lastMs)
      const state = { seenAt, writtenAt: Number.NEGATIVE_INFINITY, dirty: false, confirmed: FAULTS[text.code].kind === 'event', overfull: false }
      return add({ ...text, file, ...state, members: many ? new Set() : undefined })
    },
    get: (file) => open.get(file),
    all: () => [...open.values()],
    remove,
    gone: (code, about) => {
      // Asked for far more often than there is anything to close.
      if (!singles.has(code) && !manys.get(code)?.size) return undefined
      const file = alertFile(code, keyOf(about))
      return open.get(file) ?? leave(code, file)
    },
    goneBut: (code, keep) => {
      if (!singles.has(code) && !manys.get(code)?.size) return []
      const kept = new Set([...keep].map((about) => alertFile(code, keyOf(about))))
      const closing: OpenAlert[] = []
      for (const alert of open.values()) {
        if (alert.code !== code || kept.has(alert.file)) continue
        if (!alert.members) closing.push(alert)
        else {
          for (const member of alert.members) if (!kept.has(member)) alert.members.delete(member)
          recount(alert)
          if (isEmpty(alert)) closing.push(alert)
        }
      }
      return closing
    },
  }
}

function makeAlert(file: string, fault: Fault, nowMs: number, monotonic: number): OpenAlert {
  const { code, agent, foundOnce = false } = fault
  const text = { about: shown(fault.about), sentence: shown(fault.sentence), fix: shownCommand(fault.fix) }
  const state = { count: 1, seenAt: monotonic, writtenAt: undefined, dirty: true, confirmed: true, members: undefined, overfull: false, foundOnce }
  return { file, code, agent: agent === undefined ? undefined : shown(agent), firstMs: nowMs, lastMs: nowMs, ...text, ...state }
}

function makeMany(file: string, many: { key: string; agent: string | undefined }, fault: Fault, nowMs: number, monotonic: number): OpenAlert {
  return { ...makeAlert(file, fault, nowMs, monotonic), about: many.key, agent: many.agent, count: 0, members: new Set(), foundOnce: false }
}

/** Conditions say the same again as long as they last: that is no second time. Events are counted each time. */
function again(alert: OpenAlert, fault: Fault, nowMs: number, monotonic: number): 'again' | 'same' {
  const [sentence, fix] = [shown(fault.sentence), shownCommand(fault.fix)]
  const same = FAULTS[alert.code].kind === 'condition' && sentence === alert.sentence && fix === alert.fix
  Object.assign(alert, { sentence, fix, lastMs: nowMs, seenAt: monotonic, confirmed: true, foundOnce: fault.foundOnce ?? false })
  if (same) return 'same'
  alert.count++
  alert.dirty = true
  return 'again'
}

/** True where this one was not counted before. */
function count(many: OpenAlert, file: string, fault: Fault, nowMs: number, monotonic: number): boolean {
  const members = many.members ?? new Set()
  Object.assign(many, { lastMs: nowMs, seenAt: monotonic, confirmed: true })
  if (FAULTS[many.code].kind === 'condition') {
    if (members.has(file) || (members.size >= MOST_MEMBERS && many.overfull)) return false
    if (members.size < MOST_MEMBERS) members.add(file)
    else many.overfull = true
    many.count = members.size
  } else many.count++
  const whom = many.agent === undefined ? '' : ` for ${many.agent}`
  many.sentence = `more of ${many.code}${whom} than the files here show one by one; the last was about ${shown(fault.about)}. ${shown(fault.sentence)} ${whereToLook(fault)}`
  many.fix = shownCommand(fault.fix)
  many.dirty = true
  return true
}

function recount(many: OpenAlert): void {
  if (FAULTS[many.code].kind !== 'condition' || !many.members || !many.confirmed || many.count === many.members.size) return
  many.count = many.members.size
  many.dirty = true
}

/** An overfull one stays: nobody knows what is left. It closes as events do. */
function isEmpty(many: OpenAlert): boolean {
  return FAULTS[many.code].kind === 'condition' && many.members?.size === 0 && !many.overfull && many.confirmed
}

function whereToLook(fault: Fault): string {
  const slash = fault.about.lastIndexOf('/')
  if (slash > 0) return `Look at all of ${shown(fault.about.slice(0, slash))}/.`
  return fault.agent === undefined ? 'Look at penny events.' : `Look at penny tasks to:${shown(fault.agent)} and penny events --agent ${shown(fault.agent)}.`
}
