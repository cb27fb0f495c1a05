import type { Entry } from '../core/event.ts'
import { isSettled } from '../core/status.ts'
import { shellWord, showSafely } from '../core/text.ts'
import { parseMoment } from '../core/time.ts'
import { shownAlerts } from './alerts.ts'
import { findOwnDaemon } from './client.ts'
import { type Call, type Command, expectWords, textOption } from './command.ts'
import { EXIT } from './exit.ts'
import { refusalOf } from './faults.ts'
import { type HeldFile, heldFiles } from './held-files.ts'
import { entriesSince } from './history.ts'
import { byService } from './mail.ts'
import { toPaste } from './paste.ts'
import { fixOf, paint, paintFix, say, sayJson, shortId, tell } from './print.ts'
import { rootOf } from './root.ts'
import { timezoneOf } from './roster.ts'
import { collect } from './tasks.ts'
import { ageSince, parseSince } from './times.ts'

/** Lines of one part; the rest is counted. */
const SHOWN = 25

const EVERYTHING_OPEN = { settled: false, byName: () => true }

/** One thing to know, with the command that tells more. */
type Line = Readonly<{ text: string; command: string }>
type Part = Readonly<{ part: string; title: string; lines: readonly Line[] }>

export const command: Command = {
  summary: 'the Monday note: finished, stuck, waiting for whom, alerts, changes',
  usage: ['report [--since 7d]'],
  examples: [
    ['report', 'of the last seven days'],
    ["report --since 1d | penny send postmaster -s 'Yesterday' --kind note", ''],
  ],
  options: { since: { type: 'string', value: 'T', about: 'a duration (7d), a date or an RFC 3339 time; default: 7d' } },
  run: async (call) => {
    expectWords(call, 0, 0, '')
    const root = rootOf(call)
    const now = Date.now()
    const sinceMs = parseSince(textOption(call, 'since') ?? '7d', now, 'report')
    const entries = await entriesSince(root, sinceMs)
    const timezone = timezoneOf(root)
    // At the same time: a daemon that does not answer is waited for once.
    const [stands, wrong] = await Promise.all([standing(call, now), alerts(call, root)])
    const told = [finished(entries), ...stands, wrong, changes(entries, timezone)]
    const parts = told.map(({ lines, ...part }) => ({ ...part, lines: lines.map((line) => ({ ...line, command: fixOf(call.surroundings, line.command) })) }))
    if (call.json) {
      for (const { part, lines } of parts) for (const line of lines) sayJson(call, { part, ...line })
      return EXIT.ok
    }
    say(call, paint(call, 'bold', `Since ${onTheWall(new Date(sinceMs).toISOString(), timezone)} ${timezone}`))
    for (const { title, lines } of parts) {
      say(call, `\n${paint(call, 'bold', `${title}: ${lines.length}`)}`)
      for (const { text, command } of lines.slice(0, SHOWN)) say(call, `  ${showSafely(text)}   ${paint(call, 'dim', command)}`)
      if (lines.length > SHOWN) say(call, `  and ${lines.length - SHOWN} more   ${paintFix(call, 'penny report --json')}`)
    }
    if (entries.length === 0) tell(call, 'the journal has nothing of that time')
    return EXIT.ok
  },
}

function finished(entries: readonly Entry[]): Part {
  const subjects = new Map<string, string>()
  const ends = new Map<string, Line>()
  for (const entry of entries) {
    if (entry.event === 'admitted') for (const copy of entry.copies) subjects.set(copy.id, copy.subject)
    if (entry.event !== 'status' || entry.status === null) continue
    // The last word counts: what was reopened is not finished.
    ends.delete(entry.id)
    if (isSettled(entry.status))
      ends.set(entry.id, {
        text: `${shortId(entry.id)} ${entry.status} by ${entry.by}${entry.by === entry.holder ? '' : ` for ${entry.holder}`}: ${subjects.get(entry.id) ?? ''}`,
        command: `penny show ${shortId(entry.id)}`,
      })
  }
  return { part: 'finished', title: 'Finished', lines: [...ends.values()] }
}

/** What is not settled, as its front matter says. */
async function standing(call: Call, now: number): Promise<Part[]> {
  const waiting: Line[] = []
  const open: Line[] = []
  for (const row of (await collect(call, undefined, EVERYTHING_OPEN)).sort(byService)) {
    if (row.status === null || isSettled(row.status)) continue
    const line = {
      text: `${shortId(row.id)} ${row.priority} ${row.holder}, for ${ageSince(row.created, now)}${row.due === undefined ? '' : `, due ${row.due}`}: ${row.subject}`,
      command: `penny show ${shortId(row.id)}`,
    }
    if (row.status === 'blocked') waiting.push({ ...line, text: `${line.text} (waits for ${row.blocked_on?.join(', ') ?? '?'})` })
    else open.push({ ...line, text: `${row.holder} has it ${row.status}: ${line.text}` })
  }
  return [
    { part: 'open', title: 'Waiting for whoever holds it', lines: open },
    { part: 'blocked', title: 'Waiting for something else', lines: waiting },
  ]
}

async function alerts(call: Call, root: string): Promise<Part> {
  const open = await shownAlerts(call, root, await findOwnDaemon(root))
  // The alert of a held file says more, as long as it is open. Several of one name and code have one alert, which names the newest.
  const unread: Line[] = []
  const untold = heldOr(root, unread).filter(({ name }) => !open.some(({ fix }) => fix.includes(name)))
  const held = untold.map((file): Line => ({ text: `held ${file.code}: ${file.original} from ${file.from}`, command: toPaste(call, root, file.fix) }))
  const stuck = (code: string): boolean => code === 'overdue' || code.startsWith('stuck-')
  const lines = open.map(
    (alert): Line => ({
      text: `${stuck(alert.code) ? 'stuck: ' : ''}${alert.code} ${alert.agent ?? ''} ${alert.sentence || alert.about}`,
      command: toPaste(call, root, alert.fix),
    }),
  )
  return { part: 'alerts', title: 'Stuck and alerts', lines: [...lines, ...held, ...unread] }
}

/** Where the folder cannot be listed that is one thing more to know, and the rest of the note is told. */
function heldOr(root: string, unread: Line[]): HeldFile[] {
  try {
    return heldFiles(root)
  } catch (cause) {
    const refusal = refusalOf(cause)
    if (!refusal) throw cause
    unread.push({ text: `what is held cannot be told: ${refusal.message}`, command: refusal.fix })
    return []
  }
}

/** Minutes are enough for people; the organisation's time zone is theirs. */
function onTheWall(at: string, timezone: string): string {
  return (parseMoment(at, timezone)?.text ?? at).slice(0, 16).replace('T', ' ')
}

function changes(entries: readonly Entry[], timezone: string): Part {
  const lines = entries.flatMap((entry): Line[] =>
    entry.event === 'daemon'
      ? [{ text: `${onTheWall(entry.at, timezone)} ${entry.state} ${entry.what}`, command: `penny events --since ${shellWord(entry.at)}` }]
      : [],
  )
  return { part: 'changes', title: 'Changes', lines }
}
