/** One message, shown: what the daemon knows apart from what the sender says. */
import type { Value } from '../core/message.ts'
import { provenance, textValue } from '../core/row.ts'
import { showBodySafely, showSafely } from '../core/text.ts'
import { formatSize } from '../core/units.ts'
import type { Kept } from './checkpoints.ts'
import type { Call } from './command.ts'
import type { Shown } from './head.ts'
import { paint, say, sayJson } from './print.ts'

const FACTS = [
  'id',
  'ref',
  'from',
  'via',
  'origin',
  'to',
  'cc',
  'kind',
  'status',
  'priority',
  'due',
  'not_before',
  'expires',
  'in_reply_to',
  'settles',
  'answered',
  'thread',
  'created',
  'updated',
  'subject',
  'progress',
  'result',
  'blocked_on',
  'attachments',
]

export function viewMessage(
  call: Call,
  shown: Shown,
  where: Readonly<{ holder?: string | undefined; folder?: string | undefined; path?: string | undefined; checkpoints?: readonly Kept[] | undefined }>,
): void {
  const { values, body } = shown
  const { outside } = provenance(textValue(values['via']), textValue(values['origin']))
  if (call.json) return sayJson(call, { ...values, ...(outside === undefined ? {} : { outside }), ...where, body })
  const others = Object.keys(values).filter((key) => !FACTS.includes(key))
  for (const key of [...FACTS, ...others]) {
    const value = values[key]
    if (value === undefined || value === null) continue
    const lines = key === 'attachments' ? attachments(value) : wordsOf(value)
    for (const [index, line] of lines.entries()) say(call, `${paint(call, 'dim', (index === 0 ? showSafely(key) : '').padEnd(12))} ${line}`)
  }
  if (outside !== undefined) say(call, paint(call, 'yellow', `${'outside'.padEnd(12)} it ${outside}`))
  if (where.holder !== undefined) say(call, `${paint(call, 'dim', 'held by'.padEnd(12))} ${where.holder}, in ${where.folder}/`)
  if (where.path !== undefined) say(call, `${paint(call, 'dim', 'file'.padEnd(12))} ${showSafely(where.path)}`)
  for (const { at, by, bytes, path } of where.checkpoints ?? []) {
    const what = by === 'gateway' ? 'sealed' : 'checkpoint'
    say(call, `${paint(call, 'dim', what.padEnd(12))} ${at} by ${by}, ${formatSize(bytes)}: ${showSafely(path)}`)
  }
  say(call, paint(call, 'dim', '-'.repeat(12)))
  const safe = showBodySafely(body.replaceAll('\r\n', '\n'))
  call.surroundings.out(safe.endsWith('\n') || safe === '' ? safe : `${safe}\n`)
}

function wordsOf(value: Value): string[] {
  const text = Array.isArray(value) ? value.map((one: Value) => textValue(one) ?? JSON.stringify(one)).join(', ') : (textValue(value) ?? JSON.stringify(value))
  return showBodySafely(text).trimEnd().split('\n')
}

function attachments(value: Value): string[] {
  if (!Array.isArray(value)) return wordsOf(value)
  return value.map((one: Value) => {
    if (typeof one !== 'object' || one === null || Array.isArray(one)) return wordsOf(one).join(' ')
    const { name, bytes } = one as Readonly<Record<string, Value>>
    return showSafely(`${textValue(name) ?? '?'} (${formatSize(Number(textValue(bytes) ?? 0))})`)
  })
}
