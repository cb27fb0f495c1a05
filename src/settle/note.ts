/** Mail without a status: where it lies is all there is, so moving it needs no look at its text. */
import type { MessageId } from '../core/ids.ts'
import type { Changed } from '../core/post.ts'
import type { Folder } from '../core/status.ts'
import { markOf } from '../mailbox/index.ts'
import { locate, move, placeAt } from './file.ts'
import type { SettleGiven } from './types.ts'

export function moveNote(given: SettleGiven, id: MessageId, to: Folder, by: string): Changed {
  const { ledger, record } = given
  const mail = ledger.get(id)
  const place = mail && locate(given, mail)
  if (!mail || !place || mail.status !== null) return { outcome: 'gone' }
  if (place.folder === to && mail.folder === to) return { outcome: 'unchanged' }
  // Its holder was there first: that is written down, but is nothing that was done here.
  const byHolder = place.folder === to
  if (!byHolder && !move(given, mail, place.path, to, mail.file)) return { outcome: 'gone' }
  mail.folder = to
  const placed = placeAt(given, mail, to, mail.file)
  mail.mark = placed && markOf(placed.stat)
  record({ event: 'status', id, holder: mail.holder, was: null, status: null, folder: to, by: byHolder ? 'holder' : by, updated: mail.updated })
  if (to === 'done') ledger.remove(id)
  given.changed({ id, holder: mail.holder, was: null, now: null, by: byHolder ? 'holder' : by })
  return byHolder ? { outcome: 'unchanged' } : { outcome: 'changed', was: 'open' }
}
