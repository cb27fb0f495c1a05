/** The ledger as the past left it: from kept messages and from the journal's entries after them. */
import type { Entry } from '../core/event.ts'
import { isSettled } from '../core/status.ts'
import type { Journal } from '../journal/index.ts'
import { type Ledger, type Mail, mailFrom, NONE } from '../mailbox/index.ts'

/** Applies one entry of the past. */
export function makeRebuild(ledger: Ledger, journal: Journal): (entry: Entry) => void {
  function rebuild(entry: Entry): void {
    switch (entry.event) {
      case 'admitted':
        for (const copy of entry.copies) if (String(copy.to) !== 'canary' && !ledger.get(copy.id)) ledger.add(mailFrom(entry, copy))
        return
      case 'status':
        return rebuildStatus(entry)
      default: {
        const mail = 'id' in entry && ledger.get(entry.id)
        if (mail) happened(mail, entry)
      }
    }
  }

  function rebuildStatus(entry: Extract<Entry, { event: 'status' }>): void {
    const gone = entry.status === null ? entry.folder === 'done' : isSettled(entry.status)
    if (gone) return ledger.remove(entry.id)
    let mail = ledger.get(entry.id)
    if (!mail) {
      const admission = journal.admissionOf(entry.id)
      const copy = admission?.copies.find(({ id }) => id === entry.id)
      if (!admission || !copy) return
      mail = mailFrom(admission, copy)
      ledger.add(mail)
    }
    happened(mail, entry)
  }

  return rebuild
}

/** Brings a message on by one entry about it. */
export function happened(mail: Mail, entry: Entry): void {
  switch (entry.event) {
    case 'delivered':
      Object.assign(mail, { mark: entry.mark, contentHash: entry.hash })
      return
    case 'status':
      mail.earlier = [{ updated: mail.updated, status: mail.status }, ...mail.earlier].slice(0, 4)
      Object.assign(mail, {
        status: entry.status,
        folder: entry.folder,
        updated: entry.updated,
        sinceMs: entry.was === entry.status ? mail.sinceMs : Date.parse(entry.at),
        mark: entry.mark,
        contentHash: undefined,
      })
      return
    case 'set':
      Object.assign(mail, {
        file: entry.file,
        ...(entry.priority === undefined ? {} : { priority: entry.priority, rank: entry.rank }),
        ...(entry.due === undefined ? {} : { due: entry.due }),
      })
      return
    case 'answered':
      mail.answered = entry.reply
      return
    case 'blocked':
      mail.blockedOn = entry.on
      return
    default:
      return
  }
}

/** JSON makes each text and each empty list anew, where delivery shares them. */
export function sharing(kept: Mail): Mail {
  const { id, thread, earlier, blockedOn } = kept
  return {
    ...kept,
    thread: thread === id ? id : thread,
    earlier: earlier.length > 0 ? earlier : NONE,
    blockedOn: blockedOn.length > 0 ? blockedOn : NONE,
  }
}
