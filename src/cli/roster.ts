/**
 * Who there is, by the names of the files in policies/: enough to refuse a wrong recipient at once. The whole configuration is
 * not loaded for that, because `send` must start at once; single words of single lines are read by hand, where they are plain.
 */
import { readdirSync, readFileSync } from 'node:fs'
import { userInfo } from 'node:os'
import { NETWORKS, type Network } from '../core/config.ts'
import type { AgentRow } from '../core/control.ts'
import { splitFrontMatter } from '../core/frontmatter.ts'
import { nearest } from '../core/names.ts'
import { readPlain } from '../core/plain.ts'
import { fixOfBar } from './bar.ts'
import type { Surroundings } from './command.ts'
import { EXIT, refuse, UNSEEN, unless } from './exit.ts'

export type Roster = Readonly<{ agents: readonly string[]; people: readonly string[]; groups: readonly string[] }>

/** undefined: policies/ may not be read from here (an agent's seat in system mode). */
export function readRoster(root: string): Roster | undefined {
  const stems = (folder: string, ending: string): string[] | undefined => {
    const names = unless(['EACCES', 'EPERM'], () => unless(['ENOENT', 'ENOTDIR'], () => readdirSync(`${root}/policies/${folder}`)) ?? [])
    return names?.filter((name) => name.endsWith(ending) && /^[a-z]/.test(name)).map((name) => name.slice(0, -ending.length))
  }
  const [agents, people, groups] = [stems('agents', '.md'), stems('people', '.md'), stems('groups', '.yaml')]
  return agents && people && groups ? { agents, people, groups } : undefined
}

/** Refuses (66) an address that does not exist, with the nearest that does. */
export function checkRecipients(roster: Roster, addresses: readonly string[]): void {
  const groups = [...roster.groups, 'all']
  const names = [...roster.agents, ...roster.people, ...groups, 'postmaster']
  for (const address of addresses) {
    const known = address.startsWith('@') ? groups.includes(address.slice(1)) : names.includes(address)
    if (known) continue
    const near = nearest(address.replace(/^@/, ''), names)
    refuse(
      EXIT.noSuchThing,
      `there is no agent, person or group ${JSON.stringify(address)}`,
      near === undefined ? `known are ${names.slice(0, 40).join(' ')}` : `did you mean ${near}?`,
      near === undefined ? 'penny agents' : `penny send ${near}`,
    )
  }
}

/** The person this uid is, as the daemon will see the owner of a file; the postmaster where no person's file says so. */
export function personOf(root: string, surroundings: Surroundings): string {
  const { uid } = surroundings
  const login = loginOf(uid)
  for (const name of readRoster(root)?.people ?? []) {
    const text = unless(UNSEEN, () => readFileSync(`${root}/policies/people/${name}.md`, 'utf8')) ?? ''
    const user = /^user:[ \t]*["']?([^\s"'#]+)/m.exec(text)?.[1]
    if (user !== undefined && (user === login || user === String(uid))) return name
  }
  return postmasterOf(root)
}

/** The name this uid logs in by; undefined: nobody gave it one, which a uid needs for nothing. */
function loginOf(uid: number): string | undefined {
  // libuv knows the process's own account alone; another uid is asked for only by tests.
  return uid === process.geteuid?.() ? unless(['ENOENT', 'ERR_SYSTEM_ERROR'], () => userInfo().username) : undefined
}

/** The person named in org.yaml; the word `postmaster` where that line cannot be read. */
export function postmasterOf(root: string): string {
  const text = unless(UNSEEN, () => readFileSync(`${root}/policies/org.yaml`, 'utf8')) ?? ''
  return /^postmaster:[ \t]*["']?([a-z][a-z0-9-]*)/m.exec(text)?.[1] ?? 'postmaster'
}

/** The organisation's; UTC where that line cannot be read or names none. */
export function timezoneOf(root: string): string {
  const text = unless(UNSEEN, () => readFileSync(`${root}/policies/org.yaml`, 'utf8')) ?? ''
  const named = /^timezone:[ \t]*["']?([\w+/-]+)/m.exec(text)?.[1] ?? 'UTC'
  try {
    new Intl.DateTimeFormat('en-US', { timeZone: named })
    return named
  } catch (cause) {
    if (cause instanceof RangeError) return 'UTC'
    throw cause
  }
}

/** An agent's place in the org chart. */
export type Charted = Readonly<{ name: string; title: string | undefined; manager: string; jail: AgentRow['jail']; network: Network }>

/** Everybody's, read by hand; undefined: some line is not surely what it looks like, or may not be read. */
export function readChart(root: string): Charted[] | undefined {
  const roster = readRoster(root)
  if (!roster) return undefined
  const top = postmasterOf(root)
  const chart: Charted[] = []
  for (const name of [...roster.agents].sort()) {
    const text = unless(UNSEEN, () => readFileSync(`${root}/policies/agents/${name}.md`, 'utf8'))
    const split = text === undefined ? undefined : splitFrontMatter(text)
    const [title, manager, jail, network] = split?.kind === 'parts' ? ['title', 'manager', 'jail', 'network'].map((key) => wordOf(split.yaml, key)) : []
    if (title === undefined || manager === undefined || jail === undefined || network === undefined) return undefined
    chart.push({
      name,
      title: title ?? undefined,
      manager: manager === null || manager === 'postmaster' ? top : manager,
      jail: jail === 'none' ? 'none' : 'bubblewrap',
      network: jail === 'none' ? 'full' : (NETWORKS.find((word) => word === network) ?? 'gateway'),
    })
  }
  return chart
}

/** A key at the start of a line, or a line that belongs to the key before it. */
const PLAIN_LINE = /^(?:[A-Za-z][\w-]*:(?: .*)?|[ #-].*|)\r?$/

/** The text of a key of the mapping; null: it is not there; undefined: one cannot be sure. */
function wordOf(yaml: string, key: string): string | null | undefined {
  const lines = yaml.split('\n')
  // Of an indented mapping the keys would not be at the start of a line.
  if (yaml.startsWith(' ') || !lines.every((line) => PLAIN_LINE.test(line))) return undefined
  const at = lines.findIndex((line) => line.startsWith(`${key}:`))
  if (at < 0) return null
  const [entry] = readPlain(lines[at]?.replace(/ #.*$/, '') ?? '') ?? []
  const goesOn = /^ +\S/.test(lines[at + 1] ?? '')
  return typeof entry?.value === 'string' && !goesOn ? entry.value : undefined
}

/** Refuses a word that is neither an agent nor `all` (66), and whoever may not know who there is (77). */
export function needAgent(root: string, word: string, command: string, others: readonly string[] = ['all']): string {
  const roster = readRoster(root)
  const dir = `${root}/policies`
  if (!roster) return refuse(EXIT.notPermitted, `you may not read ${dir}`, "the configuration is the operators' alone", fixOfBar(dir))
  const agents = [...roster.agents, ...others]
  if (agents.includes(word)) return word
  const near = nearest(word, agents)
  return refuse(
    EXIT.noSuchThing,
    `there is no agent ${JSON.stringify(word)}`,
    near === undefined ? `known are ${agents.slice(0, 40).join(' ')}` : `did you mean ${near}?`,
    near === undefined ? 'penny agents' : `penny ${command} ${near}`,
  )
}
