import type { AgentRow } from '../core/control.ts'
import { rowOf } from '../core/row.ts'
import { counted, showSafely } from '../core/text.ts'
import { askOrTell, findOwnDaemon, linesOf } from './client.ts'
import { type Call, type Command, expectWords } from './command.ts'
import { AS_ROOT, EXIT } from './exit.ts'
import { readHead } from './head.ts'
import { listMailbox } from './mail.ts'
import { fixOf, paint, say, sayJson, tell, tellNobodyWatches } from './print.ts'
import { rootOf } from './root.ts'
import { type Charted, readChart } from './roster.ts'

/** Without a daemon nobody knows what an agent is doing. */
type Row = Omit<AgentRow, 'state'> & Readonly<{ state?: AgentRow['state'] }>

const NOT_KNOWN = 'what each is doing is not known'

export const command: Command = {
  summary: 'the org chart with live state',
  usage: ['agents'],
  examples: [
    ['agents', ''],
    ['agents --json', 'one object per agent'],
  ],
  options: {},
  run: async (call) => {
    expectWords(call, 0, 0, '')
    const root = rootOf(call)
    const daemon = await findOwnDaemon(root)
    const known = typeof daemon === 'object' ? await askOrTell(call, () => linesOf<Row>(daemon, { verb: 'agents' }), NOT_KNOWN) : undefined
    const rows = known ?? (await fromFiles(root))
    if (daemon === undefined) tellNobodyWatches(call, NOT_KNOWN)
    if (daemon === 'not ours') tell(call, `this user may not speak to the daemon: ${NOT_KNOWN}   fix: ${fixOf(call.surroundings, AS_ROOT)}`)
    if (call.json) for (const row of rows) sayJson(call, row)
    else chart(call, rows)
    return EXIT.ok
  },
}

/** Without a daemon: the chart from policies/, the counts from the mailboxes. */
async function fromFiles(root: string): Promise<Row[]> {
  const rows: Row[] = []
  for (const agent of readChart(root) ?? (await loadChart(root))) {
    const counts = { open: 0, in_progress: 0, blocked: 0, notes: 0 }
    for (const place of listMailbox(`${root}/workspaces/${agent.name}`, agent.name, ['new', 'cur'])) {
      const { status } = rowOf(place, (await readHead(place.path)) ?? {})
      if (status === null) counts.notes++
      else if (status === 'open' || status === 'in_progress' || status === 'blocked') counts[status]++
    }
    rows.push({
      name: agent.name,
      ...(agent.title === undefined ? {} : { title: agent.title }),
      manager: agent.manager,
      jail: agent.jail,
      network: agent.network,
      walled: agent.jail !== 'none',
      counts,
    })
  }
  return rows
}

/** As the daemon would read it; refuses (78) what it would refuse. */
async function loadChart(root: string): Promise<Charted[]> {
  const [{ loadPolicies }, { managerOf }] = await Promise.all([import('./policies.ts'), import('../core/config.ts')])
  const config = loadPolicies(root)
  return [...config.agents.values()].map(({ name, title, jailed, network }) => ({
    name,
    title,
    manager: managerOf(config, name),
    jail: jailed ? 'bubblewrap' : 'none',
    network: jailed ? network : 'full',
  }))
}

function chart(call: Call, rows: readonly Row[]): void {
  const names = new Set(rows.map(({ name }) => name))
  const under = (manager: string): Row[] => rows.filter((row) => row.manager === manager && row.name !== manager)
  const walk = (row: Row, indent: string): void => {
    say(call, indent + line(call, row))
    for (const report of under(row.name)) walk(report, `${indent}  `)
  }
  // Managers who are no agents: the postmaster and other people.
  for (const person of [...new Set(rows.map(({ manager }) => manager).filter((manager) => !names.has(manager)))].sort()) {
    say(call, paint(call, 'dim', person))
    for (const row of under(person)) walk(row, '  ')
  }
}

function line(call: Call, row: Row): string {
  const { open, in_progress, blocked, notes } = row.counts
  const counts = [`${open} open`, `${in_progress} in progress`, `${blocked} blocked`, counted(notes, 'note')]
    .filter((text) => !text.startsWith('0 '))
    .join(', ')
  const state = row.state === undefined ? '' : `[${row.state}${row.why === undefined ? '' : `: ${showSafely(row.why)}`}]`
  const painted = row.state === 'stuck' ? paint(call, 'red', state) : row.state === 'paused' ? paint(call, 'yellow', state) : state
  return [paint(call, 'bold', row.name), row.title === undefined ? '' : `(${showSafely(row.title)})`, painted, walls(call, row), counts]
    .filter((part) => part !== '')
    .join(' ')
}

/** With which uid it acts, and what is around it; loud where that is less than is usual. */
function walls(call: Call, { uid, jail, network, walled }: Row): string {
  const around =
    jail === 'none'
      ? paint(call, 'yellow', walled ? 'no jail' : 'not walled')
      : `jail, ${network === 'full' ? paint(call, 'yellow', 'network full') : `network ${network}`}`
  return uid === undefined ? around : `uid ${uid}, ${around}`
}
