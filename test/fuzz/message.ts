/** What must hold for the bytes of any message's file. Throws where it does not. */
import { Buffer, isUtf8 } from 'node:buffer'
import { findBorders } from '../../src/core/borders.ts'
import type { Complaint } from '../../src/core/fault.ts'
import { splitFrontMatter } from '../../src/core/frontmatter.ts'
import { isRef } from '../../src/core/ids.ts'
import { isSubject, KNOWN_KEYS, type Value } from '../../src/core/message.ts'
import { readPlain } from '../../src/core/plain.ts'
import { showSafely } from '../../src/core/text.ts'
import { readFront } from '../../src/message/frontmatter.ts'
import { defaultSubject, type MessageText, type Parsed, parseHead, parseMessage, readDraft, readHolder, rewrite } from '../../src/message/index.ts'
import { readStrict } from '../../src/message/strict.ts'
import type { Random } from './random.ts'
import { anyValue, messageBytes, wordOf } from './texts.ts'

/** As org.yaml has them if it says nothing. */
const LIMITS = { frontMatterBytes: 16 * 1024, leavesRoom: true }
/** A rewriting may make front matter larger than a sender's may be. */
const ROOM = { frontMatterBytes: 1024 * 1024 }
const MOST_MESSAGE_BYTES = 256 * 1024
/** Contract, page 5. */
export const WITHIN_MS = 20
const TIMED_AGAIN = 12

export function fail(what: string): never {
  throw new Error(what)
}

export type Tally = { admitted: number; plain: number; rewritten: number; slowestMs: number }

/** One case; returns what it was made of, for whoever must look at it. */
export function checkMessage(random: Random, tally: Tally): void {
  const bytes = messageBytes(random).subarray(0, MOST_MESSAGE_BYTES)
  const parsed = timed(bytes, tally)
  const text = bytes.toString('utf8')
  checkBorders(text)
  if (!parsed.ok) {
    checkComplaints(parsed.complaints, text)
    return
  }
  if (!isUtf8(bytes)) fail('bytes that are not UTF-8 were read')
  const { message } = parsed
  if (message.text !== text) fail('the text is not that of the bytes')
  tally.admitted++
  checkFront(message)
  checkReaders(message)
  const cut = Math.max(Buffer.byteLength(text.slice(0, message.bodyAt)), random.below(bytes.length + 1))
  if (message.hasFrontMatter && !isSame(parseHead(bytes.subarray(0, cut), LIMITS), message)) fail(`the first ${cut} bytes say something else`)
  if (message.hasFrontMatter) checkPlain(text, message, tally)
  if (random.below(3) === 0) checkRewrite(random, message, tally)
}

/** The parse, held to its time; what took longer is done again, for a collection of garbage may have come in between. */
function timed(bytes: Buffer, tally: Tally): Parsed {
  const once = (): readonly [Parsed, number] => {
    // Of its own time: other work on the machine is no fault of the parser's.
    const startUs = process.cpuUsage()
    const parsed = parseMessage(bytes, LIMITS)
    if (parsed.ok) readDraft(parsed.message)
    return [parsed, process.cpuUsage(startUs).user / 1_000]
  }
  let [parsed, tookMs] = once()
  for (let again = 0; tookMs > WITHIN_MS && again < TIMED_AGAIN; again++) tookMs = Math.min(tookMs, once()[1])
  if (tookMs > WITHIN_MS) fail(`reading took ${tookMs.toFixed(1)} ms`)
  tally.slowestMs = Math.max(tally.slowestMs, tookMs)
  return parsed
}

/** The same as findBorders by another way: line by line. */
function checkBorders(text: string): void {
  const start = text.startsWith('\ufeff') ? 1 : 0
  const lines = text.slice(start).split('\n')
  const isMark = (at: number): boolean => lines[at] === '---' || (lines[at] === '---\r' && at < lines.length - 1)
  const found = findBorders(text)
  const split = splitFrontMatter(text)
  if (!lines[0]?.startsWith('---')) return found.kind === 'none' && split.kind === 'plain' ? undefined : fail(`borders: ${found.kind} instead of none`)
  const next = lines.findIndex((line, at) => at > 0 && line.startsWith('---'))
  const kind = !isMark(0) ? 'inexact' : next === -1 ? 'unclosed' : isMark(next) ? 'found' : 'inexact'
  if (found.kind !== kind) fail(`borders: ${found.kind} instead of ${kind}`)
  if (found.kind === 'inexact' && found.line !== (isMark(0) ? next : 0) + 1) fail(`borders: line ${found.line} is not the one`)
  if (found.kind !== 'found') return split.kind === 'bad' ? undefined : fail('the two ways to split differ')
  const closeAt = start + lines.slice(0, next).join('\n').length + 1
  const bodyAt = Math.min(text.length, closeAt + (lines[next] ?? '').length + 1)
  if (found.closeAt !== closeAt || found.bodyAt !== bodyAt) fail(`borders: ${found.closeAt}, ${found.bodyAt} instead of ${closeAt}, ${bodyAt}`)
  if (split.kind !== 'parts' || split.body !== text.slice(bodyAt)) fail('the two ways to split differ')
}

function checkComplaints(complaints: readonly Complaint[], text: string): void {
  if (complaints.length === 0) fail('refused without a complaint')
  const lines = text.split('\n').length
  for (const { spot, what } of complaints) {
    if (what === '' || what.length > 1000 || showSafely(what) !== what || !what.isWellFormed())
      fail(`a complaint that cannot be shown: ${JSON.stringify(what.slice(0, 200))}`)
    if (spot && (spot.line < 1 || spot.line > lines + 1 || spot.column < 1))
      fail(`a complaint about line ${spot.line}, column ${spot.column} of ${lines} lines`)
  }
}

function checkFront({ values, written, spots, text }: MessageText): void {
  checkPlainData(values)
  checkPlainData(written)
  const keys = JSON.stringify(Object.keys(values))
  if (JSON.stringify(Object.keys(written)) !== keys || new Set(spots.keys()).size !== Object.keys(values).length)
    fail('values, written and spots differ in their keys')
  const lines = text.split('\n')
  for (const [key, { line, column }] of spots) {
    if (!Object.hasOwn(values, key)) fail(`a spot of no key: ${key}`)
    const found = lines[line - 1]?.slice(column - 1) ?? ''
    if (!found.startsWith(key) && !/^["']/.test(found)) fail(`the key ${JSON.stringify(key)} does not stand in line ${line}, column ${column}`)
  }
}

/** No prototype but that of arrays, no function, no date, nothing inherited, no half characters. */
function checkPlainData(value: Value): void {
  if (value === null || typeof value === 'boolean' || typeof value === 'number') return
  if (typeof value === 'string') return value.isWellFormed() ? undefined : fail('half a character')
  if (typeof value !== 'object') fail(`a ${typeof value}`)
  const isList = Array.isArray(value)
  if (Object.getPrototypeOf(value) !== (isList ? Array.prototype : null)) fail('an object with a prototype')
  for (const key of Reflect.ownKeys(value)) {
    if (isList && key === 'length') continue
    const property = Object.getOwnPropertyDescriptor(value, key)
    if (typeof key !== 'string' || !property || !('value' in property)) fail('a property that is no plain one')
    checkPlainData(property.value as Value)
  }
}

function checkReaders(message: MessageText): void {
  const { draft, complaints } = readDraft(message)
  for (const { what } of complaints) if (showSafely(what) !== what) fail(`a complaint that cannot be shown: ${JSON.stringify(what)}`)
  if (draft.subject !== undefined && !isSubject(draft.subject)) fail('a subject that is none')
  for (const handle of [draft.ref, draft.inReplyTo]) if (handle !== undefined && !isRef(handle)) fail('a ref that is none')
  for (const path of draft.attach) if (path.startsWith('/') || path.split('/').includes('..') || path.includes('\0')) fail(`attaches ${path}`)
  if (!['task', 'note'].includes(draft.kind)) fail(`a sender's ${draft.kind}`)
  const isUnknown = (key: string): boolean => !KNOWN_KEYS.includes(key) && !key.startsWith('x-')
  if (Object.keys(message.values).some(isUnknown) && !complaints.some(({ code }) => code === 'unknown-key')) fail('an unknown key was passed over')
  const subject = defaultSubject(message, 'file.md')
  if (subject === '' || !isSubject(subject)) fail(`the default subject ${JSON.stringify(subject)}`)
  const holder = readHolder(message)
  if (holder.status !== undefined && holder.badStatus !== undefined) fail('a status that is good and bad')
}

const shownOf = ({ values, written, spots, bodyAt, eol }: MessageText): string => JSON.stringify([values, written, [...spots], bodyAt, eol])

function isSame(parsed: Parsed, message: MessageText): boolean {
  return parsed.ok && shownOf(parsed.message) === shownOf(message)
}

/** The fast reader and the strict one say the same wherever the fast one says anything. */
function checkPlain(text: string, message: MessageText, tally: Tally): void {
  const borders = findBorders(text)
  if (borders.kind !== 'found') fail('front matter without borders was read')
  const source = `\n${text.slice(borders.from, borders.to)}\n`
  if (!readPlain(source)) return
  tally.plain++
  const strict = readStrict(source)
  const fast = readFront(source)
  if (!strict.ok || !fast.ok) fail('the fast reader reads what the strict one refuses')
  const both = [strict.front, fast.front].map(({ values, written, spots }) => JSON.stringify([values, written, [...spots]]))
  if (both[0] !== both[1]) fail(`the fast reader says ${both[1]}, the strict one ${both[0]}`)
  if (JSON.stringify(message.values) !== JSON.stringify(strict.front.values)) fail('the message says something else than its front matter')
}

/** Half a character cannot be written in UTF-8: it becomes U+FFFD. */
function wholeCharacters(value: Value): Value {
  if (typeof value === 'string') return value.toWellFormed()
  if (value === null || typeof value !== 'object') return value
  if (Array.isArray(value)) return (value as readonly Value[]).map(wholeCharacters)
  const made = Object.create(null) as Record<string, Value>
  for (const [key, inner] of Object.entries(value)) made[key] = wholeCharacters(inner)
  return made
}

function checkRewrite(random: Random, message: MessageText, tally: Tally): void {
  const keys = Object.keys(message.values)
  const edits = Object.create(null) as Record<string, Value | undefined>
  for (let left = 1 + random.below(3); left > 0; left--) {
    const key =
      keys.length > 0 && random.chance(2) ? random.pick(keys) : random.chance(3) ? wordOf(random) : random.pick(['status', 'result', 'updated', 'x-a'])
    if (key !== '' && key !== '<<' && key.isWellFormed()) edits[key] = random.chance(5) ? undefined : anyValue(random)
  }
  const wanted = Object.assign(Object.create(null) as Record<string, Value>, message.values)
  for (const [key, value] of Object.entries(edits)) {
    if (value === undefined) delete wanted[key]
    else wanted[key] = value
  }
  if (Object.keys(wanted).length === 0) return
  tally.rewritten++
  const said = `edits ${JSON.stringify(edits)}`
  const made = rewrite(message.text, edits)
  const after = parseMessage(Buffer.from(made), ROOM)
  if (!after.ok) fail(`${said}: rewritten it does not parse: ${JSON.stringify(after.complaints)} in ${JSON.stringify(made.slice(0, 2000))}`)
  const wellFormed = JSON.stringify(wholeCharacters(wanted))
  if (JSON.stringify(after.message.values) !== wellFormed) fail(`${said}: ${JSON.stringify(after.message.values)} instead of ${wellFormed}`)
  if (made.slice(after.message.bodyAt) !== message.text.slice(message.bodyAt)) fail(`${said}: the body changed`)
  if (made.startsWith('\ufeff') !== message.text.startsWith('\ufeff')) fail(`${said}: the byte order mark`)
  if (rewrite(message.text, {}) !== message.text && message.hasFrontMatter) fail('nothing to change, yet changed')
  checkPlain(made, after.message, tally)
}
