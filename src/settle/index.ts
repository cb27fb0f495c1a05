/**
 * Keeps status, folder and front matter of every message in step, whoever changes which, and shows the sender.
 *
 * Given: the ledger (the last state agreed), the mailboxes' folders, and changes that others ask for.
 * Returns: `apply` for a change by sender, runner or daemon; `touched` for what a holder did to a file; mirrors in `sent/`.
 * The holder's file is never written: a new version is put in its place in one step, and what the holder wrote meanwhile is
 * a change of its own. What it may not change is put back, what vanished is made again from its seal.
 * When it fails: a file that is being written is looked at again in a moment; anything else is told by an alert and tried
 * again by the sweep.
 */
import { isHolder } from '../core/config.ts'
import type { MessageId } from '../core/ids.ts'
import { createBlocked } from './blocked.ts'
import { locate, snapshot } from './file.ts'
import { createMailboxes, type Mailboxes } from './mailboxes.ts'
import { createMirror, type Mirror } from './mirror.ts'
import { makeSaid } from './said.ts'
import { createSettle, type Settle } from './settle.ts'
import { createStrangers } from './strangers.ts'
import { rescueLeftovers } from './swap.ts'
import type { SettleGiven } from './types.ts'
import { makeVersions } from './versions.ts'
import { makeWithdrawn } from './withdrawn.ts'

export type { Mailboxes } from './mailboxes.ts'
export type { Mirror } from './mirror.ts'
export type { Settle } from './settle.ts'
export type { SettleGiven } from './types.ts'

export type SettleRoom = Readonly<{
  /** Shows the sender the message as it lies at its holder now: for changes whose mirror a crash may have cost. False: it was not found there, as while it is being moved. */
  remirror: (id: MessageId) => boolean
  /** Once every message is known: keeps what a crash left between two versions of one. */
  recover: () => void
  settle: Settle
  mailboxes: Mailboxes
  mirror: Mirror
  /** What a blocked task waits for, as far as it is known by now. */
  waitsFor: (task: MessageId) => readonly MessageId[]
  /** Whether that was asked of all that were blocked at the start. */
  isWaitingKnown: () => boolean
  sweep: (all: boolean) => Promise<void>
}>

export function createSettleRoom(outside: Omit<SettleGiven, 'versions' | 'said' | 'withdrawn'>): SettleRoom {
  const given: SettleGiven = {
    ...outside,
    versions: makeVersions(outside.clock),
    said: makeSaid(outside),
    withdrawn: makeWithdrawn(outside.disk, outside.layout),
  }
  const mirror = createMirror(given)
  const room: SettleGiven = {
    ...given,
    changed: (change) => {
      given.changed(change)
      blocked.changed(change.id)
    },
  }
  const strangers = createStrangers(
    room,
    (mail) => {
      given.ledger.add(mail)
      settle.look(mail)
    },
    mirror.show,
  )
  const settle = createSettle(room, {
    text: (mail, text) => {
      mirror.show(mail, text)
      if (mail.folder === 'done') strangers.remember(mail)
    },
    stranger: strangers.meet,
  })
  const blocked = createBlocked(room, settle.apply)
  const mailboxes = createMailboxes(room, settle)
  function remirror(id: MessageId): boolean {
    const mail = room.ledger.get(id) ?? room.recall(id)
    // Canaries, and mail of who is no longer there, have no sender that looks.
    const place = mail && isHolder(room.config(), mail.holder) ? locate(room, mail) : undefined
    const read = mail && place && snapshot(room, mail, place)
    if (mail && (!place || read === 'gone')) return !isHolder(room.config(), mail.holder)
    // Busy or unsafe: whatever comes of that shows it again.
    if (!mail || !place || typeof read !== 'object') return true
    mirror.show({ ...mail, file: place.file }, read.bytes.toString('utf8'))
    read.letGo()
    // What its holder did to a settled one while no daemon ran is put right there.
    if (place.folder === 'done') strangers.meet(mail.holder, 'done', place.file)
    return true
  }

  return {
    remirror,
    recover: () => {
      rescueLeftovers(room)
      const isOpen = (id: MessageId): boolean => room.ledger.get(id) !== undefined
      room.said.forgetBut(isOpen)
      room.withdrawn.endBut(isOpen)
    },
    settle,
    mailboxes,
    mirror,
    waitsFor: blocked.waitsFor,
    isWaitingKnown: blocked.isKnown,
    sweep: async (all) => {
      given.versions.sweep()
      const looks = mailboxes.sweep(all)
      strangers.sweep()
      blocked.sweep(all)
      await looks
    },
  }
}
