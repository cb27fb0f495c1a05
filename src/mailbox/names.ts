/** The grammar of names: of delivered files `<rank>-<priority>.<id>.<slug>.md` (contract, page 2), of held ones `<code>.<id>.<slug>` (page 3). */
import { isMessageId, type MessageId } from '../core/ids.ts'
import { slugOf } from '../core/text.ts'

export type FileName = Readonly<{ rank: number; priority: string; id: MessageId; slug: string }>

const PATTERN = /^([1-9])-([a-z][a-z0-9_-]{0,15})\.([0-9a-f-]{36})\.([a-z0-9-]{1,40})\.md$/

export function formatFileName(rank: number, priority: string, id: MessageId, subject: string): string {
  return `${rank}-${priority}.${id}.${slugOf(subject)}.md`
}

/** undefined: no name the daemon makes. */
export function parseFileName(name: string): FileName | undefined {
  const match = PATTERN.exec(name)
  const [, rank, priority, id, slug] = match ?? []
  if (!rank || !priority || !id || !slug || !isMessageId(id)) return undefined
  return { rank: Number(rank), priority, id, slug }
}

/** Folders of settled mail of past months in done/: `2026-11`. */
export function isMonth(name: string): boolean {
  return /^20\d{2}-(0[1-9]|1[0-2])$/.test(name)
}

/** Names that say "I am being written" (contract, page 2). */
export function isDraftName(name: string): boolean {
  return name.startsWith('.') || /(~|\.swp|\.tmp|\.part)$/.test(name)
}

export function isMessageName(name: string): boolean {
  return /\.md$/i.test(name)
}

export type HeldName = Readonly<{ code: string; id: MessageId; slug: string }>

export function formatHeldName(code: string, drop: MessageId, name: string): string {
  return `${code}.${drop}.${slugOf(name.replace(/\.md$/i, ''))}`
}

/** undefined: no name the daemon makes; a person put it there. */
export function parseHeldName(name: string): HeldName | undefined {
  const [code = '', id = '', ...slug] = name.split('.')
  return isMessageId(id) ? { code, id, slug: slug.join('.') } : undefined
}

const WHY = '.why.md'

/** What is written beside a held file. */
export const whyBeside = (held: string): string => `${held}${WHY}`

/** The name of the held file that this is written beside; undefined: it is none such. */
export function explainedBy(name: string): string | undefined {
  return name.endsWith(WHY) ? name.slice(0, -WHY.length) : undefined
}
