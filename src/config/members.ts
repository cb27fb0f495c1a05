/** Each file by itself: text → what it says, before it is compared with the others. */
import { splitFrontMatter } from '../core/frontmatter.ts'
import { type AgentFile, readAgent } from './agent.ts'
import type { Placed } from './fields.ts'
import { type GroupFile, type PersonFile, readGroup, readPerson } from './people.ts'
import { type ProviderFile, readProvider } from './provider.ts'
import { readSchedule, type ScheduleFile } from './schedule.ts'
import { type Located, type Report, readYaml } from './yaml.ts'

/** One file, read but not yet compared with the others. */
export type Member<T> = Readonly<{ file: T; report: Report; body: string }>

/** A file that is YAML alone. An empty one is refused: it looks like one that was cut off while it was written. */
export function wholeYaml(text: string, report: Report): Located | undefined {
  const unmarked = text.startsWith('\ufeff') ? text.slice(1) : text
  let faulty = false
  const node = readYaml(unmarked, 1, (spot, what, near) => {
    faulty = true
    report(spot, what, near)
  })
  if (node === undefined && !faulty) report({ line: 1, column: 1 }, 'this file is empty')
  return node
}

type Reading<T> = (text: string, report: Report, name: string) => { file: T; body: string } | undefined

export function readMembers<T>(
  files: ReadonlyMap<string, string>,
  stems: ReadonlyMap<string, string>,
  reportOn: (file: string) => Report,
  read: Reading<T>,
): Map<string, Member<T>> {
  const members = new Map<string, Member<T>>()
  for (const [name, path] of stems) {
    const text = files.get(path)
    const report = reportOn(path)
    // Without text its problem is known already: it could not be read.
    const found = text === undefined ? undefined : read(text, report, name)
    if (found) members.set(name, { ...found, report })
  }
  return members
}

/** Front matter and body; no front matter at all, or an empty one, is as good as one without keys. */
function readParts(text: string, report: Report): { node: Located; yaml: string; body: string } | undefined {
  const split = splitFrontMatter(text)
  const nothing: Located = { spot: { line: 1, column: 1 }, kind: 'map', block: true, entries: [] }
  if (split.kind === 'bad') report(split.spot, split.what)
  if (split.kind === 'plain') return { node: nothing, yaml: '', body: split.body }
  if (split.kind !== 'parts') return undefined
  let faulty = false
  const node = readYaml(split.yaml, 2, (spot, what, near) => {
    faulty = true
    report(spot, what, near)
  })
  return faulty ? undefined : { node: node ?? nothing, yaml: split.yaml, body: split.body }
}

export const readAgentText: Reading<AgentFile> = (text, report, name) => {
  if (text.trim() === '') {
    report({ line: 1, column: 1 }, 'this file is empty: an agent needs a role')
    return undefined
  }
  const parts = readParts(text, report)
  if (!parts) return undefined
  const file = readAgent(parts.node, report)
  checkStem(name, file.name, report)
  return { file, body: parts.body }
}

export const readPersonText: Reading<PersonFile> = (text, report, name) => {
  const parts = readParts(text, report)
  if (!parts) return undefined
  const file = readPerson(parts.node, report)
  checkStem(name, file.name, report)
  return { file, body: parts.body }
}

export const readGroupText: Reading<GroupFile> = (text, report, name) => {
  const node = wholeYaml(text, report)
  if (!node) return undefined
  const file = readGroup(node, report)
  checkStem(name, file.name, report)
  return { file, body: '' }
}

export const readScheduleText: Reading<ScheduleFile> = (text, report, name) => {
  if (!/^[a-z0-9][a-z0-9_-]{0,62}$/.test(name))
    report(undefined, `${JSON.stringify(name.slice(0, 64))} cannot name a schedule: 1 to 63 of a-z 0-9 _ -, a letter or digit first`)
  const parts = readParts(text, report)
  if (!parts) return undefined
  const file = readSchedule(name, parts.node, parts.yaml, parts.body, report)
  return file && { file, body: parts.body }
}

export const readProviderText: Reading<ProviderFile> = (text, report, name) => {
  if (!/^[a-z0-9][a-z0-9_-]{0,62}$/.test(name))
    report(undefined, `${JSON.stringify(name.slice(0, 64))} cannot name a provider: 1 to 63 of a-z 0-9 _ -, a letter or digit first`)
  const node = wholeYaml(text, report)
  const file = node && readProvider(node, report)
  if (file) checkStem(name, file.name, report)
  return file && { file, body: '' }
}

function checkStem(stem: string, inside: Placed<string> | undefined, report: Report): void {
  if (inside && inside.value !== stem) report(inside.spot, `name: must be ${stem}, as the file is called`, stem)
}
