/** Deadlines over a ledger, with a clock turned by hand. */
import type { Config } from '../../src/core/config.ts'
import type { Entry, Event } from '../../src/core/event.ts'
import type { Fault } from '../../src/core/fault.ts'
import { formatId, isMessageId, type MessageId } from '../../src/core/ids.ts'
import type { Name } from '../../src/core/names.ts'
import type { Change, Changed, Letter } from '../../src/core/post.ts'
import { folderOf, type Status } from '../../src/core/status.ts'
import { createDeadlines, type DeadlinesState } from '../../src/deadline/index.ts'
import { type Ledger, type Mail, makeLedger } from '../../src/mailbox/index.ts'
import { configOf } from '../config/organisation.ts'
import { type HandClock, handClock } from './hand-clock.ts'

export const MINUTE_MS = 60_000
export const HOUR_MS = 3_600_000
/** A Monday morning. */
export const START_MS = Date.UTC(2030, 0, 7, 9)

export type Office = Readonly<{
  clock: HandClock
  ledger: Ledger
  letters: Letter[]
  changes: Change[]
  raised: Map<string, Fault>
  entries: Entry[]
  paused: Set<string>
  /** What a holder's word means, besides ids. */
  refs: Map<string, MessageId>
  /** Whether it is known yet what everybody waits for. */
  waits: { known: boolean }
  /** What the next submits do, and the next saves. */
  post: { broken: boolean; savesBroken: boolean }
  /** What was asked of the journal, and whether that answers. */
  journal: { asked: MessageId[]; answers: boolean }
  add: (more?: Partial<Mail>) => Mail
  turnTo: (mail: Mail, status: Status) => void
  check: () => Promise<void>
  stop: () => Promise<void>
  /** Lets time pass as the daemon does: a look every 10 s. */
  pass: (ms: number) => Promise<void>
  /** The daemon is down for so long, then a new one starts. */
  restart: (downMs: number, stepMs?: number) => Office
  /** The snapshot has all that was recorded: a start reads none of it again. */
  snapshot: () => void
  alerts: () => string[]
  told: () => string[]
}>

let count = 0

type Past = Pick<Office, 'clock' | 'ledger' | 'letters' | 'changes' | 'entries' | 'paused' | 'refs' | 'waits' | 'post' | 'journal'> & {
  saved: { state: string | undefined }
  config: Config
  keys: Set<string>
  /** All there ever was. */
  mails: Map<MessageId, Mail>
}

function fresh(): Past {
  const agents = { 'agents/ceo.md': '---\ntitle: Chief\n---\nYou decide.\n', 'agents/legal.md': '---\nmanager: ceo\n---\nYou review.\n' }
  const config = configOf(agents)
  return {
    clock: handClock(START_MS),
    ledger: makeLedger(),
    letters: [],
    changes: [],
    entries: [],
    paused: new Set(),
    refs: new Map(),
    waits: { known: true },
    post: { broken: false, savesBroken: false },
    journal: { asked: [], answers: true },
    saved: { state: undefined },
    config,
    keys: new Set(),
    mails: new Map(),
  }
}

export function office(past: Past = fresh()): Office {
  const { clock, ledger, letters, changes, entries, paused, refs, waits, post, journal, saved, config, keys, mails } = past
  const raised = new Map<string, Fault>()
  const record = (event: Event): void => {
    const entry = { at: new Date(clock.now()).toISOString(), ...event } as Entry
    entries.push(entry)
    deadlines.replay(entry)
  }
  const turnTo = (mail: Mail, status: Status, by: string = mail.holder): void => {
    const was = mail.status
    Object.assign(mail, { status, folder: folderOf(status), sinceMs: clock.now() })
    if (folderOf(status) === 'done') ledger.remove(mail.id)
    record({ event: 'status', id: mail.id, holder: mail.holder, was, status, folder: folderOf(status), by, updated: '' })
  }
  const deadlines = createDeadlines({
    clock,
    ledger,
    log: () => undefined,
    config: () => config,
    raise: (fault) => void raised.set(`${fault.code} ${fault.about}`, fault),
    clearAll: (code, keep) => {
      for (const [key, fault] of raised) if (fault.code === code && !keep.has(fault.about)) raised.delete(key)
    },
    submit: async (letter) => {
      if (post.broken) throw new Error('ENOSPC')
      if (!keys.has(letter.key)) letters.push(letter)
      keys.add(letter.key)
      return nextId()
    },
    apply: async (change): Promise<Changed> => {
      const mail = ledger.get(change.id)
      if (!mail?.status) return { outcome: 'gone' }
      const was = mail.status
      changes.push(change)
      turnTo(mail, change.to, change.by)
      return { outcome: 'changed', was }
    },
    record,
    paused: (name) => paused.has(name),
    past: async (id) => {
      journal.asked.push(id)
      if (!journal.answers) await new Promise(() => undefined)
      return mails.get(id)
    },
    waitsFor: (id) => {
      const { holder, blockedOn = [] } = ledger.get(id) ?? {}
      return blockedOn.flatMap((word) => (isMessageId(word) ? word : (refs.get(`${holder} ${word}`) ?? [])))
    },
    isWaitingKnown: () => waits.known,
    load: () => (saved.state === undefined ? undefined : (JSON.parse(saved.state) as DeadlinesState)),
    save: async (state) => {
      if (post.savesBroken) throw new Error('ENOSPC')
      saved.state = JSON.stringify(state)
    },
  })
  for (const entry of entries) deadlines.replay(entry)
  return {
    ...past,
    raised,
    add: (more = {}) => {
      const mail = task({ createdMs: clock.now(), sinceMs: clock.now(), ...more })
      ledger.add(mail)
      mails.set(mail.id, mail)
      return mail
    },
    turnTo,
    check: deadlines.check,
    stop: deadlines.stop,
    pass: async (ms) => {
      for (let left = ms; left > 0; left -= 10_000) {
        clock.turn(Math.min(10_000, left))
        await deadlines.check()
      }
    },
    snapshot: () => void entries.splice(0),
    restart: (downMs, stepMs = 0) => {
      clock.turn(downMs)
      clock.step(stepMs)
      return office(past)
    },
    alerts: () => [...raised.keys()].sort(),
    told: () => letters.map(({ to, subject }) => `${to}: ${subject}`),
  }
}

export function nextId(): MessageId {
  return formatId(START_MS, count >> 12, Buffer.from([0, 0, 0, 0, 0, count >> 16, count >> 8, count++]))
}

export function task(more: Partial<Mail>): Mail {
  const id = nextId()
  const mail: Mail = {
    id,
    holder: 'legal' as Name,
    kind: 'task',
    from: 'cfo' as Name,
    via: 'agent',
    origin: undefined,
    subject: 'Review',
    thread: id,
    hops: 0,
    inReplyTo: undefined,
    drop: id,
    createdMs: START_MS,
    file: '',
    folder: 'new',
    status: 'open',
    priority: 'normal',
    rank: 3,
    due: undefined,
    expires: undefined,
    sinceMs: START_MS,
    updated: '',
    earlier: [],
    blockedOn: [],
    answered: undefined,
    attempts: 0,
    retryAtMs: undefined,
    mark: undefined,
    contentHash: undefined,
    protectedHash: undefined,
    reminder: false,
  }
  return { ...mail, ...more }
}
