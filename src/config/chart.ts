/** Checks that need the whole organisation: names that exist, a chart without circles. */
import type { Name } from '../core/names.ts'
import { type Placed, reportUnknown } from './fields.ts'
import type { Report } from './yaml.ts'

/** Who there is: every name that has a file, also where the file itself is faulty, so that one fault is one problem. */
export type Roster = Readonly<{ agents: ReadonlySet<string>; people: ReadonlySet<string>; groups: ReadonlySet<string>; postmaster: Name | undefined }>

/** The agent or person of this name; `postmaster` is the one of org.yaml. undefined: reported. */
export function findHolder(word: Placed<string>, roster: Roster, report: Report): Name | undefined {
  const { value, spot } = word
  if (value === 'postmaster') return roster.postmaster
  if (roster.agents.has(value) || roster.people.has(value)) return value as Name
  if (roster.groups.has(value.replace(/^@/, ''))) report(spot, `${value} is a group; an agent or a person is needed`)
  else reportUnknown(report, spot, 'agent or person', value, [...roster.agents, ...roster.people])
  return undefined
}

/** An address: a name, `@group` or the bare name of a group, `all`, `postmaster`. Returns whether it exists. */
export function checkAddress(word: Placed<string>, roster: Roster, report: Report): boolean {
  const { value, spot } = word
  const bare = value.startsWith('@') ? value.slice(1) : value
  if (bare === 'all' || value === 'postmaster' || roster.groups.has(bare)) return true
  const isHolder = roster.agents.has(bare) || roster.people.has(bare)
  if (isHolder && bare === value) return true
  if (isHolder) report(spot, `${bare} is no group: @ stands before groups only`, bare)
  else if (value.startsWith('@'))
    reportUnknown(
      report,
      spot,
      'group',
      value,
      [...roster.groups, 'all'].map((group) => `@${group}`),
    )
  else reportUnknown(report, spot, 'name', value, [...roster.agents, ...roster.people, ...roster.groups, 'all', 'postmaster'])
  return false
}

type Managed = Readonly<{ manager: Name | undefined; report: Report; spot: Placed<string>['spot'] | undefined }>

/** Reports each circle of the org chart once, at the first of its members. */
export function checkChart(holders: ReadonlyMap<string, Managed>, postmaster: Name | undefined): void {
  const seen = new Set<string>()
  for (const start of [...holders.keys()].sort()) {
    const path: string[] = []
    let at: string | undefined = start
    while (at !== undefined && !seen.has(at)) {
      seen.add(at)
      path.push(at)
      at = holders.get(at)?.manager ?? (at === postmaster ? undefined : postmaster)
    }
    if (at === undefined || !path.includes(at)) continue
    const circle = path.slice(path.indexOf(at))
    const teller = circle.find((name) => holders.get(name)?.spot !== undefined) ?? at
    const turn = circle.indexOf(teller)
    const shown = [...circle.slice(turn), ...circle.slice(0, turn), teller]
    const member = holders.get(teller)
    member?.report(
      member.spot,
      shown.length === 2 ? `manager: ${teller} cannot be its own manager` : `manager: the org chart goes in a circle: ${shown.join(' → ')}`,
    )
  }
}

/** Why a word cannot be a name, with one that could. */
export function nameFault(stem: string, reserved: boolean): { what: string; near: string | undefined } {
  if (reserved) return { what: `${stem} is reserved and cannot be a name`, near: undefined }
  const better = stem
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, '-')
    .replace(/^[^a-z]+/, '')
    .slice(0, 31)
    .replace(/-+$/, '')
  return {
    what: `${JSON.stringify(stem.slice(0, 64))} cannot be a name: 1 to 31 of a-z 0-9 -, a letter first, no - at the end`,
    near: better === '' ? undefined : better,
  }
}
