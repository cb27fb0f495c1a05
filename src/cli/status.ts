import { existsSync } from 'node:fs'
import { join } from 'node:path'
import type { StatusReport } from '../core/control.ts'
import { counted, shellWord, showSafely } from '../core/text.ts'
import { formatAge } from '../core/units.ts'
import { needDaemon } from './client.ts'
import { type Call, type Command, expectWords, flag } from './command.ts'
import { EXIT } from './exit.ts'
import { describeFailing, tryNotify } from './notify.ts'
import { fixOf, paint, paintFix, say, sayJson, shortId } from './print.ts'
import { rootOf } from './root.ts'
import { ageSince } from './times.ts'

/** Agents named in a line, and alerts shown one by one; the rest is counted. */
const MOST_NAMED = 8
const SHOWN = 12

export const command: Command = {
  summary: 'one screen: is anything wedged, what needs me',
  usage: ['status [--check]'],
  examples: [
    ['status', 'exit 0 only once mail is admitted, 69 without a daemon'],
    ['status --check', 'also exit 1 while alerts are open, for monitoring'],
  ],
  options: { check: { type: 'boolean', about: 'exit 1 while alerts are open' } },
  run: async (call) => {
    expectWords(call, 0, 0, '')
    const daemon = await needDaemon(rootOf(call))
    const { report } = await daemon.ask({ verb: 'status' })
    if (call.json) sayReport(call, report)
    else screen(call, report)
    if (!report.ready) return EXIT.tryAgain
    return flag(call, 'check') && report.alerts.length > 0 ? EXIT.no : EXIT.ok
  },
}

/** The words of the accounting line are keys; `held` is the line's, so what lies in spool/held/ now is `held_files`. */
function sayReport(call: Call, report: StatusReport): void {
  const { accounting, held, ...rest } = report
  const { drops, admitted, repeats, copies, open, in_progress, blocked, settled, notes } = accounting
  sayJson(call, { ...rest, held_files: held, drops, admitted, held: accounting.held, repeats, copies, open, in_progress, blocked, settled, notes, accounting })
}

function screen(call: Call, report: StatusReport): void {
  const line = (title: string, text: string): void => say(call, `${paint(call, 'dim', title.padEnd(10))} ${text}`)
  const state = report.ready ? paint(call, 'green', 'admits mail') : paint(call, 'yellow', 'is starting: not every message is known yet')
  say(call, `${paint(call, 'bold', report.organisation)} ${state}`)
  line('daemon', `pid ${report.pid}, up ${ageSince(report.started, Date.now())}, ${report.mode} mode, pennypost ${report.version}`)
  line('root', showSafely(report.root))
  line('who', `${counted(report.agents, 'agent')}, ${counted(report.people, 'person', 'people')}`)
  line('writers', report.completeness === 'lease' ? 'found out by read leases' : 'looked for in /proc, which is slower   (penny doctor says why)')
  needs(call, report)
  for (const { priority, count, oldest_ms } of report.unclaimed) {
    line(priority, count === 0 ? 'nothing unclaimed' : `${count} unclaimed, the oldest for ${formatAge(oldest_ms ?? 0)}`)
  }
  for (const { agent, id, since } of report.running) line('running', `${agent}: ${shortId(id)} for ${ageSince(since, Date.now())}`)
  if (report.paused.length > 0)
    line('paused', `${report.paused.join(' ')}   ${paintFix(call, `penny resume ${report.paused.length === 1 ? report.paused[0] : 'all'}`)}`)
  for (const { title, names, what } of lessWalled(report)) {
    const shown = `${names.slice(0, MOST_NAMED).join(' ')}${names.length > MOST_NAMED ? ` … (${names.length})` : ''}`
    if (names.length > 0) line(title, `${paint(call, 'yellow', shown)}: ${what}`)
  }
  if (report.waiting_drops > 0) line('dropped', `${counted(report.waiting_drops, 'file is', 'files are')} not yet admitted`)
  gatewayLine(call, report, line)
  line('canary', report.canary_ms === undefined ? 'none yet' : `went through in ${Math.round(report.canary_ms)} ms`)
  const { drops, admitted, held, repeats, copies, open, in_progress, blocked, settled, notes, bounces, alerts, canaries } = report.accounting
  line('drops', `${drops} = admitted ${admitted} + held ${held} + repeats ${repeats}`)
  line(
    'copies',
    `${copies} = open ${open} + in_progress ${in_progress} + blocked ${blocked} + settled ${settled} + notes ${notes}   (apart: bounces ${bounces}, alerts ${alerts}, canaries ${canaries})`,
  )
}

/** Nothing, where no provider is configured. */
function gatewayLine(call: Call, { gateway }: StatusReport, line: (title: string, text: string) => void): void {
  if (!gateway || gateway.state === 'none') return
  const { state, providers, without_key, over_budget } = gateway
  const parts = [
    state === 'ready' ? 'ready' : paint(call, 'yellow', state),
    providers.join(' '),
    without_key.length === 0 ? '' : paint(call, 'yellow', `no key: ${without_key.map(({ provider }) => provider).join(' ')}`),
    over_budget.length === 0
      ? ''
      : `over budget: ${over_budget.slice(0, MOST_NAMED).join(' ')}${over_budget.length > MOST_NAMED ? ` … (${over_budget.length})` : ''}`,
  ]
  line('gateway', `${parts.filter((part) => part !== '').join(', ')}   ${paintFix(call, 'penny gateway status')}`)
}

/** Who has less around it than is usual, loudest first. */
function lessWalled({ not_walled, no_jail, full_network }: StatusReport): { title: string; names: readonly string[]; what: string }[] {
  return [
    {
      title: 'not walled',
      names: not_walled,
      what: "outside a jail, with the operator's own uid (jail: none, beside which network: and mounts: count for nothing)",
    },
    {
      title: 'no jail',
      names: no_jail.filter((name) => !not_walled.includes(name)),
      what: 'outside a jail, with a uid of its own (jail: none, beside which network: and mounts: count for nothing)',
    },
    { title: 'network', names: full_network, what: 'reaches whatever this machine reaches (network: full)' },
  ]
}

/** What a person has to do, each with its command. */
function needs(call: Call, report: StatusReport): void {
  const { alerts, held, config, notify_failing: failing = [] } = report
  if (alerts.length === 0 && held === 0 && failing.length === 0 && !config.invalid) return say(call, paint(call, 'green', 'nothing needs you'))
  say(call, paint(call, 'yellow', 'needs you:'))
  for (const alert of alerts.slice(0, SHOWN)) {
    // One that could not be written is known to the daemon alone.
    const shows = existsSync(join(report.root, alert.file)) ? `cat ${shellWord(join(report.root, alert.file))}` : fixOf(call.surroundings, 'penny alerts')
    const times = alert.count > 1 ? ` (${alert.count} times)` : ''
    say(call, `  ! ${alert.code} ${alert.agent === undefined ? '' : `${alert.agent}: `}${showSafely(alert.about)}${times}   ${paint(call, 'dim', shows)}`)
  }
  if (alerts.length > SHOWN) say(call, `  ! ${counted(alerts.length - SHOWN, 'more alert')}   ${paintFix(call, 'penny alerts')}`)
  if (held > 0) say(call, `  ! ${held} held file${held === 1 ? '' : 's'}   ${paintFix(call, 'penny held')}`)
  for (const one of failing)
    say(call, `  ! ${describeFailing(one)} (${ageSince(one.at, Date.now())} ago)   ${paint(call, 'dim', showSafely(tryNotify(report, one.command)))}`)
  if (config.invalid) say(call, `  ! policies/ cannot be used as it is now; what ran before runs on   ${paintFix(call, 'penny doctor')}`)
}
