/** What a sender wrote, checked for shape: every complaint at once, so that one correction is enough. */
import type { Complaint, FaultCode } from '../core/fault.ts'
import { isRef } from '../core/ids.ts'
import { type Draft, isSubject, KEYS_OF_DAEMON, KEYS_OF_HOLDER, type KEYS_OF_SENDER, KNOWN_KEYS, MOST_SUBJECT, SENDER_KINDS, SETTLES } from '../core/message.ts'
import { nearest } from '../core/names.ts'
import { MOST_NAME_BYTES, showSafely } from '../core/text.ts'
import { parseMoment } from '../core/time.ts'
import type { MessageText } from './types.ts'
import { namesOf, textOf } from './values.ts'

/** PATH_MAX of Linux, less the root's own path. */
const MAX_PATH = 1024
// biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what this finds
const CONTROL = /[\u0000-\u001f\u007f-\u009f\u2028\u2029]/

type Keys = (typeof KEYS_OF_SENDER)[number] | (typeof KEYS_OF_HOLDER)[number] | (typeof KEYS_OF_DAEMON)[number]

export function readDraft(message: MessageText): { draft: Draft; complaints: readonly Complaint[] } {
  const { written } = message
  const complaints: Complaint[] = []
  const complain = (key: string, code: FaultCode, what: string, near?: string): undefined => {
    complaints.push({ code, spot: message.spots.get(key), what, near })
  }
  /** One scalar, trimmed; '' and nothing are as good as no key. */
  const word = (key: Keys): string | undefined => {
    const value = written[key]
    if (value === undefined || value === null) return undefined
    const text = textOf(value)
    if (text === undefined) return complain(key, 'bad-value', `${key} is one value, not a list or a mapping`)
    return text.trim() || undefined
  }
  const among = <T extends string>(key: Keys, allowed: readonly T[]): T | undefined => {
    const text = word(key)
    const found = allowed.find((one) => one === text)
    if (text === undefined || found !== undefined) return found
    return complain(key, 'bad-value', `${key} is one of ${allowed.join(', ')}, not ${quote(text)}`, nearest(text, allowed))
  }
  const handle = (key: Keys, meaning: string): string | undefined => {
    const text = word(key)
    if (text === undefined || isRef(text)) return text
    return complain(key, 'bad-value', `${key} is ${meaning}: at most 64 of A-Z a-z 0-9 . _ -, not ${quote(text)}`)
  }
  const moment = (key: Keys): string | undefined => {
    const text = word(key)
    if (text === undefined || parseMoment(text, 'UTC')) return text
    return complain(key, 'bad-value', `${key} is a date (2026-11-30) or a time (2026-11-30T17:00:00+01:00), not ${quote(text)}`)
  }
  const recipients = (key: 'to' | 'cc'): readonly string[] => {
    const names = namesOf(written[key])
    if (!names) complain(key, 'bad-value', `${key} is a name or a list of names`)
    return names ?? []
  }

  complaintsAboutKeys(message, complain)
  const inReplyTo = handle('in_reply_to', 'an id or a ref')
  const settles = among('settles', SETTLES)
  if (settles !== undefined && (written.in_reply_to ?? undefined) === undefined)
    complain('settles', 'bad-value', 'settles needs in_reply_to: the message that it settles')
  const draft: Draft = {
    ref: handle('ref', 'a handle of your own'),
    claimedFrom: word('from'),
    claimedStatus: among('status', ['open']),
    to: recipients('to'),
    cc: recipients('cc'),
    subject: readSubject(word('subject'), complain),
    kind: among('kind', SENDER_KINDS) ?? 'task',
    priority: word('priority'),
    due: moment('due'),
    notBefore: moment('not_before'),
    expires: moment('expires'),
    inReplyTo,
    settles,
    attach: readAttach(message, complain),
  }
  return { draft, complaints: inTextOrder(complaints) }
}

type Complain = (key: string, code: FaultCode, what: string, near?: string) => undefined

function quote(text: string): string {
  return `"${showSafely(text.slice(0, 80))}"`
}

function complaintsAboutKeys(message: MessageText, complain: Complain): void {
  for (const key of Object.keys(message.values)) {
    if (key.startsWith('x-') && CONTROL.test(key)) complain(key, 'bad-value', 'a key of your own has no control characters')
    if (key.startsWith('x-') || key === 'from' || key === 'status') continue
    if (!KNOWN_KEYS.includes(key)) complain(key, 'unknown-key', `there is no key ${quote(key)}; keys of your own begin with x-`, nearest(key, KNOWN_KEYS))
    else if ((KEYS_OF_DAEMON as readonly string[]).includes(key)) complain(key, 'forged-sender', `${key} is set by the daemon alone; a sender may not write it`)
    else if ((KEYS_OF_HOLDER as readonly string[]).includes(key)) complain(key, 'bad-value', `${key} is written by the holder of a message, not by its sender`)
    else if (key === 'request' || key === 'attest') complain(key, 'bad-value', `${key} is kept for approvals, which are not in use here`)
  }
}

function readSubject(text: string | undefined, complain: Complain): string | undefined {
  if (text === undefined) return undefined
  if (isSubject(text)) return text
  return complain(
    'subject',
    'bad-value',
    CONTROL.test(text) ? 'subject is one line without control characters' : `subject has at most ${MOST_SUBJECT} characters`,
  )
}

/** Relative paths that stay below where they are looked for; a comma may be part of a file's name. */
function readAttach(message: MessageText, complain: Complain): readonly string[] {
  const value = message.written.attach
  if (value === undefined || value === null) return []
  const one = textOf(value)
  const items = one === undefined ? value : [one]
  const paths = Array.isArray(items) ? (items as readonly (typeof value)[]).map(textOf) : [undefined]
  const good: string[] = []
  for (const path of paths) {
    if (path === undefined) complain('attach', 'bad-value', 'attach is a list of file names')
    else if (!isAttachable(path)) complain('attach', 'bad-value', `attach has names of files beside the message, not ${quote(path)}`)
    else good.push(path)
  }
  return good
}

/** One that no file system could have would be asked for for ever. */
function isAttachable(path: string): boolean {
  if (path === '' || Buffer.byteLength(path) > MAX_PATH || path.startsWith('/') || path.endsWith('/') || CONTROL.test(path)) return false
  return path.split('/').every((part) => part !== '..' && Buffer.byteLength(part) <= MOST_NAME_BYTES)
}

function inTextOrder(complaints: readonly Complaint[]): readonly Complaint[] {
  return complaints.toSorted((a, b) => (a.spot?.line ?? 0) - (b.spot?.line ?? 0) || (a.spot?.column ?? 0) - (b.spot?.column ?? 0))
}
