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

/** Codes outside any scheme that say how urgent something is; the number is the place in an order of service. */
const CODE = /^(?:p|prio|priority|sev)([0-9])$/
/** Words that people and programs put at the end of a name for the same. */
const WORDS: ReadonlyMap<string, 'first' | 'second' | 'usual' | 'last'> = new Map([
  ...'urgent asap urg critical crit emergency immediate immediately blocker rush hot now prio priority'.split(' ').map((word) => [word, 'first'] as const),
  ...'high important hi'.split(' ').map((word) => [word, 'second'] as const),
  ...'normal medium med'.split(' ').map((word) => [word, 'usual'] as const),
  ...'low lo'.split(' ').map((word) => [word, 'last'] as const),
])
/** As the whole name these are plain English: what the message is about. */
const PLAIN: readonly string[] = ['hi', 'hot', 'important', 'lo', 'medium', 'now', 'priority', 'rush']

type Meaning = Readonly<{ rule: PriorityRule; isCertain: boolean }>

/** What a word in a name means; undefined: nothing that has to do with priorities. */
function meaningOf(scheme: PriorityScheme, word: string): Meaning | undefined {
  const lower = word.toLowerCase()
  const alias = [...scheme.aliases].find(([foreign]) => foreign.toLowerCase() === lower)?.[1]
  const own = scheme.rules.find(({ name }) => name.toLowerCase() === lower) ?? scheme.byName.get(alias ?? '')
  if (own) return { rule: own, isCertain: true }
  const number = CODE.exec(lower)?.[1]
  const said = WORDS.get(lower)
  if (number === undefined && said === undefined) return undefined
  const place = number === undefined ? { first: 0, second: 1, usual: undefined, last: scheme.rules.length }[said ?? 'usual'] : Math.max(0, Number(number) - 1)
  const rule = place === undefined ? undefined : scheme.rules[Math.min(place, scheme.rules.length - 1)]
  return { rule: rule ?? scheme.fallback, isCertain: false }
}

/** The priority that a word of a dropped file's name most likely means. */
export function meantBy(scheme: PriorityScheme, word: string): PriorityName {
  return (meaningOf(scheme, word)?.rule ?? scheme.fallback).name
}

/**
 * The word at the end of a dropped file's name that reads like a priority (`task-P1.md` → `P1`), where the front matter does not say that
 * very word (contract, page 2). `delivered`: the priority it gets; `written`: what the front matter says.
 */
export function misleadingWord(scheme: PriorityScheme, fileName: string, delivered: PriorityRule, written: string | undefined): string | undefined {
  const stem = fileName.replace(/\.md$/i, '')
  const [, before, word] = /(^|[-_.\s([])([A-Za-z]+[0-9]?)[)\]!]*$/.exec(stem) ?? []
  const meaning = word === undefined ? undefined : meaningOf(scheme, word)
  if (word === undefined || !meaning || word.toLowerCase() === written?.toLowerCase()) return undefined
  const isTitle = before === '' && (PLAIN.includes(word.toLowerCase()) || (meaning.isCertain && meaning.rule === delivered))
  return isTitle ? undefined : word
}
