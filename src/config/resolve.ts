/** One member of the organisation, seen with all the others: every name it speaks of must exist. */
import type { Agent, Group, Person, Provider, Schedule } from '../core/config.ts'
import type { Name } from '../core/names.ts'
import type { PriorityScheme } from '../core/priority.ts'
import type { AgentFile } from './agent.ts'
import { checkAddress, findHolder, type Roster } from './chart.ts'
import { type Placed, reportUnknown } from './fields.ts'
import type { PolicyFiles } from './files.ts'
import type { Member } from './members.ts'
import type { GroupFile, PersonFile } from './people.ts'
import type { ProviderFile } from './provider.ts'
import type { ScheduleFile } from './schedule.ts'
import type { Report } from './yaml.ts'

export function agentOf(name: Name, { file, report, body }: Member<AgentFile>, roster: Roster, policies: PolicyFiles): Agent {
  const under =
    (key: string): Report =>
    (spot, what, near) =>
      report(spot, `${key}: ${what}`, near)
  const manager = file.manager && findHolder(file.manager, roster, under('manager'))
  for (const address of file.mayWriteTo ?? []) checkAddress(address, roster, under('may_write_to'))
  const reads = file.reads.flatMap((word) => readable(name, word, roster, under('reads')))
  if (file.program && !policies.sums.has(`runners/${file.program.value}`)) {
    const programs = [...policies.sums.keys()].filter((path) => path.startsWith('runners/')).map((path) => `./${path.slice('runners/'.length)}`)
    reportUnknown(under('runner: command'), file.program.spot, 'program', `./${file.program.value}`, programs)
  }
  return {
    name,
    title: file.title,
    manager: manager ?? roster.postmaster ?? name,
    mayWriteTo: file.mayWriteTo?.map((address) => address.value),
    reads,
    runner: file.runner,
    user: file.user?.value,
    jailed: file.jailed,
    network: file.network,
    mounts: file.mounts.map(({ value }) => value),
    protected: file.protected,
    contextWindow: file.contextWindow,
    holdMs: file.holdMs,
    budget: file.budget,
    role: body,
  }
}

/** `reads:` opens agents' mailboxes only: a person's mail is a person's. */
function readable(self: Name, word: Placed<string>, roster: Roster, report: Report): Name[] {
  if (word.value === self) report(word.spot, `${self} reads its own mail anyway`)
  else if (roster.agents.has(word.value)) return [word.value as Name]
  else if (roster.people.has(word.value)) report(word.spot, `${word.value} is a person; only agents' mail can be read`)
  else reportUnknown(report, word.spot, 'agent', word.value, [...roster.agents])
  return []
}

export function personOf(name: Name, { file, report }: Member<PersonFile>, roster: Roster): Person {
  const manager = file.manager && findHolder(file.manager, roster, (spot, what, near) => report(spot, `manager: ${what}`, near))
  return { name, user: file.user?.value, manager, notify: file.notify }
}

export function groupOf(name: Name, { file, report }: Member<GroupFile>, roster: Roster): Group {
  const members = new Set<Name>()
  for (const word of file.members) {
    const member = findHolder(word, roster, (spot, what, near) => report(spot, `members: ${what}`, near))
    if (member !== undefined && members.has(member)) report(word.spot, `members: ${member} stands here twice`)
    if (member !== undefined) members.add(member)
  }
  return { name, members: [...members], deliver: file.deliver }
}

export function scheduleOf({ file, report }: Member<ScheduleFile>, roster: Roster, priorities: PriorityScheme | undefined): Schedule {
  for (const word of file.recipients) checkAddress(word, roster, (spot, what, near) => report(spot, `to: ${what}`, near))
  const priority = file.priority
  if (priority && priorities && !priorities.byName.has(priority.value) && !priorities.aliases.has(priority.value)) {
    reportUnknown(report, priority.spot, 'priority', priority.value, [...priorities.byName.keys(), ...priorities.aliases.keys()])
  }
  return file.schedule
}

/** Names in it are looked up among the other providers, and the agents. */
export function providerOf(name: string, { file, report }: Member<ProviderFile>, providers: ReadonlySet<string>, agents: ReadonlySet<string>): Provider {
  const fallback = file.fallback.filter(({ value, spot }) => {
    if (value === name) report(spot, `fallback: ${name} cannot stand in for itself`)
    else if (!providers.has(value)) reportUnknown((at, what, near) => report(at, `fallback: ${what}`, near), spot, 'provider', value, [...providers])
    return true
  })
  for (const [agent, { spot }] of file.weights)
    if (!agents.has(agent)) reportUnknown((at, what, near) => report(at, `share: weights: ${what}`, near), spot, 'agent', agent, [...agents])
  return {
    name,
    baseUrl: file.baseUrl,
    keyFile: file.keyFile,
    pools: file.pools,
    fallback: fallback.map(({ value }) => value),
    models: file.models,
    urgentCap: file.urgentCap,
    weights: new Map([...file.weights].map(([agent, { value }]) => [agent, value])),
  }
}
