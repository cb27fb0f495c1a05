/** What people are shown of the daemon's state. */

import type { Alerts } from '../alert/index.ts'
import type { Agent, Config } from '../core/config.ts'
import type { AgentRow, AlertRow, StatusReport, TaskRow } from '../core/control.ts'
import type { Name } from '../core/names.ts'
import { provenance } from '../core/row.ts'
import { formatTime } from '../core/time.ts'
import type { Layout, Ledger, Mail } from '../mailbox/index.ts'
import { byService } from '../mailbox/index.ts'
import type { Dispatcher } from '../wake/index.ts'
import type { GatewaySide } from './gateway.ts'
import type { Identities } from './identities.ts'
import { isBare } from './jails.ts'
import type { State } from './state.ts'

export type ViewsGiven = Readonly<{
  layout: Layout
  config: () => Config
  identities: () => Identities
  ledger: Ledger
  state: State
  alerts: Alerts
  dispatcher: Dispatcher
  completeness: 'lease' | 'proc'
  version: string
  started: string
  ready: () => boolean
  heldFiles: () => Promise<number>
  notifyFailing: () => NonNullable<StatusReport['notify_failing']>
  waitingDrops: () => number
  gateway: Pick<GatewaySide, 'summary'>
  canaryMs: () => number | undefined
  configInvalid: () => boolean
  /** The daemon's, as which all act in user mode. */
  uid: number
  nowMs: () => number
}>

export type Views = Readonly<{ status: () => Promise<StatusReport>; tasks: () => Iterable<TaskRow>; agents: () => AgentRow[]; alerts: () => AlertRow[] }>

export function createViews(given: ViewsGiven): Views {
  const { ledger, config, dispatcher } = given

  function unclaimed(): StatusReport['unclaimed'] {
    const oldest = new Map<string, { count: number; since: number }>()
    for (const mail of ledger.all()) {
      if (mail.status !== 'open') continue
      const found = oldest.get(mail.priority)
      if (!found) oldest.set(mail.priority, { count: 1, since: mail.sinceMs })
      else Object.assign(found, { count: found.count + 1, since: Math.min(found.since, mail.sinceMs) })
    }
    return config().priorities.rules.map(({ name }) => {
      const found = oldest.get(name)
      return { priority: name, count: found?.count ?? 0, ...(found ? { oldest_ms: Math.max(0, given.nowMs() - found.since) } : {}) }
    })
  }

  /** They act outside a jail, and with the operator's uid: there is no other in user mode. */
  function notWalled(): string[] {
    return given.identities().mode === 'system' ? [] : agentsWhere(({ jailed }) => !jailed)
  }

  function agentsWhere(holds: (agent: Agent) => boolean): Name[] {
    return [...config().agents.values()].filter(holds).map(({ name }) => name)
  }

  function row(mail: Mail): TaskRow {
    return {
      id: mail.id,
      holder: mail.holder,
      from: mail.from,
      ...provenance(mail.via, mail.origin),
      to: mail.holder,
      kind: mail.kind,
      status: mail.status,
      folder: mail.folder,
      priority: mail.priority,
      rank: mail.rank,
      subject: mail.subject,
      created: formatTime(mail.createdMs),
      updated: mail.updated,
      ...(mail.due === undefined ? {} : { due: mail.due }),
      thread: mail.thread,
      ...(mail.blockedOn.length === 0 ? {} : { blocked_on: mail.blockedOn }),
      path: `${given.layout.folder(mail.holder, mail.folder)}/${mail.file}`,
    }
  }

  function agentState(name: Name, counts: AgentRow['counts'], stuck: ReadonlySet<string>): Pick<AgentRow, 'state' | 'why'> {
    const agent = config().agents.get(name)
    const runner = agent?.runner
    if (dispatcher.isPaused(name)) return { state: 'paused' }
    if (stuck.has(name)) return { state: 'stuck', why: 'see penny alerts' }
    if (dispatcher.running().some(({ agent }) => agent === name)) return { state: 'running' }
    const noJail = runner && dispatcher.faultOfJail(name)
    if (noJail !== undefined) return { state: 'waiting', why: `no jail can be made for it: ${noJail}` }
    if (agent?.runner && isBare(config(), agent, given.identities().mode))
      return { state: 'waiting', why: 'jail: none is refused while a provider is configured' }
    const held = runner && dispatcher.whyHeld(name)
    if (held !== undefined) return { state: 'waiting', why: held }
    if (counts.open > 0 && runner) return { state: 'waiting', why: whyQueued() }
    if (counts.blocked > 0) return { state: 'waiting', why: 'blocked on other messages' }
    return { state: runner ? 'idle' : 'no runner' }
  }

  const whyQueued = (): string => (dispatcher.running().length >= config().org.wake.concurrency ? 'for a free place (wake.concurrency)' : 'for its next turn')

  async function status(): Promise<StatusReport> {
    // Before the alerts are listed: each may raise one.
    const held = await given.heldFiles()
    const invalid = given.configInvalid()
    const failing = given.notifyFailing()
    return {
      organisation: config().org.name,
      root: given.layout.root,
      pid: process.pid,
      version: given.version,
      mode: given.identities().mode,
      started: given.started,
      completeness: given.completeness,
      ready: given.ready(),
      agents: config().agents.size,
      people: config().people.size,
      running: dispatcher.running().map(({ agent, id, since }) => ({ agent, id, since })),
      paused: dispatcher.paused(),
      not_walled: notWalled(),
      no_jail: agentsWhere(({ jailed }) => !jailed),
      full_network: agentsWhere(({ jailed, network }) => jailed && network === 'full'),
      unclaimed: unclaimed(),
      alerts: given.alerts
        .open()
        .map(({ code, about, file, agent, count }) => ({ code, about, file: `spool/alerts/${file}`, ...(agent === undefined ? {} : { agent }), count })),
      held,
      ...(failing.length === 0 ? {} : { notify_failing: failing }),
      waiting_drops: given.waitingDrops(),
      gateway: given.gateway.summary(),
      ...(given.canaryMs() === undefined ? {} : { canary_ms: given.canaryMs() as number }),
      accounting: given.state.accounting(),
      config: { digest: config().digest, invalid },
    }
  }

  return {
    status,
    tasks: function* () {
      for (const mail of [...ledger.all()].sort(byService)) yield row(mail)
    },
    alerts: () =>
      given.alerts.open().map(({ file, code, about, agent, firstMs, lastMs, count, fix, sentence }) => ({
        file,
        code,
        about,
        ...(agent === undefined ? {} : { agent }),
        first_seen: formatTime(firstMs),
        last_seen: formatTime(lastMs),
        count,
        fix,
        sentence,
      })),
    agents: () => {
      const stuck = new Set(
        given.alerts.open().flatMap(({ code, agent }) => (agent !== undefined && (code === 'stuck-new' || code === 'stuck-cur') ? [agent] : [])),
      )
      return [...config().agents.values()].map(({ name, title, manager, jailed, network }) => {
        const counts = { open: 0, in_progress: 0, blocked: 0, notes: 0 }
        for (const { status } of ledger.of(name).values()) {
          if (status === null) counts.notes++
          else if (status === 'open' || status === 'in_progress' || status === 'blocked') counts[status]++
        }
        const uid = given.identities().uidOf(name) ?? given.uid
        return {
          name,
          ...(title === undefined ? {} : { title }),
          manager,
          ...agentState(name, counts, stuck),
          uid,
          jail: jailed ? 'bubblewrap' : 'none',
          network: jailed ? network : 'full',
          walled: jailed || given.identities().mode === 'system',
          counts,
        }
      })
    },
  }
}
