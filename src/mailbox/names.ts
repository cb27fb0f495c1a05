/** The grammar of delivered files' names: `<rank>-<priority>.<id>.<slug>.md` (contract, page 2). */
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

/** Names that say "I am being written" (contract, page 2). */
export function isDraftName(name: string): boolean {
  return name.startsWith('.') || /(~|\.swp|\.tmp|\.part)$/.test(name)
}

export function isMessageName(name: string): boolean {
  return /\.md$/i.test(name)
}
