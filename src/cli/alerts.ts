import { mkdirSync, readdirSync, renameSync, statSync } from 'node:fs'
import type { AlertRow } from '../core/control.ts'
import { FAULTS, isFaultCode } from '../core/fault.ts'
import { textValue } from '../core/row.ts'
import { shellWord, showSafely } from '../core/text.ts'
import { layoutOf } from '../mailbox/index.ts'
import { askOrTell, type Daemon, findDaemon, findOwnDaemon, linesOf } from './client.ts'
import { type Call, type Command, expectWords } from './command.ts'
import { EXIT, GONE, refuse, UNSEEN, unless } from './exit.ts'
import { readMessage } from './head.ts'
import { toPaste } from './paste.ts'
import { fixOf, paint, say, sayJson, tell, tellNobodyWatches } from './print.ts'
import { rootOf } from './root.ts'
import { ageSince } from './times.ts'

export type OpenAlert = AlertRow & Readonly<{ severity: string }>

export const command: Command = {
  summary: 'what is wrong, each with the command that mends it; closes alerts',
  usage: ['alerts', 'alerts done ID|all'],
  examples: [
    ['alerts', 'the critical ones first'],
    ['alerts done tampered.legal-9c41', 'closes one; its name or a unique ending of it'],
    ['alerts done all', ''],
  ],
  options: {},
  run: async (call) => {
    expectWords(call, 0, 2, '[done ID|all]')
    const root = rootOf(call)
    const [verb, which] = call.words
    if (verb !== undefined) {
      if (verb !== 'done' || which === undefined)
        refuse(
          EXIT.usage,
          `penny alerts ${verb}: ${which === undefined ? 'which?' : 'there is no such thing'}`,
          'alerts are closed by: penny alerts done ID|all',
          'penny alerts',
        )
      return close(call, root, which)
    }
    const daemon = await findOwnDaemon(root)
    if (daemon === undefined) tellNobodyWatches(call, 'nobody watches, so there may be more that is wrong')
    const alerts = (await shownAlerts(call, root, daemon)).map((alert) => ({ ...alert, fix: toPaste(call, root, alert.fix) }))
    if (call.json) for (const alert of alerts) sayJson(call, alert)
    else if (alerts.length === 0) tell(call, 'no open alerts')
    else for (const alert of alerts) print(call, alert)
    return EXIT.ok
  },
}

/**
 * The critical ones first, then the oldest: what lies in spool/alerts/, and what the daemon could not write there. Refuses (77)
 * where they may not be read. A daemon that does not answer hides nothing that is written: that it does not is told.
 */
export async function shownAlerts(call: Call, root: string, daemon: Daemon | 'not ours' | undefined): Promise<OpenAlert[]> {
  return openAlerts(root, daemon, (ask) => askOrTell(call, ask, 'alerts that it could not write are missing here'))
}

type Asking = (ask: () => Promise<AlertRow[]>) => Promise<AlertRow[] | undefined>

async function openAlerts(root: string, daemon: Daemon | 'not ours' | undefined, asking: Asking = (ask) => ask()): Promise<OpenAlert[]> {
  const alerts = await writtenAlerts(root)
  const known = typeof daemon === 'object' ? await asking(() => linesOf<AlertRow>(daemon, { verb: 'alerts' })) : undefined
  const written = new Set(alerts.map(({ file }) => file))
  for (const row of known ?? []) if (!written.has(row.file) && !wasClosed(root, row)) alerts.push({ ...row, severity: severityOf(row.code) })
  return alerts.sort((a, b) => Number(b.severity === 'critical') - Number(a.severity === 'critical') || (a.first_seen < b.first_seen ? -1 : 1))
}

/** A person moved it to done/ just now, and the daemon has not looked since. */
function wasClosed(root: string, { file, last_seen }: AlertRow): boolean {
  const closed = unless(UNSEEN, () => statSync(`${layoutOf(root).closedAlerts}/${file}`))
  return closed !== undefined && closed.ctimeMs >= Date.parse(last_seen)
}

function severityOf(code: string): string {
  return isFaultCode(code) ? FAULTS[code].severity : 'warning'
}

async function writtenAlerts(root: string): Promise<OpenAlert[]> {
  const folder = layoutOf(root).alerts
  const names = (unless(GONE, () => readdirSync(folder)) ?? []).filter((name) => name.endsWith('.md') && !name.startsWith('.'))
  const alerts: OpenAlert[] = []
  for (const file of names) {
    const shown = await readMessage(`${folder}/${file}`)
    if (!shown) continue
    const { values, body } = shown
    const word = (key: string): string | undefined => textValue(values[key])
    // A power cut can leave an alert empty; its name says the rest.
    const code = word('code') ?? file.split('.')[0] ?? file
    const agent = word('agent')
    alerts.push({
      file,
      code,
      about: word('about') ?? file,
      ...(agent === undefined ? {} : { agent }),
      severity: severityOf(code),
      first_seen: word('first_seen') ?? '',
      last_seen: word('last_seen') ?? '',
      count: Number(word('count') ?? 1),
      fix: word('fix') ?? 'penny status',
      sentence: body.split('\n\n')[1]?.trim() ?? '',
    })
  }
  return alerts
}

function print(call: Call, alert: OpenAlert): void {
  const title = `${alert.severity === 'critical' ? '!!' : '! '} ${alert.code}${alert.agent === undefined ? '' : ` ${alert.agent}`}: ${showSafely(alert.about)}`
  say(call, paint(call, alert.severity === 'critical' ? 'red' : 'yellow', title))
  say(call, `   ${showSafely(alert.sentence)}`)
  say(
    call,
    `   since ${alert.first_seen} (${ageSince(alert.first_seen, Date.now())})${alert.count > 1 ? `, ${alert.count} times, last ${alert.last_seen}` : ''}`,
  )
  say(call, `   fix: ${showSafely(alert.fix)}`)
  say(call, `   ${paint(call, 'dim', `close: ${fixOf(call.surroundings, `penny alerts done ${shellWord(alert.file.slice(0, -3))}`)}`)}`)
}

/** Through the daemon, or as anybody may: by moving the file to alerts/done/. */
async function close(call: Call, root: string, which: string): Promise<number> {
  const daemon = await findDaemon(root)
  const open = await openAlerts(root, daemon)
  const chosen = which === 'all' ? open : [choose(open, which)]
  const { alerts, closedAlerts } = layoutOf(root)
  if (daemon) for (const one of which === 'all' ? ['all'] : chosen.map(({ file }) => file)) await daemon.ask({ verb: 'alerts-done', which: one })
  else if (chosen.length > 0) {
    mkdirSync(closedAlerts, { recursive: true })
    for (const { file } of chosen) unless(GONE, () => renameSync(`${alerts}/${file}`, `${closedAlerts}/${file}`))
  }
  if (call.json) sayJson(call, { closed: chosen.map(({ file }) => file) })
  else say(call, `${chosen.length} closed`)
  return EXIT.ok
}

function choose(open: readonly OpenAlert[], which: string): OpenAlert {
  const stem = which.split('/').at(-1)?.replace(/\.md$/, '') ?? ''
  const exact = open.filter(({ file }) => file === `${stem}.md` || file.split('.')[1] === stem)
  const found = exact.length > 0 || stem.length < 4 ? exact : open.filter(({ file }) => file.endsWith(`${stem}.md`))
  const [one] = found
  if (!one)
    refuse(
      EXIT.noSuchThing,
      `there is no open alert ${which}`,
      open.length === 0
        ? 'none is open'
        : `open are ${open
            .slice(0, 10)
            .map(({ file }) => file.slice(0, -3))
            .join(' ')}`,
      'penny alerts',
    )
  if (found.length > 1)
    refuse(
      EXIT.usage,
      `${which} means ${found.length} alerts`,
      found
        .slice(0, 10)
        .map(({ file }) => file.slice(0, -3))
        .join(' '),
      `penny alerts done ${shellWord(one.file.slice(0, -3))}`,
    )
  return one
}
