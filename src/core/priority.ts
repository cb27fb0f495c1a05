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

/** Words outside any scheme that people and programs put into file names to say how urgent something is. */
const FOREIGN =
  /^(p[0-9]|prio[0-9]?|priority[0-9]?|asap|critical|crit|emergency|immediate|immediately|important|blocker|sev[0-9]|hot|rush|now|medium|med|hi|lo|urg)$/i

/** The word at the end of a dropped file's name that reads like a priority (`task-P1.md` → `P1`), if there is one. */
export function priorityInName(scheme: PriorityScheme, fileName: string): string | undefined {
  const stem = fileName.replace(/\.md$/i, '')
  const word = /(?:^|[-_.\s([])([A-Za-z]+[0-9]?)[)\]!]*$/.exec(stem)?.[1]
  if (word === undefined) return undefined
  const lower = word.toLowerCase()
  const inScheme = scheme.rules.some((rule) => rule.name.toLowerCase() === lower) || [...scheme.aliases.keys()].some((alias) => alias.toLowerCase() === lower)
  return inScheme || FOREIGN.test(word) ? word : undefined
}
