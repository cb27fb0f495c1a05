/** Alerts: one file per cause, raised at once, counted instead of repeated, closed when their cause is gone or a person says so. */
import type { Config } from '../core/config.ts'
import type { Event } from '../core/event.ts'
import { FAULTS, type Fault, isFaultCode } from '../core/fault.ts'
import { isMessageId } from '../core/ids.ts'
import type { Clear, ClearAll, Raise } from '../core/post.ts'
import { counted } from '../core/text.ts'
import type { Layout } from '../mailbox/index.ts'
import type { Clock, Disk, Ids, Log, Owner } from '../system/types.ts'
import { type Book, type Entered, makeBook, type OpenAlert } from './book.ts'
import { alertFiles, lostText } from './files.ts'
import { isManyKey, parseAlertFile } from './key.ts'
import { makeNotices } from './notice.ts'
import { makePutAway } from './putaway.ts'
import { type AlertText, formatAlert } from './text.ts'

/** An event nobody closed (contract, page 3), counted from when it last happened. */
const EVENT_LASTS_MS = 24 * 3_600_000
/** A condition of before the restart that nobody raised again: its cause ended while the daemon was down. Page 2's longest wait is 10 min. */
const UNCONFIRMED_LASTS_MS = 15 * 60_000
/** A count is rewritten at most this often; the last_seen of a condition that merely goes on, each minute. */
const REWRITE_MS = 1_000
const REFRESH_MS = 60_000
const RETENTION_EVERY_MS = 3_600_000
const BY_A_PERSON = 'a person closed it'
/** Shortest ending of a name that `done` takes for it (contract, page 4). */
const SHORTEST_ENDING = 4

export type AlertsGiven = Readonly<{
  clock: Clock
  disk: Disk
  ids: Ids
  log: Log
  layout: Layout
  config: () => Config
  record: (event: Event) => void
  /** Starts one command of `org.yaml: notify:` with this text on standard input, unprivileged; must not throw. */
  notify: (argv: readonly string[], text: string) => void
  /** root:operators in system mode; undefined: whoever runs the daemon. */
  owner: Owner | undefined
}>

export type AlertView = AlertText & Readonly<{ file: string }>

export type Alerts = Readonly<{
  raise: Raise
  clear: Clear
  clearAll: ClearAll
  /** Closes what a person names: a file name with or without `.md`, a key, a unique ending of one (≥ 4 characters), or `all`. Returns how many. */
  done: (which: string) => number
  /** Critical ones first, then the oldest. */
  open: () => AlertView[]
  /** Makes memory and folder agree; call it every second or two. */
  sweep: () => void
  /** The folder was lost with all that lay in it: nobody closed those, they are written again. */
  lost: () => void
  /** To be called once, before anything is raised: reads back what was open before a restart. */
  load: () => void
}>

const tellMore = (count: number): string =>
  `${counted(count, 'more alert was', 'more alerts were')} raised after the last one you were told of.\n\n    penny alerts\n`

export function createAlerts(given: AlertsGiven): Alerts {
  const { clock, log, config, record } = given
  const files = alertFiles(given.disk, given.ids, given.layout, given.owner)
  const notices = makeNotices(clock, () => config().org.notify, given.notify, tellMore)
  const book: Book = makeBook()
  const putAway = makePutAway()
  const startedAt = clock.monotonic()
  let retentionAt = Number.NEGATIVE_INFINITY

  function raise(fault: Fault): void {
    putAway.raised(fault)
    take(book.enter(fault, clock.now(), clock.monotonic()), fault)
  }

  function take({ alert, how, emptied }: Entered, about: Pick<Fault, 'about' | 'sentence'>): void {
    if (how !== 'same') log('warn', `alert ${alert.code}: ${alert.members ? about.sentence : alert.sentence}`, fieldsOf(alert, about.about))
    if (how === 'new') record(eventOf(alert, 'raised'))
    // What counts others is rewritten once for all that a turn of the sweep brings.
    if (how === 'new' || alert.writtenAt === undefined || clock.monotonic() - alert.writtenAt >= (alert.dirty ? REWRITE_MS : REFRESH_MS)) write(alert)
    if (emptied) close(emptied, 'all it counted have a file of their own')
    if (how === 'new') notices.send(formatAlert(textOf(alert), config().priorities), alert.agent)
  }

  function write(alert: OpenAlert): void {
    try {
      files.write(alert.file, formatAlert(textOf(alert), config().priorities))
      alert.writtenAt = clock.monotonic()
      alert.dirty = false
    } catch (cause) {
      alert.dirty = true
      log('error', `the alert cannot be written, it is kept and tried again: ${messageOf(cause)}`, { file: alert.file })
    }
  }

  function close(alert: OpenAlert, why: string): void {
    if (alert.writtenAt !== undefined) {
      if (alert.dirty) write(alert)
      try {
        files.close(alert.file)
      } catch (cause) {
        log('error', `the alert cannot be moved to alerts/done/: ${messageOf(cause)}`, { file: alert.file })
        return
      }
    }
    forget(alert, why)
  }

  function forget(alert: OpenAlert, why: string): void {
    book.remove(alert)
    if (why === BY_A_PERSON) putAway.put(alert, clock.monotonic())
    record(eventOf(alert, 'closed'))
    log('info', `alert ${alert.code} closed: ${why}`, fieldsOf(alert, alert.about))
  }

  function adopt(file: string): void {
    const named = parseAlertFile(file)
    if (!named || !isFaultCode(named.code) || book.get(file)) return
    const found = files.read(file)
    if (!found) return
    const sound = found.text?.code === named.code ? found.text : undefined
    const text = sound ?? lostText(named.code, named.key, found.changedMs)
    const sentence = isManyKey(named.key) ? text.sentence.replace(/^\d+ (or )?/, '') : text.sentence
    const alert = book.adopt(file, { ...text, sentence }, clock.now(), clock.monotonic())
    if (!sound) write(alert)
  }

  function whenOver(alert: OpenAlert): string | undefined {
    const now = clock.monotonic()
    const asEvent = FAULTS[alert.code].kind === 'event' || (alert.overfull && alert.members?.size === 0)
    if (asEvent) return now - alert.seenAt >= EVENT_LASTS_MS ? 'it is a day old' : undefined
    return !alert.confirmed && now - startedAt >= UNCONFIRMED_LASTS_MS ? 'it was not found again after the restart' : undefined
  }

  /** What a person moved or removed is closed; what lies there and is unknown (moved back, or of before a restart) is open. */
  function followFolder(): void {
    const there = files.list()
    for (const alert of book.all()) {
      // One listing never proves that a file is gone: it can skip an entry while others are renamed.
      if (alert.writtenAt === undefined || there.has(alert.file) || files.isThere(alert.file)) continue
      // What was closed did not say yet what has happened since: that is told all the same.
      if (alert.dirty) write(alert)
      else forget(alert, BY_A_PERSON)
    }
    for (const file of there) adopt(file)
  }

  function sweep(): void {
    attempt('alerts cannot be listed', followFolder)
    for (const alert of putAway.due(clock.monotonic())) {
      const again = book.back(alert, clock.now(), clock.monotonic())
      if (again) take(again, alert)
    }
    for (const alert of book.all()) {
      const why = whenOver(alert)
      if (why !== undefined) close(alert, why)
      else if (alert.dirty && (alert.writtenAt === undefined || clock.monotonic() - alert.writtenAt >= REWRITE_MS)) write(alert)
    }
    notices.settle()
    if (clock.monotonic() - retentionAt < RETENTION_EVERY_MS) return
    retentionAt = clock.monotonic()
    attempt('closed alerts cannot be cleared away', () => {
      const removed = files.forgetClosed(clock.now() - config().org.retentionMs)
      if (removed > 0) log('info', `${removed} closed alerts are older than the retention and were removed`)
    })
  }

  function attempt(what: string, act: () => void): void {
    try {
      act()
    } catch (cause) {
      log('error', `${what}: ${messageOf(cause)}`)
    }
  }

  return {
    raise,
    clear: (code, about) => {
      putAway.gone(code, about)
      const alert = book.gone(code, about)
      if (alert) close(alert, 'its cause is gone')
    },
    clearAll: (code, keep) => {
      putAway.goneBut(code, keep)
      for (const alert of book.goneBut(code, keep)) close(alert, 'its cause is gone')
    },
    done: (which) => {
      const chosen = choose(book.all(), which)
      for (const alert of chosen) close(alert, BY_A_PERSON)
      return chosen.filter((alert) => book.get(alert.file) === undefined).length
    },
    open: () =>
      book
        .all()
        .sort((a, b) => urgency(a) - urgency(b) || a.firstMs - b.firstMs || (a.file < b.file ? -1 : 1))
        .map((alert) => ({ ...textOf(alert), file: alert.file })),
    sweep,
    lost: () => {
      for (const alert of book.all()) Object.assign(alert, { writtenAt: undefined, dirty: true })
    },
    load: () => {
      attempt('what a crash left cannot be removed', files.clean)
      attempt('alerts cannot be listed', followFolder)
    },
  }
}

function textOf(alert: OpenAlert): AlertText {
  const { code, about, agent, firstMs, lastMs, count } = alert
  const sentence = alert.members ? `${count}${alert.overfull ? ' or' : ''} ${alert.sentence}` : alert.sentence
  return { code, about, agent, firstMs, lastMs, count, sentence, fix: alert.fix }
}

function choose(open: readonly OpenAlert[], which: string): readonly OpenAlert[] {
  if (which === 'all') return open
  const stem = which.replace(/\.md$/, '')
  const exact = open.filter(({ file }) => file === `${stem}.md` || parseAlertFile(file)?.key === stem)
  if (exact.length > 0 || stem.length < SHORTEST_ENDING) return exact
  const ending = open.filter(({ file }) => file.endsWith(`${stem}.md`))
  return ending.length === 1 ? ending : []
}

function urgency(alert: OpenAlert): number {
  return FAULTS[alert.code].severity === 'critical' ? 0 : 1
}

function eventOf(alert: OpenAlert, state: 'raised' | 'closed'): Event {
  const { code, about, agent } = alert
  return { event: 'alert', code, about, ...(agent === undefined ? {} : { agent }), state }
}

function fieldsOf(alert: OpenAlert, about: string): Record<string, string | number | undefined> {
  return { code: alert.code, about: alert.about, agent: alert.agent, count: alert.count, id: isMessageId(about) ? about : undefined }
}

function messageOf(cause: unknown): string {
  return cause instanceof Error ? cause.message : String(cause)
}
