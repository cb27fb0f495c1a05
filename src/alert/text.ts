/** The text of an alert's file, there and back. */
import { FAULTS, type FaultCode, isFaultCode } from '../core/fault.ts'
import { splitFrontMatter } from '../core/frontmatter.ts'
import { isMessageId } from '../core/ids.ts'
import type { PriorityScheme } from '../core/priority.ts'
import { showSafely } from '../core/text.ts'

export type AlertText = Readonly<{
  code: FaultCode
  /** Safe to show. */
  about: string
  agent: string | undefined
  firstMs: number
  lastMs: number
  count: number
  sentence: string
  fix: string
}>

/** A sentence or a path longer than this helps nobody. Characters. */
const LONGEST = 2_000
/** A command cut off would be another command: two paths of two names of 255 bytes, each written as four characters, are whole. */
const LONGEST_COMMAND = 6_000

/** Control characters escaped, length bounded. */
export function shown(text: string, longest = LONGEST): string {
  const safe = showSafely(text.length > longest ? text.slice(0, longest) : text)
  return safe.length > longest ? `${safe.slice(0, longest)}…` : safe
}

export function shownCommand(text: string): string {
  return shown(text, LONGEST_COMMAND)
}

export function formatAlert(alert: AlertText, scheme: PriorityScheme): string {
  const { code, about, agent, sentence, fix } = alert
  const lines = [
    '---',
    `code: ${code}`,
    `about: ${scalar(about)}`,
    ...(agent === undefined ? [] : [`agent: ${scalar(agent)}`]),
    `priority: ${scalar(urgencyOf(code, scheme))}`,
    `first_seen: ${new Date(alert.firstMs).toISOString()}`,
    `last_seen: ${new Date(alert.lastMs).toISOString()}`,
    `count: ${alert.count}`,
    `fix: ${scalar(fix)}`,
    '---',
    `# ${code}: ${about}`,
    '',
    sentence,
    '',
    "What mends it, in the organisation's root:",
    '',
    `    ${fix}`,
    '',
  ]
  return lines.join('\n')
}

/** undefined: not a text that `formatAlert` makes (a power cut can leave an alert empty: alerts are not fsynced). */
export function parseAlert(text: string): AlertText | undefined {
  const split = splitFrontMatter(text)
  if (split.kind !== 'parts') return undefined
  const values = new Map<string, string>()
  for (const line of split.yaml.split('\n')) {
    const colon = line.indexOf(': ')
    if (colon > 0) values.set(line.slice(0, colon), unquote(line.slice(colon + 2).trim()))
  }
  const [code, about, fix] = [values.get('code'), values.get('about'), values.get('fix')]
  const [firstMs, lastMs, count] = [Date.parse(values.get('first_seen') ?? ''), Date.parse(values.get('last_seen') ?? ''), Number(values.get('count'))]
  if (code === undefined || about === undefined || fix === undefined || !isFaultCode(code)) return undefined
  if (Number.isNaN(firstMs) || Number.isNaN(lastMs) || !Number.isSafeInteger(count)) return undefined
  return { code, about, agent: values.get('agent'), firstMs, lastMs, count, fix, sentence: split.body.split('\n\n')[1] ?? '' }
}

/** A person looks first at what is critical: it gets the scheme's most urgent word, a warning the next. */
function urgencyOf(code: FaultCode, scheme: PriorityScheme): string {
  const [first, second] = scheme.rules
  const rule = FAULTS[code].severity === 'critical' ? first : (second ?? first)
  return rule?.name ?? scheme.fallback.name
}

/** YAML: plain where it cannot be mistaken, else quoted as JSON, which YAML 1.2 reads alike. */
function scalar(text: string): string {
  const plain = /^[A-Za-z][A-Za-z0-9_./@-]*$/.test(text) && !/^(true|false|null|yes|no|on|off|y|n)$/i.test(text)
  return plain || isMessageId(text) ? text : JSON.stringify(text)
}

function unquote(value: string): string {
  if (!value.startsWith('"')) return value
  try {
    return String(JSON.parse(value))
  } catch (cause) {
    if (cause instanceof SyntaxError) return value
    throw cause
  }
}
