/** priorities.yaml: the one scheme. The order of its keys is the order of service. */
import { nearest } from '../core/names.ts'
import type { PriorityRule, PriorityScheme } from '../core/priority.ts'
import { duration, fields, line, reportUnknown } from './fields.ts'
import { frozenMap } from './freeze.ts'
import type { Located, Report } from './yaml.ts'

/** What ships where there is no priorities.yaml (contract, page 2). */
export const DEFAULT_PRIORITIES = `urgent: { claim_within: 5m,  finish_within: 1h }
high:   { claim_within: 30m, finish_within: 8h }
normal: { claim_within: 4h,  finish_within: 3d }
low:    { claim_within: 2d,  finish_within: 14d }
aliases: {}            # foreign words at the door: { P1: urgent }; inside, only the names above exist
`

/** The rank is the first character of a delivered file's name: one digit. */
const MOST = 9
const DEADLINES = ['claim_within', 'finish_within']
/** What a message without `priority:` gets, where the scheme has it (contract, page 2: "default `normal`"). */
const FALLBACK = 'normal'

/** undefined: reported. Without a priority of the usual name the fallback is the middle one, of two middle ones the later. */
export function readPriorities(node: Located, report: Report): PriorityScheme | undefined {
  if (node.kind !== 'map') {
    report(node.spot, 'a mapping of priorities is needed here, most urgent first')
    return undefined
  }
  const rules: PriorityRule[] = []
  for (const { key, keySpot, value } of node.entries) {
    if (key === 'aliases') continue
    if (!/^[a-z][a-z0-9_-]{0,15}$/.test(key)) {
      report(
        keySpot,
        `${JSON.stringify(key.slice(0, 64))} cannot name a priority: 1 to 16 of a-z 0-9 _ -, a letter first`,
        key.toLowerCase() === 'aliases' ? 'aliases' : undefined,
      )
      continue
    }
    if (nearest(key, ['aliases']) !== undefined && !(value.kind === 'map' && value.entries.some((entry) => DEADLINES.includes(entry.key)))) {
      report(keySpot, `unknown key ${JSON.stringify(key)}`, 'aliases')
      continue
    }
    const read = fields(
      value,
      (spot, what, near) => report(spot, `${key}: ${what}`, near),
      { claim_within: duration(1_000), finish_within: duration(1_000) },
      { needed: ['claim_within', 'finish_within'] },
    )
    rules.push(Object.freeze({ name: key, rank: rules.length + 1, claimWithinMs: read.claim_within ?? 0, finishWithinMs: read.finish_within ?? 0 }))
    if (rules.length === MOST + 1) report(keySpot, `at most ${MOST} priorities`)
  }
  const fallback = rules.find((rule) => rule.name === FALLBACK) ?? rules[Math.floor(rules.length / 2)]
  if (fallback === undefined) {
    report(node.spot, 'at least one priority is needed')
    return undefined
  }
  const byName = frozenMap(rules.map((rule) => [rule.name, rule]))
  return Object.freeze({ rules: Object.freeze(rules), byName, aliases: readAliases(node, byName, report), fallback })
}

function readAliases(node: Located & { kind: 'map' }, byName: ReadonlyMap<string, PriorityRule>, report: Report): ReadonlyMap<string, string> {
  const aliases = node.entries.find((entry) => entry.key === 'aliases')?.value
  if (aliases === undefined || (aliases.kind === 'scalar' && aliases.value === null)) return frozenMap<string, string>([])
  if (aliases.kind !== 'map') {
    report(aliases.spot, 'aliases: a mapping of foreign words to priorities is needed, as { P1: urgent }')
    return frozenMap<string, string>([])
  }
  const found: [string, string][] = []
  for (const { key, keySpot, value } of aliases.entries) {
    const name = line(value, (spot, what) => report(spot, `aliases: ${key}: ${what}`))
    if (byName.has(key)) report(keySpot, `aliases: ${key} is a priority itself`)
    if (name === undefined) continue
    if (byName.has(name)) found.push([key, name])
    else reportUnknown(report, value.spot, 'priority', name, [...byName.keys()])
  }
  return frozenMap(found)
}
