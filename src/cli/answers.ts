/** What came back: mirrors of what was sent, and replies in the own mailbox. */
import type { WaitedCopy } from '../core/control.ts'
import type { MessageId } from '../core/ids.ts'
import { textValue } from '../core/row.ts'
import { isStatus } from '../core/status.ts'
import { showBodySafely } from '../core/text.ts'
import type { Daemon } from './client.ts'
import { readHead, readMessage, type Shown, shownOf } from './head.ts'
import { entriesAbout } from './history.ts'
import { listMailbox, type Place } from './mail.ts'
import type { Seat } from './root.ts'

/** The copy as its mirror in sent/ says now; undefined: there is none. */
export async function mirrorOf(seat: Seat, copy: WaitedCopy): Promise<WaitedCopy | undefined> {
  const place = listMailbox(seat.workspace, seat.name, ['sent']).find(({ id }) => id === copy.id)
  const head = place && (await readHead(place.path))
  if (!head) return undefined
  const result = textValue(head['result'])
  return { id: copy.id, to: copy.to, status: isStatus(head['status']) ? head['status'] : null, ...(result === undefined ? {} : { result }) }
}

/** The newest message that answers `id`, whoever's mailbox it lies in; undefined: none. What the daemon told the holder meanwhile is no answer. */
export async function askReply(root: string, daemon: Daemon, id: MessageId): Promise<{ body: string } | undefined> {
  const replies = (await entriesAbout(root, [`"in_reply_to":"${id}"`])).flatMap((entry) =>
    entry.event === 'admitted' && entry.from !== 'pennypost' && entry.in_reply_to === id ? entry.copies.slice(0, 1) : [],
  )
  const newest = replies.at(-1)
  return newest && bodyOf(await shownOf(Buffer.from((await daemon.ask({ verb: 'read', id: newest.id })).text)))
}

/** The newest message of this mailbox that answers `id`; undefined: none, or the mailbox may not be read. */
export async function findReply(workspace: string, id: MessageId): Promise<{ body: string } | undefined> {
  const places = listMailbox(workspace, '', ['new', 'cur', 'done']).filter((place) => place.id > id)
  const replies: Place[] = []
  for (const place of places) if (textValue((await readHead(place.path))?.['in_reply_to']) === id) replies.push(place)
  const [newest] = replies.sort((a, b) => (a.id < b.id ? 1 : -1))
  const shown = newest && (await readMessage(newest.path))
  return shown && bodyOf(shown)
}

function bodyOf({ body }: Shown): { body: string } {
  return { body: showBodySafely(body.replaceAll('\r\n', '\n')) }
}
