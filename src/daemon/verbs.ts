/** What each request does. Whoever reaches the socket is an operator and acts as the postmaster. */
import type { Alerts } from '../alert/index.ts'
import type { Config } from '../core/config.ts'
import type { Replies, WaitedCopy } from '../core/control.ts'
import type { Entry } from '../core/event.ts'
import { describeComplaint } from '../core/fault.ts'
import { isMessageId, type MessageId } from '../core/ids.ts'
import { type Name, nearest } from '../core/names.ts'
import { findPriority } from '../core/priority.ts'
import { isSettled } from '../core/status.ts'
import { shellWord } from '../core/text.ts'
import { parseMoment } from '../core/time.ts'
import type { Flown } from '../deadline/index.ts'
import { heldFix } from '../deliver/index.ts'
import type { Journal, Sealed } from '../journal/index.ts'
import { type Layout, type Ledger, type Mail, whyBeside } from '../mailbox/index.ts'
import type { Settle } from '../settle/index.ts'
import type { Clock, Disk } from '../system/types.ts'
import type { Dispatcher } from '../wake/index.ts'
import type { Answers } from './asked.ts'
import { Refused, type Verbs } from './control.ts'
import { clearMisleadingName } from './corrections.ts'
import type { GatewaySide } from './gateway.ts'
import { createGatewayVerbs } from './gateway-verbs.ts'
import type { releaseHeld } from './held.ts'
import { createHolding } from './holding.ts'
import { createOutcomes, nextEntry, type Outcome } from './outcomes.ts'
import { admittedEndingWith, tellJournal, tellRows } from './past.ts'
import type { Policies } from './policies.ts'
import { readMail, settledRows } from './reading.ts'
import type { State } from './state.ts'
import type { Views } from './views.ts'

export type VerbsGiven = Readonly<{
  clock: Clock
  disk: Disk
  layout: Layout
  config: () => Config
  ledger: Ledger
  policies: Policies
  state: State
  journal: Journal
  sealed: Sealed
  views: Views
  answers: Answers
  settle: Settle
  alerts: Alerts
  dispatcher: Dispatcher
  gateway: GatewaySide
  stop: (drainMs: number) => void
  release: (file: string, gone: AbortSignal) => ReturnType<typeof releaseHeld>
  flyCanary: () => Promise<Flown>
  ready: Promise<void>
}>

const NO_SUCH = 66
const TRY_AGAIN = 75
const NOT_PERMITTED = 77
const BAD_MESSAGE = 65
/** Messages that an ending may mean: whoever gets more takes a longer one. */
const MOST_FOUND = 10

export function createVerbs(given: VerbsGiven): Verbs {
  const { clock, config, ledger, state, journal, dispatcher, settle, answers } = given
  const outcomes = createOutcomes(clock, journal, state)
  const holding = createHolding(given)
  const by = (): Name => config().org.postmaster

  function known(id: string): Mail {
    const mail = isMessageId(id) ? answers.recall(id) : undefined
    if (!mail) throw new Refused(NO_SUCH, `no message ${id} is known`, 'penny tasks')
    return mail
  }

  function agentOrAll(name: string): Name | 'all' {
    if (name === 'all' || config().agents.has(name as Name)) return name as Name | 'all'
    const near = nearest(name, config().agents.keys())
    throw new Refused(NO_SUCH, `no agent ${name}${near === undefined ? '' : ` (did you mean ${near}?)`}`, 'penny agents')
  }

  async function find(ending: string, gone: AbortSignal): Promise<MessageId[]> {
    if (isMessageId(ending) && answers.recall(ending)) return [ending]
    // Ids first: what a sender calls its message must not be taken for another one's id.
    if (/^[0-9a-f-]{4,}$/i.test(ending)) {
      const unsettled = ledger.endingWith(ending, MOST_FOUND)
      if (unsettled.length > 0) return unsettled
      const settled = isMessageId(ending) ? [] : await admittedEndingWith(given, ending, MOST_FOUND, gone)
      if (settled.length > 0) return settled
    }
    return state.handles.called(ending).slice(0, MOST_FOUND)
  }

  function waited(mail: Mail): WaitedCopy {
    return { id: mail.id, to: mail.holder, status: mail.status }
  }

  function textOf({ id, holder }: Pick<Mail, 'id' | 'holder'>): Replies['read'] {
    const read = readMail(given, holder, id)
    if (!read) throw new Refused(NO_SUCH, `${id} is not where it was`, `penny log ${id}`)
    return { id, ...read }
  }

  function refuseHeld({ drop, code, held }: Extract<Outcome, { kind: 'held' }>, what = 'the message was held'): never {
    const intent = given.sealed.find(drop)
    const why =
      intent?.act === 'hold' ? intent.complaints.map((complaint) => describeComplaint(`${intent.folder}/${intent.name}`, complaint)).join('; ') : undefined
    throw new Refused(
      BAD_MESSAGE,
      `${what}: ${code}`,
      intent?.act === 'hold' ? `cd ${shellWord(given.layout.root)} && ${heldFix(intent)}` : `cat ${shellWord(whyBeside(`${given.layout.held}/${held}`))}`,
      why,
    )
  }

  return {
    ...createGatewayVerbs(given),
    status: async () => ({ report: await given.views.status() }),
    tasks: async ({ settled }, say, gone) => {
      await given.ready
      for (const row of given.views.tasks()) await say(row)
      if (settled) await tellRows(clock, settledRows(given), say, gone)
      return {}
    },
    agents: async (_request, say) => {
      for (const row of given.views.agents()) await say(row)
      return {}
    },
    find: async ({ id }, _say, gone) => ({ ids: await find(id, gone) }),
    change: ({ id, agent, ...wanted }) => holding.change(known(id), wanted, agent),
    next: async ({ agent, wait }, _say, gone) => {
      await given.ready
      if (!config().agents.has(agent as Name) && !config().people.has(agent as Name)) throw new Refused(NO_SUCH, `no agent or person ${agent}`, 'penny agents')
      for (;;) {
        const mail = await holding.claimNext(agent as Name)
        if (mail) return textOf(mail)
        if (!wait || gone.aborted) return {}
        await nextEntry(journal, (entry) => isNew(entry, agent), gone)
      }
    },
    set: async ({ id, priority, due, status }) => {
      const mail = known(id)
      const found = priority === undefined ? undefined : findPriority(config().priorities, priority)
      if (found && 'unknown' in found)
        throw new Refused(
          BAD_MESSAGE,
          `unknown priority "${priority}"; known are ${found.known.join(', ')}`,
          `penny set ${id} priority=${shellWord(found.near ?? found.known[0] ?? '')}`,
        )
      const moment = due === undefined ? undefined : parseMoment(due, config().org.timezone)
      if (due !== undefined && !moment) throw new Refused(BAD_MESSAGE, `"${due}" is no date and no time`, `penny set ${id} due=2026-12-31`)
      if (status !== undefined) {
        const changed = await settle.apply({ id: mail.id, to: status, actor: 'postmaster', by: by() })
        if (changed.outcome === 'refused') throw new Refused(NOT_PERMITTED, changed.why, `penny show ${mail.id}`)
        if (changed.outcome === 'gone') throw new Refused(NO_SUCH, `${mail.id} is not where it was`, `penny log ${mail.id}`)
        if (changed.outcome === 'busy') throw new Refused(TRY_AGAIN, changed.why, `penny set ${mail.id} status=${status}`)
      }
      if (found || moment) {
        const againCommand = `penny set ${id}${found ? ` priority=${found.rule.name}` : ''}${moment ? ` due=${shellWord(moment.text)}` : ''}`
        const changed = await settle.set(mail.id, { ...(found ? { priority: found.rule } : {}), ...(moment ? { due: moment.text } : {}) }, by())
        if (changed.outcome === 'refused') throw new Refused(TRY_AGAIN, changed.why, againCommand)
        if (changed.outcome === 'gone') throw new Refused(NOT_PERMITTED, `${mail.id} is settled; reopen it first`, `penny set ${mail.id} status=open`)
        if (found) clearMisleadingName(given.sealed, given.alerts.clear, mail.id)
      }
      return { id: mail.id }
    },
    pause: async ({ name, now }) => {
      await dispatcher.pause(agentOrAll(name), now ?? false)
      return { names: dispatcher.paused() }
    },
    resume: async ({ name }) => {
      await dispatcher.resume(agentOrAll(name))
      return { names: dispatcher.paused() }
    },
    stop: ({ drainMs }) => {
      given.stop(drainMs)
      return {}
    },
    alerts: async (_request, say) => {
      for (const row of given.views.alerts()) await say(row)
      return {}
    },
    'alerts-done': ({ which }) => {
      const closed = given.alerts.done(which)
      if (closed === 0 && which !== 'all') throw new Refused(NO_SUCH, `no open alert ${which}`, 'penny alerts')
      return { closed }
    },
    release: async ({ file: held }, say, gone) => {
      const { file, fate } = given.release(held, gone)
      await say({ file })
      const released = await fate
      if (released?.kind === 'held') refuseHeld(released, 'it was released, and held again')
      return { file, ids: released?.ids ?? [] }
    },
    wait: async ({ drop, settled }, _say, gone) => {
      await given.ready
      for (;;) {
        const outcome = outcomes.of(drop)
        if (outcome?.kind === 'held') refuseHeld(outcome)
        const mails = outcome?.ids.flatMap((id) => answers.recall(id) ?? []) ?? []
        const through = outcome && (!settled || mails.every(({ status }) => status === null || isSettled(status)))
        if (through) return { copies: mails.map(waited) }
        if (gone.aborted) return { copies: [] }
        const ids = outcome?.ids
        await nextEntry(
          journal,
          (entry) => (ids ? entry.event === 'status' && ids.includes(entry.id) : entry.event === 'admitted' || entry.event === 'held'),
          gone,
        )
      }
    },
    journal: async (request, say, gone) => {
      await tellJournal(given, request, say, gone)
      return {}
    },
    read: ({ id }) => textOf(known(id)),
    canary: async () => {
      const flown = await given.flyCanary()
      if (!flown.through) throw new Refused(TRY_AGAIN, `a test message ${flown.why}`, 'penny alerts')
      return { ms: flown.ms, steps: flown.steps }
    },
    original: ({ id }) => {
      const mail = known(id)
      const text = answers.original(mail.id)
      if (text === undefined) throw new Refused(NO_SUCH, `the original of ${mail.id} is past the retention time`, `penny show ${mail.id}`)
      return { text }
    },
  }
}

/** Whether something comes to lie in the holder's new/: a message, or one that goes back there. */
function isNew(entry: Entry, holder: string): boolean {
  return entry.event === 'delivered' ? entry.to === holder : entry.event === 'status' && entry.holder === holder && entry.folder === 'new'
}
