/** The one priority scheme. Its words come from `policies/priorities.yaml`; the default for where there is none is spelt in `config/priorities.ts` alone. */
import { nearest } from './names.ts'

export type PriorityName = string

export type PriorityRule = Readonly<{
  name: PriorityName
  /** 1 is served first; it is the first character of a delivered file's name. */
  rank: number
  claimWithinMs: number
  finishWithinMs: number
}>

export type PriorityScheme = Readonly<{
  /** In order of service; at most nine. */
  rules: readonly PriorityRule[]
  byName: ReadonlyMap<string, PriorityRule>
  /** Foreign words an operator maps at the door. */
  aliases: ReadonlyMap<string, PriorityName>
  /** What a message without `priority:` gets. */
  fallback: PriorityRule
}>

export type PriorityLookup = { rule: PriorityRule } | { unknown: string; known: readonly string[]; near: string | undefined }

export function findPriority(scheme: PriorityScheme, word: string | undefined): PriorityLookup {
  if (word === undefined) return { rule: scheme.fallback }
  const rule = scheme.byName.get(word) ?? scheme.byName.get(scheme.aliases.get(word) ?? '')
  if (rule) return { rule }
  const known = scheme.rules.map((r) => r.name)
  return { unknown: word, known, near: nearest(word, [...known, ...scheme.aliases.keys()]) }
}

/** Codes outside any scheme that say how urgent something is wherever they stand; the number is the place in an order of service. */
const CODE = /^(?:p|prio|priority|sev)([0-9])$/
/** Words that do so at the end of a name; what is plain English besides ("hi", "now") is none, or every second name would have one. */
const WORDS: ReadonlyMap<string, 'first' | 'second' | 'usual'> = new Map([
  ...'asap urg critical crit emergency immediate immediately blocker prio priority'.split(' ').map((word) => [word, 'first'] as const),
  ['important', 'second'],
  ['medium', 'usual'],
])

type Meaning = Readonly<{ rule: PriorityRule; isCertain: boolean }>

/** What a word in a name means; undefined: nothing that has to do with priorities. */
function meaningOf(scheme: PriorityScheme, word: string): Meaning | undefined {
  const lower = word.toLowerCase()
  const alias = [...scheme.aliases].find(([foreign]) => foreign.toLowerCase() === lower)?.[1]
  const own = scheme.rules.find(({ name }) => name.toLowerCase() === lower) ?? scheme.byName.get(alias ?? '')
  if (own) return { rule: own, isCertain: true }
  const number = CODE.exec(lower)?.[1]
  const said = number === undefined ? WORDS.get(lower) : 'code'
  if (said === undefined) return undefined
  const place = said === 'code' ? Math.max(0, Number(number) - 1) : said === 'second' ? 1 : 0
  return { rule: (said === 'usual' ? undefined : scheme.rules[Math.min(place, scheme.rules.length - 1)]) ?? scheme.fallback, isCertain: false }
}

/** The priority that a word of a dropped file's name most likely means. */
export function meantBy(scheme: PriorityScheme, word: string): PriorityName {
  return (meaningOf(scheme, word)?.rule ?? scheme.fallback).name
}

/**
 * The word at the end of a dropped file's name that reads like a priority (`task-P1.md` → `P1`), where the message is delivered with
 * another one; a foreign word also where that is only likely to be the same. `written`: what the front matter says.
 */
export function misleadingWord(scheme: PriorityScheme, fileName: string, delivered: PriorityRule, written: string | undefined): string | undefined {
  const stem = fileName.replace(/\.md$/i, '')
  const [, before, word] = /(^|[-_.\s([])([A-Za-z]+[0-9]?)[)\]!]*$/.exec(stem) ?? []
  const meaning = word === undefined ? undefined : meaningOf(scheme, word)
  if (word === undefined || !meaning || word.toLowerCase() === written?.toLowerCase()) return undefined
  // As the whole name it is what the message is about.
  if (before === '' && !meaning.isCertain && WORDS.has(word.toLowerCase()) && word.toLowerCase() !== 'asap') return undefined
  return meaning.isCertain && meaning.rule === delivered ? undefined : word
}
