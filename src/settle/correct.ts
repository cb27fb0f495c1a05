/** What the sender or the postmaster may change in a message that somebody holds: priority, due; and the daemon's `answered`. */
import type { MessageId } from '../core/ids.ts'
import type { Changed } from '../core/post.ts'
import { type Mail, parseFileName } from '../mailbox/index.ts'
import { parseMessage, rewrite } from '../message/index.ts'
import { locate, snapshot } from './file.ts'
import { swap } from './swap.ts'
import { MOST_EARLIER, type SettleGiven } from './types.ts'
import { freshUpdated, whole } from './whole.ts'

export type Settable = Readonly<{ priority?: { name: string; rank: number }; due?: string; answered?: MessageId }>
export type Correct = (id: MessageId, values: Settable, by: string) => Promise<Changed>

const MOST_ROUNDS = 8
const BUSY_AGAIN_MS = 40

export function createCorrect(given: SettleGiven, shown: (mail: Mail, text: string) => void, adjustSoon: (id: MessageId) => void): Correct {
  const { clock, ledger, record } = given

  async function correct(id: MessageId, values: Settable, by: string): Promise<Changed> {
    for (let round = 0; round < MOST_ROUNDS; round++) {
      const mail = ledger.get(id)
      const parts = mail && parseFileName(mail.file)
      const place = mail && locate(given, mail)
      if (!mail || !parts || !place) return { outcome: 'gone' }
      const read = snapshot(given, mail, place)
      if (read === 'too-large') return { outcome: 'refused', why: 'its holder let it grow too large' }
      if (typeof read === 'string') {
        if (read !== 'busy') adjustSoon(id)
        await new Promise<void>((resolve) => void clock.after(BUSY_AGAIN_MS, resolve))
        continue
      }
      try {
        if (!parseMessage(read.bytes, { frontMatterBytes: read.bytes.length }).ok)
          return { outcome: 'refused', why: 'its front matter does not parse just now; try again' }
        const updated = freshUpdated(given, mail)
        const { priority, due, answered } = values
        const edits = {
          ...(priority ? { priority: priority.name } : {}),
          ...(due === undefined ? {} : { due }),
          ...(answered === undefined ? {} : { answered }),
        }
        const text = rewrite(whole(given, mail, read.bytes).toString('utf8'), { ...edits, updated })
        if (typeof (await swap(given, mail, place, read, text)) === 'string') continue
        agreeOn(mail, values, priority ? `${priority.rank}-${priority.name}.${mail.id}.${parts.slug}.md` : mail.file, updated, by)
        shown(mail, text)
        given.changed({ id, holder: mail.holder, was: mail.status, now: mail.status, by })
        return { outcome: 'unchanged' }
      } finally {
        read.letGo()
        // It gives the file its new name, and looks at what the holder did meanwhile.
        adjustSoon(id)
      }
    }
    adjustSoon(id)
    return { outcome: 'refused', why: 'its holder is writing it; try again' }
  }

  function agreeOn(mail: Mail, { priority, due, answered }: Settable, file: string, updated: string, by: string): void {
    if (file !== mail.file) shown({ ...mail }, '')
    mail.earlier = [{ updated: mail.updated, status: mail.status }, ...mail.earlier].slice(0, MOST_EARLIER)
    Object.assign(mail, {
      file,
      updated,
      ...(priority ? { priority: priority.name, rank: priority.rank } : {}),
      ...(due === undefined ? {} : { due }),
      ...(answered === undefined ? {} : { answered }),
    })
    Object.assign(mail, { mark: undefined, protectedHash: undefined })
    if (answered === undefined)
      record({
        event: 'set',
        id: mail.id,
        by,
        file,
        ...(priority ? { priority: priority.name, rank: priority.rank } : {}),
        ...(due === undefined ? {} : { due }),
      })
    record({ event: 'status', id: mail.id, holder: mail.holder, was: mail.status, status: mail.status, folder: mail.folder, by, updated })
  }

  return correct
}
