/** Journal entries as sentences. */
import type { Entry } from '../core/event.ts'
import { showSafely } from '../core/text.ts'
import { shortId } from './print.ts'

export function sentenceOf(entry: Entry): string {
  return showSafely(told(entry))
}

function told(entry: Entry): string {
  switch (entry.event) {
    case 'admitted': {
      const copies = entry.copies.map(({ id, to, kind }) => `${to} ${kind === 'task' ? '' : `(${kind}) `}${shortId(id)}`).join(', ')
      return `admitted from ${entry.from} (${entry.via}) ${JSON.stringify(entry.copies[0]?.subject ?? entry.name)} for ${copies}`
    }
    case 'held':
      return `held ${entry.name} from ${entry.from}: ${entry.code}, as spool/held/${entry.held}`
    case 'repeat':
      return `${entry.from} sent ref ${entry.ref} again: not delivered a second time (${shortId(entry.of)})`
    case 'released':
      return `released ${entry.held}`
    case 'delivered':
      return `${shortId(entry.id)} delivered to ${entry.to}`
    case 'status':
      // A new version of the text: what was set stands in the entry before, what the holder wrote in the message.
      if (entry.was === entry.status && entry.was !== null)
        return `${shortId(entry.id)} rewritten by ${entry.by}, still ${entry.status} in ${entry.holder}/${entry.folder}${entry.why === undefined ? '' : `: ${entry.why}`}`
      return `${shortId(entry.id)} ${entry.was ?? 'note'} → ${entry.status ?? 'note'} in ${entry.holder}/${entry.folder} by ${entry.by}${entry.why === undefined ? '' : `: ${entry.why}`}`
    case 'set':
      return `${shortId(entry.id)} set by ${entry.by}:${entry.priority === undefined ? '' : ` priority ${entry.priority}`}${entry.due === undefined ? '' : ` due ${entry.due}`}`
    case 'answered':
      return `${shortId(entry.id)} answered by ${shortId(entry.reply)}, not closed`
    case 'blocked':
      return `${shortId(entry.id)} waits for ${entry.on.join(', ') || 'nothing more'}`
    case 'run-started':
      return `run ${shortId(entry.run)} of ${entry.agent} for ${shortId(entry.id)} started (attempt ${entry.attempt})`
    case 'run-ended':
      return `run ${shortId(entry.run)} of ${entry.agent} for ${shortId(entry.id)} ended: ${entry.how}${entry.retry_at === undefined ? '' : `, again at ${entry.retry_at}`}`
    case 'alert':
      return `alert ${entry.code} ${entry.state}: ${entry.about}${entry.agent === undefined ? '' : ` (${entry.agent})`}`
    case 'escalated':
      return `${shortId(entry.id)} ${entry.code}: told level ${entry.level}`
    case 'daemon':
      return `daemon ${entry.state}${entry.what === '' ? '' : `: ${entry.what}`}`
  }
}

/** Whether an entry concerns this agent or person. */
export function concerns(entry: Entry, name: string): boolean {
  switch (entry.event) {
    case 'admitted':
      return entry.from === name || entry.copies.some(({ to }) => to === name)
    case 'held':
    case 'repeat':
      return entry.from === name
    case 'delivered':
      return entry.to === name
    case 'status':
      return entry.holder === name || entry.by === name
    case 'set':
      return entry.by === name
    case 'run-started':
    case 'run-ended':
      return entry.agent === name
    case 'alert':
      return entry.agent === name
    case 'daemon':
      return entry.what.split(/\W+/).includes(name)
    case 'released':
    case 'answered':
    case 'blocked':
    case 'escalated':
      return false
  }
}
