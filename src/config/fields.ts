/**
 * Readers: a located value → a checked one, or a report of what is wrong where. Every reader goes on after a fault,
 * so that an operator sees all of them at once.
 */
import type { Spot } from '../core/fault.ts'
import { hintOfPair } from '../core/mistakes.ts'
import { nearest } from '../core/names.ts'
import { parseDuration, parseSize } from '../core/units.ts'
import type { Located, Report } from './yaml.ts'

/** undefined: it was reported. */
export type Reader<T> = (node: Located, report: Report) => T | undefined

/** A value with its place, for checks that need the whole organisation. */
export type Placed<T> = Readonly<{ value: T; spot: Spot }>

/** Characters of a value that a hint repeats. */
const MOST_SHOWN = 100

type Shape = Readonly<Record<string, Reader<unknown>>>
type Read<S extends Shape> = { readonly [K in keyof S]: S[K] extends Reader<infer T> ? T | undefined : never }

type Rules<S extends Shape> = Readonly<{
  needed?: readonly (keyof S & string)[]
  /** Keys of later pages of the contract: accepted, not acted on. */
  later?: readonly string[]
  /** x-… keys are the operator's own. */
  own?: boolean
}>

/** The keys of a mapping, each by its reader; an unknown key is refused with the nearest known one. */
export function fields<S extends Shape>(node: Located, report: Report, shape: S, rules: Rules<S> = {}): Read<S> {
  const read: Record<string, unknown> = Object.fromEntries(Object.keys(shape).map((key) => [key, undefined]))
  if (node.kind !== 'map') {
    const hint = node.kind === 'scalar' && typeof node.value === 'string' ? hintOfPair(node.value) : undefined
    report(node.spot, hint ?? `a mapping is needed here (${Object.keys(shape).join(', ')}), this is ${describe(node)}`)
    return read as Read<S>
  }
  const known = [...Object.keys(shape), ...(rules.later ?? [])]
  // A needed key that is only misspelt is not missing besides: one mistake, told where it stands.
  const misspelt = new Set<string | undefined>()
  for (const { key, keySpot, value } of node.entries) {
    const reader = Object.hasOwn(shape, key) ? shape[key] : undefined
    if (reader) read[key] = reader(value, (spot, what, near) => report(spot, `${key}: ${what}`, near))
    else if (!rules.later?.includes(key) && !(rules.own && key.startsWith('x-'))) {
      reportUnknown(report, keySpot, 'key', key, known)
      misspelt.add(nearest(key, known))
    }
  }
  for (const key of rules.needed ?? [])
    if (!misspelt.has(key) && !node.entries.some((entry) => entry.key === key)) report(node.spot, `${key}: is missing, and needed`)
  return read as Read<S>
}

/** A word that is not among the known ones: with the nearest of them, or all of them where none is near. */
export function reportUnknown(report: Report, spot: Spot | undefined, noun: string, word: string, known: readonly string[]): void {
  const near = nearest(word, known)
  const shown = JSON.stringify(word.length > 64 ? `${word.slice(0, 64)}…` : word)
  report(
    spot,
    near === undefined && known.length > 0 && known.length <= 40 ? `unknown ${noun} ${shown}; known: ${known.join(', ')}` : `unknown ${noun} ${shown}`,
    near,
  )
}

export function describe(node: Located): string {
  if (node.kind === 'map') return 'a mapping'
  if (node.kind === 'list') return 'a list'
  if (node.value === null) return 'empty'
  return typeof node.value === 'string' ? JSON.stringify(node.value.slice(0, 64)) : `the ${typeof node.value === 'number' ? 'number' : 'word'} ${node.value}`
}

export function placed<T>(reader: Reader<T>): Reader<Placed<T>> {
  return (node, report) => {
    const value = reader(node, report)
    return value === undefined ? undefined : { value, spot: node.spot }
  }
}

/** One line of text, not empty. */
export const line: Reader<string> = (node, report) => {
  if (node.kind !== 'scalar' || typeof node.value !== 'string') {
    const quote = node.kind === 'scalar' && node.value !== null ? ': put it into quotes' : ''
    report(node.spot, `text is needed, this is ${describe(node)}${quote}`)
    return undefined
  }
  if (node.value.trim() === '' || /[\n\r]/.test(node.value) || node.value.length > 500) {
    report(node.spot, 'one line of text is needed, at most 500 characters')
    return undefined
  }
  return node.value
}

/** As `line`, but may be empty. */
export const lineOrNothing: Reader<string> = (node, report) => (node.kind === 'scalar' && (node.value === '' || node.value === null) ? '' : line(node, report))

export const flag: Reader<boolean> = (node, report) => {
  if (node.kind === 'scalar' && typeof node.value === 'boolean') return node.value
  report(node.spot, `true or false is needed, this is ${describe(node)}`)
  return undefined
}

export function integer(least: number, most: number): Reader<number> {
  return (node, report) => {
    if (node.kind === 'scalar' && typeof node.value === 'number' && Number.isSafeInteger(node.value) && node.value >= least && node.value <= most)
      return node.value
    report(node.spot, `a whole number from ${least} to ${most} is needed, this is ${describe(node)}`)
    return undefined
  }
}

export function number(least: number, most: number): Reader<number> {
  return (node, report) => {
    if (node.kind === 'scalar' && typeof node.value === 'number' && node.value >= least && node.value <= most) return node.value
    report(node.spot, `a number from ${least} to ${most} is needed, this is ${describe(node)}`)
    return undefined
  }
}

/** Milliseconds. */
export function duration(leastMs: number, mostMs = 3650 * 86_400_000): Reader<number> {
  return (node, report) => {
    const ms = node.kind === 'scalar' && typeof node.value === 'string' ? parseDuration(node.value) : undefined
    if (ms === undefined) report(node.spot, `a duration such as 30s, 5m, 2h or 3d is needed, this is ${describe(node)}`)
    else if (ms < leastMs || ms > mostMs) report(node.spot, `this duration is too ${ms < leastMs ? 'short' : 'long'}: ${describe(node)}`)
    else return ms
    return undefined
  }
}

/** Bytes. */
export function size(least: number, most: number): Reader<number> {
  return (node, report) => {
    const bytes = node.kind === 'scalar' && typeof node.value === 'string' ? parseSize(node.value) : undefined
    if (bytes === undefined) report(node.spot, `a size such as 256KiB or 64MiB is needed, this is ${describe(node)}`)
    else if (bytes < least || bytes > most) report(node.spot, `this size is too ${bytes < least ? 'small' : 'large'}: ${describe(node)}`)
    else return bytes
    return undefined
  }
}

export function choice<T extends string>(...words: readonly T[]): Reader<T> {
  return (node, report) => {
    const value = node.kind === 'scalar' ? node.value : undefined
    const found = words.find((word) => word === value)
    if (found === undefined)
      report(node.spot, `one of ${words.join(', ')} is needed, this is ${describe(node)}`, typeof value === 'string' ? nearest(value, words) : undefined)
    return found
  }
}

/** A list; faulty items are reported and left out. `depth`: of lists in which an item written without any belongs. */
export function list<T>(reader: Reader<T>, least = 0, depth = 1): Reader<readonly T[]> {
  return (node, report) => {
    if (node.kind !== 'list') {
      const hint = node.kind === 'scalar' && node.value !== null ? `: write ${asList(String(node.value), depth)}` : ''
      report(node.spot, `a list is needed, this is ${describe(node)}${hint}`)
      return undefined
    }
    if (node.items.length < least) report(node.spot, 'at least one is needed')
    return node.items.map((item) => reader(item, report)).filter((item): item is NonNullable<typeof item> => item !== undefined)
  }
}

/** Keys of the operator's own choice, each with a value of one kind; faulty ones are reported and left out. */
export function mapping<T>(reader: Reader<T>): Reader<ReadonlyMap<string, T>> {
  return (node, report) => {
    if (node.kind !== 'map') {
      report(node.spot, `a mapping is needed here, this is ${describe(node)}`)
      return undefined
    }
    const read = new Map<string, T>()
    for (const { key, value } of node.entries) {
      const found = reader(value, (spot, what, near) => report(spot, `${key}: ${what}`, near))
      if (found !== undefined) read.set(key, found)
    }
    return read
  }
}

/** Words written one after the other, or with commas between, as the list that is meant: `wc -l` is `[wc, -l]`. */
function asList(text: string, depth: number): string {
  const words = /^[^\s,]+(,\s*[^\s,]+)+$/.test(text) ? text.split(/,\s*/) : (text.match(/"[^"]*"|'[^']*'|\S+/g) ?? [''])
  const isPlain = (word: string): boolean => /^(["'][^"'\\]*["']|-?[A-Za-z0-9_./+%=@-]*[A-Za-z0-9_/])$/.test(word) && !word.startsWith('@')
  const shown = words.map((word) => (isPlain(word) ? word : JSON.stringify(word))).join(', ')
  return `${'['.repeat(depth)}${shown.length > MOST_SHOWN ? `${shown.slice(0, MOST_SHOWN)}…` : shown}${']'.repeat(depth)}`
}

/** Commands, each an argv list. */
export const commands: Reader<readonly (readonly string[])[]> = list(list(line, 1), 0, 2)

/** A login name or a uid. */
export const account: Reader<string> = (node, report) => {
  if (node.kind === 'scalar' && typeof node.value === 'number' && Number.isInteger(node.value) && node.value >= 0 && node.value < 4_294_967_295)
    return String(node.value)
  if (node.kind === 'scalar' && typeof node.value === 'string' && /^[A-Za-z0-9_][A-Za-z0-9_.-]{0,31}\$?$/.test(node.value)) return node.value
  report(node.spot, `a login name or a uid is needed, this is ${describe(node)}`)
  return undefined
}

/** Absolute. */
export const path: Reader<string> = (node, report) => {
  const text = line(node, report)
  if (text === undefined) return undefined
  // Control characters: the zero byte ends a word for whoever the path is handed to.
  if (text.startsWith('/') && !text.split('/').includes('..') && !/\p{Cc}/u.test(text)) return text
  report(node.spot, `an absolute path without .. is needed, this is ${JSON.stringify(text.slice(0, 64))}`)
  return undefined
}

/** A time zone of the IANA data base, as this Node knows it. */
export const timezone: Reader<string> = (node, report) => {
  const zone = line(node, report)
  if (zone === undefined) return undefined
  try {
    if (/^[A-Za-z]/.test(zone)) {
      new Intl.DateTimeFormat('en', { timeZone: zone })
      return zone
    }
  } catch (error) {
    if (!(error instanceof RangeError)) throw error
  }
  report(
    node.spot,
    `unknown time zone ${describe(node)}; one such as UTC or Europe/Berlin is needed`,
    nearest(zone, ['UTC', ...Intl.supportedValuesOf('timeZone')]),
  )
  return undefined
}

/** Anything at all: keys of later pages whose values are theirs to judge. */
export const anything: Reader<Located> = (node) => node
