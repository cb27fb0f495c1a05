import { findBorders } from '../core/borders.ts'
import { oneLine, showSafely } from '../core/text.ts'
import type { MessageText } from './types.ts'

/** The subject of a message that names none: its first line with words in it (a heading without its marks), else the file's stem. */
export function defaultSubject(message: MessageText, fileName: string): string {
  return firstWords(message.text, message.bodyAt) || subjectOf(fileName.replace(/\.md$/i, '')) || 'message'
}

/** The first line of a message's body with words in it, as a subject is made of it; undefined: it has none. */
export function firstLine(text: string): string | undefined {
  const borders = findBorders(text)
  return firstWords(text, borders.kind === 'found' ? borders.bodyAt : 0) || undefined
}

function firstWords(text: string, bodyAt: number): string {
  for (let at = bodyAt; at < text.length; ) {
    const newline = text.indexOf('\n', at)
    const end = newline === -1 ? text.length : newline
    const line = text.slice(at, Math.min(end, at + 1000))
    if (/[\p{L}\p{N}]/u.test(line)) {
      const heading = /^ {0,3}#{1,6}[ \t]+(.*)$/.exec(line.trimEnd())?.[1]
      return subjectOf(heading === undefined ? line : heading.replace(/(?<![^ \t])#+$/, ''))
    }
    at = end + 1
  }
  return ''
}

function subjectOf(text: string): string {
  return oneLine(showSafely(text.replace(/[\s\ufeff]+/g, ' ')))
}
