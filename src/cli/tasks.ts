import type { Config } from '../core/config.ts'
import type { TaskRow } from '../core/control.ts'
import { rowOf } from '../core/row.ts'
import { counted } from '../core/text.ts'
import { fixOfBar } from './bar.ts'
import { askOrTell, findOwnDaemon, linesOf } from './client.ts'
import type { Call, Command } from './command.ts'
import { EXIT, Refusal, refuse } from './exit.ts'
import { doubt, type Filter, readFilters } from './filters.ts'
import { readHead } from './head.ts'
import { byService, listMail, listMailbox, type Place, type Unseen } from './mail.ts'
import { sayJson, sayTable, shortId, tell, tellNobodyWatches } from './print.ts'
import { rootOf, type Seat, seatOf } from './root.ts'
import { ageSince } from './times.ts'

export const command: Command = {
  summary: 'lists tasks, most urgent first',
  usage: ['tasks [FILTER…] [--agent A]'],
  examples: [
    ['tasks', 'what is not settled'],
    ['tasks to:legal priority:urgent', 'words with a comma mean either: status:open,blocked'],
    ['tasks status:done older:2h from:pmo', 'settled ones too, where they are asked for'],
    ['tasks overdue', ''],
    ['tasks thread:9c41', ''],
  ],
  options: { agent: { type: 'string', value: 'A', about: 'only the mailbox of A' } },
  run: async (call) => {
    const filter = readFilters(call.words, Date.now())
    const seat = seatOf(call)
    const rows = (await collect(call, seat, filter)).filter(filter.byRow).sort(byService)
    // An agent's own seat may not see whether there is one.
    if (!seat?.own && (await findOwnDaemon(rootOf(call))) === undefined) tellNobodyWatches(call, 'dropped mail waits, and nobody is reminded')
    if (call.json) for (const row of rows) sayJson(call, row)
    else if (rows.length > 0) print(call, rows)
    if (rows.length > 0) return EXIT.ok
    // Only operators may read policies/; others are believed.
    const config = call.words.length > 0 ? await readablePolicies(call) : undefined
    if (config) doubt(call.words, config)
    if (!call.json) tell(call, 'no such task')
    return EXIT.ok
  },
}

/** Loaded only here: the configuration takes as long to load as the rest of the command. */
async function readablePolicies(call: Call): Promise<Config | undefined> {
  const { loadPolicies } = await import('./policies.ts')
  try {
    return loadPolicies(rootOf(call))
  } catch (cause) {
    if (cause instanceof Refusal) return undefined
    throw cause
  }
}

/** From the daemon, which knows all that is not settled; else from the folders. Refuses (77) who may ask neither. */
export async function collect(call: Call, seat: Seat | undefined, filter: Pick<Filter, 'byName' | 'settled'>): Promise<TaskRow[]> {
  const known = seat || filter.settled ? undefined : await askRows(call, undefined, filter)
  if (typeof known === 'object') return known
  const unseen: Unseen = new Set()
  const folders: Place['folder'][] = filter.settled ? ['new', 'cur', 'done'] : ['new', 'cur']
  const places = seat ? listMailbox(seat.workspace, seat.name, folders, unseen) : listMail(rootOf(call), folders, unseen)
  const asked = unseen.size > 0 && !seat?.own && known !== 'silent' ? await askRows(call, seat, filter) : undefined
  if (typeof asked === 'object') return asked
  const [closed] = unseen
  if (closed !== undefined && places.length === 0)
    refuse(
      EXIT.notPermitted,
      'you may not read this mail',
      `${unseen.size === 1 ? `${closed} is` : `${unseen.size} folders are`} closed to this user, and the daemon cannot be asked`,
      fixOfBar(closed),
    )
  const rows: TaskRow[] = []
  for (const place of places.filter(filter.byName)) {
    const head = await readHead(place.path)
    if (head) rows.push(rowOf(place, head))
  }
  if (unseen.size > 0) tell(call, `${counted(unseen.size, 'folder')} may not be read by this user; their mail is not listed`)
  return rows
}

/** undefined: no daemon that this user may ask; 'silent': one that does not answer, which is told. */
async function askRows(call: Call, seat: Seat | undefined, { byName, settled }: Pick<Filter, 'byName' | 'settled'>): Promise<TaskRow[] | 'silent' | undefined> {
  const daemon = await findOwnDaemon(rootOf(call))
  if (typeof daemon !== 'object') return undefined
  const rows = await askOrTell(call, () => linesOf<TaskRow>(daemon, { verb: 'tasks', settled }), 'tasks are read from the files')
  return rows === undefined ? 'silent' : rows.filter((row) => (!seat || row.holder === seat.name) && byName(row))
}

function print(call: Call, rows: readonly TaskRow[]): void {
  const now = Date.now()
  const cells = rows.map((row) => [
    shortId(row.id),
    row.priority,
    row.status ?? '',
    row.holder,
    row.outside === undefined ? row.from : `${row.from} (outside: ${row.origin})`,
    ageSince(row.created, now),
    dueIn(row.due, now),
    row.subject,
  ])
  sayTable(call, ['ID', 'PRIORITY', 'STATUS', 'TO', 'FROM', 'AGE', 'DUE', 'SUBJECT'], cells, (row) => (row[6]?.startsWith('late') ? 'red' : undefined))
}

function dueIn(due: string | undefined, now: number): string {
  if (due === undefined) return '-'
  const at = Date.parse(due)
  if (Number.isNaN(at)) return due
  return at < now ? `late ${ageSince(at, now)}` : `in ${ageSince(now, at)}`
}
