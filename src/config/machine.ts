/** What a configuration asks of the machine it is to run on: accounts that exist, and a uid for each agent. */
import type { Name } from '../core/names.ts'
import type { Placed } from './fields.ts'
import type { OrgFile } from './org.ts'
import type { Report } from './yaml.ts'

/** In system mode; in user mode everything is one user's, and other accounts are only words. */
export type Machine = Readonly<{
  /** undefined: there is no such account. */
  uidOf: (account: string) => number | undefined
  hasGroup: (group: string) => boolean
  /** Agents that were given their numbers before, and keep them. */
  hasUid: (agent: Name) => boolean
  /** Whether the gateway's process was given its number. */
  hasGatewayUid: boolean
  /** No agent ever had this number or one above it. */
  nextUid: number
}>

/** An agent's own, which is also its group's, and that of the group of its readers. */
const NUMBERS_EACH = 2

type User = Readonly<{ name: string; user: Placed<string>; report: Report; isAgent: boolean }>

/** Every account exists, none is two holders', also none that an agent without `user:` is given: the owner of a file tells who sent it. */
export function checkAccounts(users: readonly User[], orgFile: OrgFile | undefined, machine: Machine | undefined): void {
  const taken = new Map<string, string>()
  for (const { name, user, report, isAgent } of users) {
    const uid = machine?.uidOf(user.value)
    if (machine && uid === undefined) {
      report(user.spot, `user: this machine has no account ${JSON.stringify(user.value)}`)
      continue
    }
    const range = orgFile?.org.uids
    if (uid !== undefined && range && uid >= range.from && uid <= range.to)
      report(user.spot, `user: ${user.value} lies in uids: (${range.from} to ${range.to}), which are for agents without user:; take an account outside them`)
    if (isAgent && uid === 0 && user.value !== 'root' && user.value !== '0') report(user.spot, `user: ${user.value} is root, which an agent cannot be`)
    const account = String(uid ?? (user.value === 'root' ? 0 : user.value))
    const other = taken.get(account)
    if (other === undefined) taken.set(account, name)
    else report(user.spot, `user: ${user.value} is ${other} already: the owner of a file must tell who sent it`)
  }
}

export function checkOperators(orgFile: OrgFile | undefined, machine: Machine | undefined, report: Report): void {
  const group = orgFile?.operators
  if (group && group.value !== '' && machine?.hasGroup(group.value) === false)
    report(group.spot, `operators: this machine has no group ${JSON.stringify(group.value)}`)
}

/** `agents`: those without an account of their own. */
export function checkUids(
  orgFile: OrgFile | undefined,
  { agents, hasGateway }: Readonly<{ agents: readonly Name[]; hasGateway: boolean }>,
  machine: Machine | undefined,
  report: Report,
): void {
  if (!orgFile) return
  const { from, to } = orgFile.org.uids
  const first = Math.max(from, machine?.nextUid ?? from)
  const waiting = agents.filter((agent) => machine?.hasUid(agent) !== true).length
  const free = Math.max(0, to - first + 1)
  const ours = hasGateway && machine?.hasGatewayUid !== true ? 1 : 0
  if (waiting * NUMBERS_EACH + ours <= free) return
  const used = first > from ? ` (those below ${first} were given before, and none is given twice)` : ''
  const needs = [
    ...(waiting > 0 ? [`${waiting} agents without numbers need ${NUMBERS_EACH} numbers each`] : []),
    ...(ours > 0 ? ['the model gateway needs one'] : []),
  ]
  report(orgFile.uids?.spot, `uids: ${needs.join(', ')}, and the range ${from}-${to} has ${free} left${used}`)
}
