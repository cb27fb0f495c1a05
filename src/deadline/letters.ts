/** What holder, manager, postmaster and sender are told. */

import type { Name } from '../core/names.ts'
import type { Letter } from '../core/post.ts'
import { counted, oneLine, showSafely } from '../core/text.ts'
import type { Mail } from '../mailbox/index.ts'
import type { LateCode, Level } from './lateness.ts'

/** One level of one task, to be told once. */
export type Escalation = Readonly<{ mail: Mail; code: LateCode; dueMs: number | undefined; level: Level; to: Name; key: string }>

/** More than this for one reader at once are one letter: ten thousand notes are read by nobody. */
export const MOST_SINGLE_LETTERS = 10
const MOST_LISTED = 50

const LATE: Record<LateCode, string> = { 'stuck-new': 'Not claimed in time', 'stuck-cur': 'Not finished in time', overdue: 'Overdue' }
const TIMES: Record<Level, string> = { 1: '', 2: ', twice the time', 3: ', three times the time' }

export function letterAbout({ mail, code, level, to, key }: Escalation): Letter {
  const what = mail.answered === undefined ? LATE[code] : 'Answered, not closed'
  const whose = level === 1 ? '' : ` (${mail.holder}${TIMES[level]})`
  const body = [line(mail), '', ...(level === 1 ? forHolder(mail) : forSuperior(mail)), ''].join('\n')
  return {
    key,
    from: 'pennypost',
    to,
    kind: 'note',
    subject: oneLine(`${what}${whose}: ${showSafely(mail.subject)}`),
    body,
    priority: mail.priority,
    inReplyTo: mail.id,
  }
}

/** All of one reader, level and code in one; at least one. Its key is that of the first, so that a crash in between repeats the same. */
export function letterAboutMany(all: readonly [Escalation, ...Escalation[]]): Letter {
  const [first] = all
  const left = all.length - MOST_LISTED
  const listed = all.slice(0, MOST_LISTED).map(({ mail }) => `- ${line(mail)}${mail.answered === undefined ? '' : ' (answered, not closed)'}`)
  const advice = first.level === 1 ? 'penny tasks overdue' : `penny tasks to:${first.mail.holder}`
  const body = [...listed, ...(left > 0 ? [`- and ${left} more`] : []), '', 'All of them:', '', `    ${advice}`, ''].join('\n')
  const subject = `${LATE[first.code]}${TIMES[first.level]}: ${counted(all.length, 'task')}`
  return { key: `${first.key}:many`, from: 'pennypost', to: first.to, kind: 'note', subject, body, priority: first.mail.priority }
}

export function letterOfExpiry(mail: Mail, to: Name): Letter {
  const body = `${line(mail)}\n\nNobody had claimed it by ${mail.expires ?? 'then'}, so it was cancelled. To have it done after all:\n\n    penny set ${mail.id} status=open\n`
  return { key: `expired:${mail.id}`, from: 'pennypost', to, kind: 'note', subject: oneLine(`Expired: ${showSafely(mail.subject)}`), body, inReplyTo: mail.id }
}

function line(mail: Mail): string {
  const due = mail.due === undefined ? '' : `, due ${mail.due}`
  return `${mail.id} from ${mail.from} to ${mail.holder}, ${mail.priority}, ${mail.status ?? 'note'}${due}: ${showSafely(mail.subject)}`
}

function forHolder(mail: Mail): string[] {
  if (mail.answered !== undefined)
    return [`You answered it (${mail.answered}), but the task is still ${mail.status ?? 'open'}. If that was all:`, '', `    penny settle ${mail.id} done`]
  const next = mail.status === 'open' ? `    penny claim ${mail.id}` : `    penny settle ${mail.id} done`
  return ['Go on with it, or say what it waits for:', '', next, `    penny settle ${mail.id} blocked -m 'waiting for …'`]
}

function forSuperior(mail: Mail): string[] {
  return [
    `${mail.holder} was told and it is still ${mail.status ?? 'open'}.${mail.answered === undefined ? '' : ` It was answered (${mail.answered}), but not closed.`} See how far it is:`,
    '',
    `    penny show ${mail.id}`,
  ]
}
