/**
 * Withdrawals under way. A file that says `cancelled`, which its holder may not write, is the daemon's own word where a daemon was
 * killed between the writing and the journal: only this proves it, for a holder can write whatever the daemon writes.
 */
import { isMessageId, type MessageId } from '../core/ids.ts'
import { type Layout, listOrNothing, statOrNothing } from '../mailbox/index.ts'
import type { Disk } from '../system/types.ts'

export type Withdrawn = Readonly<{
  begin: (id: MessageId) => void
  isBegun: (id: MessageId) => boolean
  /** The journal knows it. */
  end: (id: MessageId) => void
  /** A crash may have come between the journal and the end. */
  endBut: (isOpen: (id: MessageId) => boolean) => void
}>

const PREFIX = 'withdrawn.'

export function makeWithdrawn(disk: Disk, layout: Layout): Withdrawn {
  const pathOf = (id: MessageId): string => `${layout.private('said')}/${PREFIX}${id}`
  const isBegun = (id: MessageId): boolean => statOrNothing(disk, pathOf(id)) !== undefined
  const end = (id: MessageId): void => {
    if (isBegun(id)) disk.unlink(pathOf(id))
  }
  return {
    begin: (id) => {
      if (!isBegun(id)) disk.create(pathOf(id), '', 0o600)
    },
    isBegun,
    end,
    endBut: (isOpen) => {
      for (const { name } of listOrNothing(disk, layout.private('said'))) {
        const id = name.startsWith(PREFIX) ? name.slice(PREFIX.length) : ''
        if (isMessageId(id) && !isOpen(id)) end(id)
      }
    },
  }
}
