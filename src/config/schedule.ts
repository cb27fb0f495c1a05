/** schedules/<name>.md: a message that is dropped again and again. */
import type { Schedule } from '../core/config.ts'
import { KEYS_OF_DAEMON, KNOWN_KEYS } from '../core/message.ts'
import { isPlainWord } from '../core/plain.ts'
import { faultOfCron } from './cron.ts'
import { line, type Placed, reportUnknown, timezone } from './fields.ts'
import type { Located, Report } from './yaml.ts'

const OWN_KEYS = ['cron', 'timezone']

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

  const keys = [...OWN_KEYS, ...KNOWN_KEYS.filter((key) => !(KEYS_OF_DAEMON as readonly string[]).includes(key))]
  for (const { key, keySpot } of node.entries) {
    if ((KEYS_OF_DAEMON as readonly string[]).includes(key)) report(keySpot, `${key} is written by the daemon`)
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
  checkAttach(nodeOf('attach'), under('attach'))
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

/** In a message a comma may be part of a file's name; where it is not, nobody would know before the first one is due. */
function checkAttach(node: Located | undefined, report: Report): void {
  if (node?.kind !== 'scalar' || typeof node.value !== 'string' || !/,\s/.test(node.value)) return
  report(
    node.spot,
    `several files are a list: write [${node.value.split(/,\s*/).map(asWord).join(', ')}]; one file of this very name: [${JSON.stringify(node.value)}]`,
  )
}

function asWord(name: string): string {
  return isPlainWord(name) ? name : JSON.stringify(name)
}

/** The message as a sender would have written it: the file without the lines of the schedule's own keys. */
function messageText(node: Located & { kind: 'map' }, yaml: string, body: string): string {
  const own = node.entries.filter((entry) => OWN_KEYS.includes(entry.key))
  const kept = yaml.split('\n').filter((_, i) => !own.some((entry) => i + 2 >= entry.firstLine && i + 2 <= entry.lastLine))
  return `---\n${kept.join('\n')}---\n${body}`
}
