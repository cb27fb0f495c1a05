/** policies/ → Config, or every problem at once. */
import type { Config } from '../core/config.ts'
import { isName, isReserved, type Name } from '../core/names.ts'
import type { PriorityScheme } from '../core/priority.ts'
import { checkChart, findHolder, nameFault, type Roster } from './chart.ts'
import { type Placed, reportUnknown } from './fields.ts'
import { digestOf, misplaced, type PolicyFiles, type Problem, stemsIn } from './files.ts'
import { deepFreeze, frozenMap } from './freeze.ts'
import { checkAccounts, checkOperators, checkUids, type Machine } from './machine.ts'
import { readAgentText, readGroupText, readMembers, readPersonText, readProviderText, readScheduleText, wholeYaml } from './members.ts'
import { checkMounts } from './mounts.ts'
import { type OrgFile, readOrg } from './org.ts'
import { DEFAULT_PRIORITIES, readPriorities } from './priorities.ts'
import { agentOf, groupOf, personOf, providerOf, scheduleOf } from './resolve.ts'
import type { Report } from './yaml.ts'

export type Loaded = Readonly<{ ok: true; config: Config }> | Readonly<{ ok: false; problems: readonly Problem[] }>

/** `machine`: where it is to run in system mode; without it names of accounts are not looked up. */
export function loadConfig(policies: PolicyFiles, dir: string, machine?: Machine): Loaded {
  const { files } = policies
  const problems: Problem[] = [...policies.problems]
  const reportOn =
    (file: string): Report =>
    (spot, what, near) =>
      problems.push({ code: 'config-invalid', file, spot, what, near })
  if (files.size === 0) {
    if (problems.length === 0) reportOn('')(undefined, 'the folder is empty: org.yaml, one person and one agent are needed')
    return { ok: false, problems: sorted(problems) }
  }
  // From `sums`: a file that could not be read as text is misplaced all the same.
  for (const path of policies.sums.keys()) {
    const fault = misplaced(path)
    if (fault) reportOn(path)(undefined, fault.what, fault.near)
  }

  const orgFile = readOrgFile(files, reportOn('org.yaml'), stemsIn(policies.sums, 'providers').size > 0)
  const priorities = readScheme(files.get('priorities.yaml'), reportOn('priorities.yaml'))
  const stems = { agents: stemsIn(policies.sums, 'agents'), people: stemsIn(policies.sums, 'people'), groups: stemsIn(policies.sums, 'groups') }
  checkNames(stems, reportOn)
  if (stems.agents.size === 0)
    reportOn('agents/')(undefined, 'no agent is here; at least one is needed, and a folder without any is never taken for "no agents"')

  const agents = readMembers(files, stems.agents, reportOn, readAgentText)
  const people = readMembers(files, stems.people, reportOn, readPersonText)
  const groups = readMembers(files, stems.groups, reportOn, readGroupText)
  const schedules = readMembers(files, stemsIn(policies.sums, 'schedules'), reportOn, readScheduleText)
  const providers = readMembers(files, stemsIn(policies.sums, 'providers'), reportOn, readProviderText)

  const roster = rosterOf(stems, orgFile, reportOn('org.yaml'))
  const parts = {
    agents: frozenMap([...agents].map(([name, member]) => [name as Name, agentOf(name as Name, member, roster, policies)])),
    people: frozenMap([...people].map(([name, member]) => [name as Name, personOf(name as Name, member, roster)])),
    groups: frozenMap([...groups].map(([name, member]) => [name as Name, groupOf(name as Name, member, roster)])),
    providers: frozenMap([...providers].map(([name, member]) => [name, providerOf(name, member, new Set(providers.keys()), roster.agents)])),
    schedules: frozenMap([...schedules].map(([name, member]) => [name, scheduleOf(member, roster, priorities)])),
  }
  const holders = [...people, ...agents]
  checkChart(
    new Map(holders.map(([name, { file, report }]) => [name, { manager: managerIn(file.manager, roster), report, spot: file.manager?.spot }])),
    roster.postmaster,
  )
  checkMounts(
    [...agents].map(([name, { file, report }]) => ({ name, mounts: file.mounts, report })),
    dir,
  )
  const users = holders.flatMap(([name, { file, report }]) => (file.user ? [{ name, user: file.user, report, isAgent: agents.has(name) }] : []))
  checkAccounts(users, orgFile, machine)
  checkOperators(orgFile, machine, reportOn('org.yaml'))
  const withoutAccount = [...agents].flatMap(([name, { file }]) => (file.user ? [] : [name as Name]))
  checkUids(orgFile, { agents: withoutAccount, hasGateway: providers.size > 0 }, machine, reportOn('org.yaml'))

  if (problems.length > 0 || !orgFile || !priorities) return { ok: false, problems: sorted(problems) }
  return { ok: true, config: deepFreeze<Config>({ dir, digest: digestOf(policies.sums), org: orgFile.org, priorities, ...parts }) }
}

function readOrgFile(files: ReadonlyMap<string, string>, report: Report, hasGateway: boolean): OrgFile | undefined {
  const text = files.get('org.yaml')
  if (text === undefined) {
    report(undefined, 'this file is missing, and needed: name: and postmaster: at least')
    return undefined
  }
  const node = wholeYaml(text, report)
  return node && readOrg(node, report, hasGateway)
}

function readScheme(text: string | undefined, report: Report): PriorityScheme | undefined {
  const node = wholeYaml(text ?? DEFAULT_PRIORITIES, report)
  return node && readPriorities(node, report)
}

type Stems = Readonly<Record<'agents' | 'people' | 'groups', ReadonlyMap<string, string>>>

/** Agents, people and groups share one name space. */
function checkNames(stems: Stems, reportOn: (file: string) => Report): void {
  const taken = new Map<string, string>()
  for (const names of Object.values(stems)) {
    for (const [stem, path] of names) {
      const other = taken.get(stem)
      const fault = isName(stem) ? undefined : nameFault(stem, isReserved(stem))
      if (fault) reportOn(path)(undefined, fault.what, fault.near)
      else if (other !== undefined) reportOn(path)(undefined, `the name ${stem} is taken by ${other}: agents, people and groups share one name space`)
      else taken.set(stem, path)
    }
  }
}

function rosterOf(stems: Stems, orgFile: OrgFile | undefined, report: Report): Roster {
  const people = new Set(stems.people.keys())
  const word = orgFile?.postmaster
  const found = word !== undefined && people.has(word.value)
  if (word && !found) {
    if (stems.agents.has(word.value)) report(word.spot, `postmaster: ${word.value} is an agent; the postmaster is a person`)
    else reportUnknown((spot, what, near) => report(spot, `postmaster: ${what}`, near), word.spot, 'person', word.value, [...people])
  }
  return { agents: new Set(stems.agents.keys()), people, groups: new Set(stems.groups.keys()), postmaster: found ? (word.value as Name) : undefined }
}

/** For the circle check alone: an unknown manager was reported where it stands. */
function managerIn(word: Placed<string> | undefined, roster: Roster): Name | undefined {
  return word && findHolder(word, roster, () => undefined)
}

function sorted(problems: readonly Problem[]): Problem[] {
  const key = (problem: Problem): [string, number, number] => [problem.file, problem.spot?.line ?? 0, problem.spot?.column ?? 0]
  return [...problems].sort((a, b) => {
    const [[fileA, lineA, columnA], [fileB, lineB, columnB]] = [key(a), key(b)]
    return fileA < fileB ? -1 : fileA > fileB ? 1 : lineA - lineB || columnA - columnB
  })
}
