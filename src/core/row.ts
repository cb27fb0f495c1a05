/** A message's place and front matter as the row that `penny tasks` shows: the same from the files and from the daemon. */
import type { TaskRow } from './control.ts'
import { idTimeMs, type MessageId } from './ids.ts'
import type { Value } from './message.ts'
import { type Folder, isStatus, type Status, statusByFolder } from './status.ts'
import { outsideSentence } from './trust.ts'

/** Where it lies, and what its name tells. */
export type Named = Readonly<{ holder: string; folder: Folder | 'sent'; file: string; path: string; id: MessageId; rank: number; priority: string }>

/** What the head does not say is taken from the name. */
export function rowOf(named: Named, values: Readonly<Record<string, Value>>): TaskRow {
  const kind = textValue(values['kind']) ?? 'task'
  const folder = named.folder === 'sent' ? 'done' : named.folder
  const due = textValue(values['due'])
  const blockedOn = values['blocked_on']
  return {
    id: named.id,
    holder: named.holder,
    from: textValue(values['from']) ?? '?',
    ...provenance(textValue(values['via']), textValue(values['origin'])),
    to: addresses(values['to']),
    kind,
    status: kind === 'task' || kind === 'approval' ? statusOf(values['status'], folder) : null,
    folder,
    priority: named.priority,
    rank: named.rank,
    subject: textValue(values['subject']) ?? named.file.slice(0, -3).split('.').at(-1) ?? '',
    created: textValue(values['created']) ?? new Date(idTimeMs(named.id)).toISOString(),
    updated: textValue(values['updated']) ?? '',
    ...(due === undefined ? {} : { due }),
    thread: (textValue(values['thread']) ?? named.id) as MessageId,
    ...(blockedOn === undefined || blockedOn === null ? {} : { blocked_on: words(blockedOn) }),
    path: named.path,
  }
}

/** Where a message came from; of one that does not say it, nobody knows. */
export function provenance(via: string | undefined, origin: string | undefined): Pick<TaskRow, 'via' | 'origin' | 'outside'> {
  const outside = outsideSentence(via, origin)
  return { via: via ?? '?', origin: origin ?? via ?? '?', ...(outside === undefined ? {} : { outside }) }
}

/** A scalar as text; undefined for lists, mappings and nothing. */
export function textValue(value: Value | undefined): string | undefined {
  return value === undefined || value === null || typeof value === 'object' ? undefined : String(value)
}

/** The front matter's word; where it has none yet (just moved), what the folder means. */
function statusOf(value: Value | undefined, folder: Folder): Status {
  return isStatus(value) ? value : statusByFolder(folder, 'open')
}

function addresses(value: Value | undefined): string {
  return value === undefined ? '' : words(value).join(', ')
}

function words(value: Value): string[] {
  return (Array.isArray(value) ? (value as readonly Value[]) : [value]).map((one) => textValue(one) ?? '')
}
