import { createSums, type Entry, GROUPINGS, type Grouping, NO_MESSAGE, NOTHING, readLedger, type Sum, together, tokensOf } from '../gateway/index.ts'
import { layoutOf } from '../mailbox/index.ts'
import { needDaemon } from './client.ts'
import { type Call, type Command, expectWords, textOption } from './command.ts'
import { codeOf, EXIT, refuse } from './exit.ts'
import { dollars, number } from './gateway-screen.ts'
import { paint, say, sayJson, sayTable, shortId, tell } from './print.ts'
import { rootOf } from './root.ts'
import { timezoneOf } from './roster.ts'
import { parseSince } from './times.ts'

/** A line of the answer; `subject` of a thread, where one of its messages is still known. */
type Row = Readonly<{ group: string; subject?: string; sum: Sum }>

export const command: Command = {
  summary: 'what agents took of models: requests, tokens, money',
  usage: ['usage [--by agent|thread|day] [--since 7d]'],
  examples: [
    ['usage', 'of the last seven days, an agent a line, who took the most first'],
    ['usage --by day --since 30d', ''],
    ['usage --by thread --since 1d', 'which conversations it was for'],
  ],
  options: {
    by: { type: 'string', value: 'WHAT', about: `${GROUPINGS.join(', ')}; default: agent` },
    since: { type: 'string', value: 'T', about: 'a duration (7d), a date or an RFC 3339 time; default: 7d' },
  },
  run: async (call) => {
    expectWords(call, 0, 0, '')
    const word = textOption(call, 'by') ?? 'agent'
    const by = GROUPINGS.find((one) => one === word)
    if (!by)
      return refuse(
        EXIT.usage,
        `penny usage: --by ${JSON.stringify(word)} is nothing to sum by`,
        `it is one of ${GROUPINGS.join(' ')}`,
        'penny usage --by agent',
      )
    const root = rootOf(call)
    const sinceMs = parseSince(textOption(call, 'since') ?? '7d', Date.now(), 'usage')
    // Of each message first: which thread it is of is looked up once.
    const { add, sums } = createSums({ by, timezone: timezoneOf(root), threadOf: () => undefined })
    await eachEntry(root, sinceMs, add, (path, at) => tell(call, `a line of ${path} cannot be read, and is left out (at byte ${at})`))
    const rows = (by === 'thread' ? await byThread(call, sums) : [...sums].map(([group, sum]): Row => ({ group, sum }))).sort(order(by))
    if (call.json) for (const { group, subject, sum } of rows) sayJson(call, { [by]: group, ...(subject === undefined ? {} : { subject }), ...shown(sum) })
    else print(call, by, rows)
    return EXIT.ok
  },
}

/** From the files; where this user may not read them, as the daemon does. */
async function eachEntry(root: string, sinceMs: number, each: (entry: Entry) => void, spoiled: (path: string, at: number) => void): Promise<void> {
  const { plainDisk } = await import('./disk.ts')
  try {
    for (const entry of readLedger(plainDisk(), layoutOf(root).ledger, { fromMs: sinceMs, spoiled })) each(entry)
  } catch (cause) {
    if (codeOf(cause) !== 'EACCES') throw cause
    const daemon = await needDaemon(root)
    await daemon.ask({ verb: 'ledger', sinceMs }, (line) => each(line as Entry))
  }
}

/** A message that nobody knows any more stands for its thread. */
async function byThread(call: Call, ofMessages: ReadonlyMap<string, Sum>): Promise<Row[]> {
  const { collect } = await import('./tasks.ts')
  const found = await collect(call, undefined, { settled: true, byName: ({ id }) => ofMessages.has(id) })
  const known = new Map<string, (typeof found)[number]>(found.map((row) => [row.id, row]))
  const threads = new Map<string, Row>()
  for (const [message, sum] of ofMessages) {
    const row = known.get(message)
    const group = row?.thread ?? message
    const before = threads.get(group)
    const subject = before?.subject ?? row?.subject
    threads.set(group, { group, ...(subject === undefined ? {} : { subject }), sum: together(before?.sum ?? NOTHING, sum) })
  }
  return [...threads.values()]
}

function order(by: Grouping): (a: Row, b: Row) => number {
  return by === 'day' ? (a, b) => a.group.localeCompare(b.group) : (a, b) => tokensOf(b.sum) - tokensOf(a.sum) || a.group.localeCompare(b.group)
}

function shown(sum: Sum): object {
  const { requests, inputTokens, cacheWriteTokens, cacheReadTokens, outputTokens, usd, unpriced } = sum
  return {
    requests,
    tokens: tokensOf(sum),
    input_tokens: inputTokens,
    cache_write_tokens: cacheWriteTokens,
    cache_read_tokens: cacheReadTokens,
    output_tokens: outputTokens,
    usd: Math.round(usd * 1e6) / 1e6,
    unpriced_requests: unpriced,
  }
}

function print(call: Call, by: Grouping, rows: readonly Row[]): void {
  if (rows.length === 0) return tell(call, 'no agent asked a model in that time')
  const total = rows.reduce((sum, row) => together(sum, row.sum), NOTHING)
  const cells = (title: string, sum: Sum, subject: string): string[] => [
    title,
    number(sum.requests),
    ...[tokensOf(sum), sum.inputTokens, sum.cacheWriteTokens, sum.cacheReadTokens, sum.outputTokens].map(number),
    `${dollars(sum.usd)}${sum.unpriced > 0 ? ' +?' : ''}`,
    ...(by === 'thread' ? [subject] : []),
  ]
  const lines = rows.map(({ group, subject, sum }) => cells(by !== 'thread' ? group : group === NO_MESSAGE ? 'no message' : shortId(group), sum, subject ?? ''))
  const header = [by.toUpperCase(), 'REQUESTS', 'TOKENS', 'INPUT', 'CACHE WRITE', 'CACHE READ', 'OUTPUT', 'USD', ...(by === 'thread' ? ['SUBJECT'] : [])]
  sayTable(call, header, rows.length > 1 ? [...lines, cells('all', total, '')] : lines)
  if (total.unpriced > 0) say(call, paint(call, 'dim', `+? ${number(total.unpriced)} requests to models whose price is not known are not in USD`))
}
