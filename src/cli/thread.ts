import type { AdmittedEntry } from '../core/event.ts'
import type { MessageId } from '../core/ids.ts'
import { provenance, rowOf, textValue } from '../core/row.ts'
import type { Status } from '../core/status.ts'
import { counted, showSafely } from '../core/text.ts'
import { findKept, type Kept, type KeptOf } from './checkpoints.ts'
import { type Call, type Command, expectWords } from './command.ts'
import { EXIT } from './exit.ts'
import { everyPlace, findMessage, readFound } from './find.ts'
import { readHead } from './head.ts'
import { entriesAbout } from './history.ts'
import type { Place } from './mail.ts'
import { paint, say, sayJson, shortId } from './print.ts'
import { rootOf, type Seat, seatOf } from './root.ts'

/** One copy in the conversation. */
type Node = Readonly<{
  id: MessageId
  parent: string | undefined
  from: string
  via: string
  origin: string
  outside?: string
  to: string
  kind: string
  subject: string
  status: string | undefined
  priority: string
  at: string
  checkpoints: readonly Kept[]
}>

export const command: Command = {
  summary: 'the conversation as a tree, with statuses',
  usage: ['thread ID'],
  examples: [['thread 9c41', 'any message of it will do']],
  options: { agent: { type: 'string', value: 'A', about: 'as the mailbox of A shows it' } },
  run: async (call) => {
    expectWords(call, 1, 1, 'ID')
    const seat = seatOf(call)
    const place = await findMessage(call, call.words[0] ?? '', seat)
    const thread = textValue((await readFound(place))?.values['thread']) ?? place.id
    const nodes = await (seat ? fromMailbox(call, seat, thread, findKept()) : fromJournal(call, thread, findKept()))
    if (call.json) for (const node of nodes) sayJson(call, { thread, ...node })
    else draw(call, nodes, place.id)
    return EXIT.ok
  },
}

/** An agent knows what it holds and what it sent. */
async function fromMailbox(call: Call, seat: Seat, thread: string, keptOf: KeptOf): Promise<Node[]> {
  const nodes = new Map<string, Node>()
  for (const place of everyPlace(call, seat, new Set())) {
    const head = await readHead(place.path)
    if (!head || (textValue(head['thread']) ?? place.id) !== thread) continue
    const row = rowOf(place, head)
    // sent/ keeps one mirror a copy and the name of the holder stands nowhere but in `to`.
    nodes.set(place.id, {
      id: place.id,
      parent: textValue(head['in_reply_to']),
      from: row.from,
      ...provenance(row.via, row.origin),
      to: place.folder === 'sent' ? row.to : seat.name,
      kind: row.kind,
      subject: row.subject,
      status: textValue(head['status']),
      priority: row.priority,
      at: row.created,
      checkpoints: keptOf(place),
    })
  }
  return [...nodes.values()].sort(byId)
}

/** The journal knows every copy of everybody; where each lies now tells its status. */
async function fromJournal(call: Call, thread: string, keptOf: KeptOf): Promise<Node[]> {
  const root = rootOf(call)
  const admitted = (await entriesAbout(root, [`"thread":"${thread}"`])).filter(
    (entry): entry is AdmittedEntry => entry.event === 'admitted' && entry.thread === thread,
  )
  const ids = new Set(admitted.flatMap(({ copies }) => copies.map(({ id }) => id)))
  const places = new Map<MessageId, Place>(
    everyPlace(call, undefined, new Set())
      .filter(({ id }) => ids.has(id))
      .map((place) => [place.id, place]),
  )
  // Where the file cannot be read, what was last agreed.
  const agreed = new Map<MessageId, Status | null>()
  const elsewhere = [...ids].filter((id) => !places.has(id))
  if (elsewhere.length > 0) for (const entry of await entriesAbout(root, elsewhere)) if (entry.event === 'status') agreed.set(entry.id, entry.status)
  const nodes: Node[] = []
  for (const entry of admitted) {
    for (const { id, to, kind, subject, priority } of entry.copies) {
      const place = places.get(id)
      const head = place && (await readHead(place.path))
      const last = agreed.get(id) ?? (kind === 'task' ? 'open' : undefined)
      const status = place && head ? (rowOf(place, head).status ?? undefined) : last
      nodes.push({
        id,
        parent: entry.in_reply_to,
        from: entry.from,
        ...provenance(entry.via, entry.origin),
        to,
        kind,
        subject,
        status,
        priority: place?.priority ?? priority,
        at: entry.at,
        checkpoints: place ? keptOf(place) : [],
      })
    }
  }
  return nodes.sort(byId)
}

function keptLine(count: number, { at, by, path }: Kept): string {
  return `${counted(count, 'checkpoint')}, the newest ${at} by ${by}: ${showSafely(path)}`
}

function byId(a: Node, b: Node): number {
  return a.id < b.id ? -1 : a.id > b.id ? 1 : 0
}

function draw(call: Call, nodes: readonly Node[], meant: MessageId): void {
  const known = new Set(nodes.map(({ id }) => id))
  const children = (parent: string | undefined): Node[] =>
    nodes.filter((node) => (node.parent !== undefined && known.has(node.parent as MessageId) ? node.parent : undefined) === parent)
  const shown = new Set<string>()
  const walk = (node: Node, lead: string, follow: string): void => {
    // in_reply_to is the sender's word and could go in a circle.
    if (shown.has(node.id)) return
    shown.add(node.id)
    const line = `${lead}${shortId(node.id)} ${node.from} → ${node.to} [${node.status ?? node.kind}]${node.outside === undefined ? '' : ` (outside: ${showSafely(node.origin)})`} ${showSafely(node.subject)}`
    say(call, node.id === meant ? paint(call, 'bold', line) : line)
    const below = children(node.id)
    const newest = node.checkpoints.at(-1)
    if (newest) say(call, paint(call, 'dim', `${follow}${below.length > 0 ? '│' : ' '}  ${keptLine(node.checkpoints.length, newest)}`))
    for (const [index, child] of below.entries()) {
      const last = index === below.length - 1
      walk(child, `${follow}${last ? '└─ ' : '├─ '}`, `${follow}${last ? '   ' : '│  '}`)
    }
  }
  for (const node of children(undefined)) walk(node, '', '')
  for (const node of nodes) walk(node, '', '')
}
