/** schedules/<name>.md: a message that is dropped again and again. */
import type { Schedule } from '../core/config.ts'
import { isSubject, KEYS_OF_DAEMON, KNOWN_KEYS, MOST_SUBJECT, SENDER_KINDS } from '../core/message.ts'
import { nearest } from '../core/names.ts'
import { parseMoment } from '../core/time.ts'
import { faultOfCron } from './cron.ts'
import { describe, line, type Placed, reportUnknown, timezone } from './fields.ts'
import type { Located, Report } from './yaml.ts'

const OWN_KEYS = ['cron', 'timezone']

/** Keys of a message that make no sense in one that comes again and again: why not. */
const NOT_AGAIN: Readonly<Record<string, string>> = {
  ref: 'every message after the first would count as a repeat of it',
  attach: 'no file lies beside it that could go with each message; say in the body where it is',
  in_reply_to: 'its messages answer none, each begins a thread of its own',
  settles: 'its messages answer none, so there is nothing that they settle',
  not_before: 'cron: alone says when its messages come',
  result: 'it is written by the holder of a message',
  progress: 'it is written by the holder of a message',
  blocked_on: 'it is written by the holder of a message',
  request: 'it is kept for approvals, which are not in use here',
  attest: 'it is kept for approvals, which are not in use here',
}

export type ScheduleFile = Readonly<{ schedule: Schedule; recipients: readonly Placed<string>[]; priority: Placed<string> | undefined }>

/** `yaml` is the front matter's text, whose first line is line 2 of the file. */
export function readSchedule(name: string, node: Located, yaml: string, body: string, report: Report): ScheduleFile | undefined {
  if (node.kind !== 'map' || !node.block) {
    report(node.spot, 'the front matter must be a mapping with one key a line')
    return undefined
  }
  const nodeOf = (key: string): Located | undefined => node.entries.find((entry) => entry.key === key)?.value
  const under =
    (key: string): Report =>
    (spot, what, near) =>
      report(spot, `${key}: ${what}`, near)

  const keys = [...OWN_KEYS, ...KNOWN_KEYS.filter((key) => !(KEYS_OF_DAEMON as readonly string[]).includes(key) && !Object.hasOwn(NOT_AGAIN, key))]
  for (const { key, keySpot } of node.entries) {
    if ((KEYS_OF_DAEMON as readonly string[]).includes(key)) report(keySpot, `${key} is written by the daemon`)
    else if (Object.hasOwn(NOT_AGAIN, key)) report(keySpot, `a schedule has no ${key}: ${NOT_AGAIN[key]}`)
    else if (!keys.includes(key) && !key.startsWith('x-')) reportUnknown(report, keySpot, 'key', key, keys)
  }

  const cronNode = nodeOf('cron')
  const cron = cronNode && line(cronNode, under('cron'))
  if (cronNode === undefined) report(node.spot, 'cron: is missing, and needed')
  const fault = cron === undefined ? undefined : faultOfCron(cron)
  if (fault) report(cronNode?.spot, `cron: ${fault.what}`, fault.near)
  const zoneNode = nodeOf('timezone')
  const zone = zoneNode && timezone(zoneNode, under('timezone'))

  if (nodeOf('to') === undefined) report(node.spot, 'to: is missing, and needed: nobody would get it')
  checkValues(nodeOf, report)
  const priorityNode = nodeOf('priority')
  const priority = priorityNode && line(priorityNode, under('priority'))
  return {
    schedule: { name, cron: cron ?? '', timezone: zone, text: messageText(node, yaml, body) },
    recipients: ['to', 'cc'].flatMap((key) => recipientsIn(nodeOf(key), under(key))),
    priority: priority === undefined || priorityNode === undefined ? undefined : { value: priority, spot: priorityNode.spot },
  }
}

function recipientsIn(node: Located | undefined, report: Report): Placed<string>[] {
  if (node === undefined) return []
  const items = node.kind === 'list' ? node.items : [node]
  return items.flatMap((item) => {
    const value = line(item, report)
    if (value === undefined) return []
    // As in a message: a comma list, or a list of YAML (contract, page 2).
    const names = node.kind === 'list' ? [value] : value.split(',').map((name) => name.trim())
    return names.map((name) => ({ value: name, spot: item.spot }))
  })
}

/** What admission would say of each message when it is due, said now; addresses and priority are looked up with the whole organisation. */
function checkValues(nodeOf: (key: string) => Located | undefined, report: Report): void {
  const check = (key: string, isGood: (text: string) => boolean, what: string, known: readonly string[] = []): void => {
    const node = nodeOf(key)
    if (node === undefined || (node.kind === 'scalar' && (node.value === null || node.value === ''))) return
    const text = node.kind === 'scalar' ? String(node.value).trim() : undefined
    if (text === undefined || !isGood(text)) report(node.spot, `${key}: ${what}, this is ${describe(node)}`, text && nearest(text, known))
  }
  const isMoment = (text: string): boolean => parseMoment(text, 'UTC') !== undefined
  const moment = 'a date (2026-11-30) or a time (2026-11-30T17:00:00+01:00) is needed'
  check('due', isMoment, moment)
  check('expires', isMoment, moment)
  check('kind', (text) => SENDER_KINDS.some((kind) => kind === text), `one of ${SENDER_KINDS.join(', ')} is needed`, SENDER_KINDS)
  check('status', (text) => text === 'open', 'a message begins as open')
  check('subject', isSubject, `one line of at most ${MOST_SUBJECT} characters is needed`)
}

/** The message as a sender would have written it: the file without the lines of the schedule's own keys. */
function messageText(node: Located & { kind: 'map' }, yaml: string, body: string): string {
  const own = node.entries.filter((entry) => OWN_KEYS.includes(entry.key))
  const kept = yaml.split('\n').filter((_, i) => !own.some((entry) => i + 2 >= entry.firstLine && i + 2 <= entry.lastLine))
  return `---\n${kept.join('\n')}---\n${body}`
}
