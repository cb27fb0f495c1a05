/** What a holder did that cannot count, or not as it was written: one alert of each message. */
import type { MessageId } from '../core/ids.ts'
import type { Status } from '../core/status.ts'
import type { Mail } from '../mailbox/index.ts'
import type { Decision } from './decide.ts'
import type { SettleGiven } from './types.ts'

export type Conflicts = Readonly<{
  /** `moved`: its status or folder changed. */
  tell: (mail: Mail, decision: Decision, moved: boolean) => void
}>

export function makeConflicts(given: Pick<SettleGiven, 'raise' | 'clear'>): Conflicts {
  /** A word that is no status was told of last: that is over with the next change that is in order. */
  const misspelt = new Set<MessageId>()
  return {
    tell: (mail, { conflict, misspelt: word }, moved) => {
      if (conflict === undefined) {
        if (moved && misspelt.delete(mail.id)) given.clear('status-conflict', mail.id)
        return
      }
      if (word) misspelt.add(mail.id)
      else misspelt.delete(mail.id)
      given.raise({
        code: 'status-conflict',
        about: mail.id,
        agent: mail.holder,
        sentence: `Message ${mail.id} (${mail.subject}) at ${mail.holder}: ${conflict}.`,
        fix: word ? fixForStatus(mail, word.meant) : `penny log ${mail.id}`,
      })
    },
  }
}

/** What whoever wrote a word that is no status most likely wanted. */
function fixForStatus({ id, holder }: Mail, to: Status | undefined): string {
  switch (to) {
    case 'done':
    case 'failed':
    case 'blocked':
      return `penny settle ${id} ${to} --agent ${holder}`
    case 'cancelled':
      return `penny set ${id} status=cancelled`
    case 'in_progress':
      return `penny claim ${id} --agent ${holder}`
    case 'open':
    case undefined:
      return `penny show ${id}   # then, where it is done: penny settle ${id} done --agent ${holder}`
  }
}
