/** A message as its sender writes it: values that survive any text, then the body's bytes. */
import { isUtf8 } from 'node:buffer'
import { oneLine } from '../core/text.ts'
import { sameOption } from './again.ts'
import type { Call } from './command.ts'
import { EXIT, refuse } from './exit.ts'

export type LetterValue = string | readonly string[] | undefined

/** Control characters and those that YAML 1.2 counts as line ends, which JSON leaves as they are. */
const UNPRINTABLE = /[\u007f-\u009f\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff\ufffe\uffff]/g

const LONE_SURROGATE = /[\ud800-\udbff](?![\udc00-\udfff])|(?<![\ud800-\udbff])[\udc00-\udfff]/g

/** Double-quoted YAML; every JSON string is one (YAML 1.2, section 1.3). */
export function quote(text: string): string {
  return JSON.stringify(text.replace(LONE_SURROGATE, '\ufffd')).replace(UNPRINTABLE, (c) => `\\u${c.charCodeAt(0).toString(16).padStart(4, '0')}`)
}

/** Keys in the order given; undefined ones and empty lists are left out. Words that need no quotes stand without. */
export function writeLetter(keys: Readonly<Record<string, LetterValue>>, body: Uint8Array): Buffer {
  const lines = Object.entries(keys).flatMap(([key, value]) => {
    if (value === undefined || (typeof value !== 'string' && value.length === 0)) return []
    return `${key}: ${typeof value === 'string' ? scalar(value) : `[${value.map(quote).join(', ')}]`}\n`
  })
  return Buffer.concat([Buffer.from(`---\n${lines.join('')}---\n`), body])
}

/** Names and ids stay readable; what YAML could take for anything but a word is quoted. */
function scalar(text: string): string {
  return /^[a-z][a-z0-9-]{1,62}$/.test(text) && !/^(?:null|true|false|yes|no|on|off)$/.test(text) ? text : quote(text)
}

/** Refuses (65) what the daemon would hold for its shape. */
export function checkLetter(call: Call, subject: string | undefined, body: Uint8Array): void {
  if (!isUtf8(body)) refuse(EXIT.badMessage, 'the body is not valid UTF-8', 'a message is text', 'penny send TO -a FILE')
  if (subject !== undefined && /[\r\n]/.test(subject))
    refuse(
      EXIT.badMessage,
      'the subject is more than one line',
      'a subject is one line of at most 200 characters',
      sameOption(call, 'subject')(oneLine(subject)),
    )
  if (subject !== undefined && [...subject].length > 200)
    refuse(
      EXIT.badMessage,
      'the subject is longer than 200 characters',
      'a subject is one line of at most 200 characters',
      sameOption(call, 'subject')(oneLine(subject)),
    )
  if (!subject?.trim() && !/\S/.test(Buffer.from(body).toString('utf8')))
    refuse(EXIT.badMessage, 'there is nothing to send', 'neither a subject nor a body is given', sameOption(call, 'message')('the text'))
}
