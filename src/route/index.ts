/**
 * Names to recipients, and who may write to whom.
 *
 * Given: the addresses of a message, the configuration, and how much each member of a work queue has to do.
 * Returns: the holders it goes to, each once, groups resolved (`deliver: one` to the member with the fewest unsettled tasks).
 * When it fails: names the address that leads nowhere, with the nearest known one, or the recipient that the sender may not
 * write to. One such address refuses the whole message.
 */
import { addressable, type Config, isHolder } from '../core/config.ts'
import { type Name, nearest } from '../core/names.ts'

export type Routed = { ok: true; holders: readonly Name[] } | { ok: false; problems: readonly RouteProblem[] }
export type RouteProblem = Readonly<{ code: 'unknown-recipient' | 'not-permitted'; address: string; what: string; near?: string | undefined }>

export type RouteGiven = Readonly<{
  config: Config
  from: string
  /** Unsettled tasks of a holder. */
  load: (holder: Name) => number
  /** Holders that wrote to `from` before: they may always be answered. */
  wroteBefore: (holder: Name) => boolean
}>

export function route(addresses: readonly string[], given: RouteGiven): Routed {
  const { config, from } = given
  const holders = new Set<Name>()
  const problems: RouteProblem[] = []
  const allowed = permitted(config, from as Name)
  for (const address of addresses) {
    const found = resolve(address, given)
    if (!found) {
      problems.push(unknown(address, config))
      continue
    }
    for (const holder of found) {
      if (allowed && !allowed.has(holder) && !given.wroteBefore(holder)) {
        problems.push({ code: 'not-permitted', address, what: `${from} may not write to ${holder} (may_write_to in policies/agents/${from}.md)` })
      } else holders.add(holder)
    }
  }
  return problems.length > 0 ? { ok: false, problems } : { ok: true, holders: [...holders] }
}

/** The holders an address stands for; undefined where it stands for nobody. The sender is left out of groups. */
function resolve(address: string, { config, from, load }: RouteGiven): Name[] | undefined {
  const bare = address.startsWith('@') ? address.slice(1) : address
  if (bare === 'all') return notEmpty([...config.agents.keys()].filter((name) => name !== from))
  if (address === 'postmaster') return [config.org.postmaster]
  if (!address.startsWith('@') && isHolder(config, address)) return [address]
  const group = config.groups.get(bare as Name)
  if (!group) return undefined
  const members = group.members.filter((name) => name !== from)
  if (group.deliver === 'all') return notEmpty(members)
  const loads = new Map(members.map((name) => [name, load(name)]))
  return notEmpty(members.toSorted((a, b) => (loads.get(a) ?? 0) - (loads.get(b) ?? 0)).slice(0, 1))
}

function notEmpty(names: Name[]): Name[] | undefined {
  return names.length > 0 ? names : undefined
}

/** undefined: the sender may write to everyone. Its own mailbox is always open to it. */
function permitted(config: Config, from: Name): ReadonlySet<Name> | undefined {
  const list = config.agents.get(from)?.mayWriteTo
  if (!list) return undefined
  const names = list.flatMap((address): readonly string[] => {
    if (address === 'postmaster') return [config.org.postmaster]
    if (address === 'all' || address === '@all') return [...config.agents.keys()]
    const group = config.groups.get(address.replace(/^@/, '') as Name)
    return group ? [...group.members] : [address]
  })
  return new Set([...names, from] as Name[])
}

function unknown(address: string, config: Config): RouteProblem {
  const near = nearest(address.replace(/^@/, ''), addressable(config))
  const what = address.includes('@', 1) ? `no such recipient "${address}" (name@host is kept for later)` : `no such recipient "${address}"`
  return { code: 'unknown-recipient', address, what, near: near !== undefined && config.groups.has(near as Name) ? `@${near}` : near }
}
