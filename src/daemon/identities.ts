/** Who is who: uids of agents and people, and whose a file in the spool is (contract, page 5). */
import type { Config } from '../core/config.ts'
import type { Via } from '../core/message.ts'
import type { Name } from '../core/names.ts'
import type { Owners } from '../mailbox/index.ts'
import { accountOf, membersOf } from '../system/accounts.ts'
import type { Disk, Owner, Stat } from '../system/types.ts'
import { GATEWAY, readUids, type Uids, writeUids } from './uids.ts'

export type Sender = { from: Name | 'unknown'; via: Via } | { unknownUid: number }

export type Identities = Readonly<{
  mode: 'system' | 'user'
  owners: (holder: Name | undefined) => Owners
  mailOwner: (holder: Name) => Owner | undefined
  givenOwner: (holder: Name) => Owner | undefined
  alertOwner: Owner | undefined
  /** Of the gateway's process; undefined: as the daemon, or there is none. */
  gateway: Owner | undefined
  /** Members of the operators' group, as far as the machine tells. */
  operatorUids: readonly number[]
  uidOf: (holder: Name) => number | undefined
  /** uid, gid and groups of an agent's runs; undefined in user mode. */
  runAs: (agent: Name) => (Owner & { groups: readonly number[] }) | undefined
  senderInSpool: (uid: number) => Sender
  /** Whether a file in this holder's outbox is one it may send: its own, or one that it could have read and copied anyway. */
  mayOwn: (holder: Name, stat: Stat) => boolean
}>

export function loadIdentities(disk: Disk, config: Config, self: Owner, uidsFile: string, writeFile: (path: string, text: string) => void): Identities {
  if (self.uid !== 0) return userMode(config, self)
  const uids: Uids = readUids(disk, uidsFile)
  const before = JSON.stringify(uids)
  for (const agent of config.agents.values()) if (agent.user === undefined) uids.assign(agent.name, config.org.uids)
  if (config.providers.size > 0) uids.assignProcess(GATEWAY, config.org.uids)
  if (JSON.stringify(uids) !== before) writeFile(uidsFile, writeUids(uids))
  return systemMode(config, self, uids)
}

function userMode(config: Config, self: Owner): Identities {
  const owners: Owners = { daemon: self, operatorsGid: self.gid, holder: self, readersGid: self.gid, give: false }
  return {
    mode: 'user',
    owners: () => owners,
    mailOwner: () => undefined,
    givenOwner: () => undefined,
    alertOwner: undefined,
    gateway: undefined,
    operatorUids: [],
    uidOf: () => undefined,
    runAs: () => undefined,
    senderInSpool: (uid) => (uid === self.uid ? { from: config.org.postmaster, via: 'person' } : { unknownUid: uid }),
    mayOwn: (_holder, stat) => stat.uid === self.uid,
  }
}

function systemMode(config: Config, self: Owner, uids: Uids): Identities {
  const operatorsGid = config.org.operators === '' ? self.gid : (accountOf('group', config.org.operators)?.gid ?? self.gid)
  const ids = new Map<Name, Owner & { readersGid: number }>()
  for (const agent of config.agents.values()) {
    const own = uids.of(agent.name)
    if (agent.user !== undefined) {
      const account = accountOf('passwd', agent.user)
      if (account) ids.set(agent.name, { ...account, readersGid: own?.readersGid ?? account.gid })
    } else if (own) ids.set(agent.name, { uid: own.uid, gid: own.uid, readersGid: own.readersGid })
  }
  for (const person of config.people.values()) {
    const account = person.user === undefined ? self : accountOf('passwd', person.user)
    if (account) ids.set(person.name, { ...account, readersGid: account.gid })
  }
  const byUid = new Map<number, Name>()
  for (const [name, { uid }] of ids) if (config.agents.has(name) || config.people.get(name)?.user !== undefined) byUid.set(uid, name)
  const rootIs = byUid.get(0) ?? config.org.postmaster
  const gatewayUid = uids.ofProcess(GATEWAY)
  const gateway = gatewayUid === undefined ? undefined : { uid: gatewayUid, gid: gatewayUid }
  const owners = (holder: Name | undefined): Owners => {
    const own = holder === undefined ? undefined : ids.get(holder)
    return { daemon: self, operatorsGid, holder: own && { uid: own.uid, gid: own.gid }, readersGid: own?.readersGid, gateway, give: true }
  }
  return {
    mode: 'system',
    owners,
    mailOwner: (holder) => {
      const own = ids.get(holder)
      return own && { uid: own.uid, gid: config.agents.has(holder) ? own.readersGid : own.gid }
    },
    givenOwner: (holder) => {
      const own = ids.get(holder)
      if (!own) return undefined
      return config.agents.has(holder) ? { uid: self.uid, gid: own.gid } : { uid: own.uid, gid: own.gid }
    },
    alertOwner: { uid: self.uid, gid: operatorsGid },
    gateway,
    operatorUids: operatorsOf(config, operatorsGid, ids),
    uidOf: (holder) => ids.get(holder)?.uid,
    runAs: (agent) => {
      const own = ids.get(agent)
      if (!own) return undefined
      const reads = readersOf(config, agent).flatMap((other) => ids.get(other)?.readersGid ?? [])
      return { uid: own.uid, gid: own.gid, groups: [own.readersGid, ...reads] }
    },
    senderInSpool: (uid) => {
      const name = uid === 0 ? rootIs : byUid.get(uid)
      if (name === undefined) return { unknownUid: uid }
      return { from: name, via: config.agents.has(name) ? 'agent' : 'person' }
    },
    // A file of root's in an outbox is an operator acting for the agent, unless the agent could not have read it: then it may be a link planted earlier.
    mayOwn: (holder, stat) => stat.uid === ids.get(holder)?.uid || (stat.uid === self.uid && (stat.mode & 0o004) !== 0),
  }
}

/** Whom the group names, and people whose first group it is: that of others could only be found by reading all accounts there are. */
function operatorsOf(config: Config, gid: number, ids: ReadonlyMap<Name, Owner>): number[] {
  if (config.org.operators === '') return []
  const people = [...config.people.values()].flatMap(({ name, user }) => (user === undefined ? [] : (ids.get(name) ?? [])))
  return [...membersOf(config.org.operators), ...people.filter((one) => one.gid === gid).map(({ uid }) => uid)]
}

/** Agents whose mailboxes an agent may read: those it names, and its direct reports. */
export function readersOf(config: Config, agent: Name): Name[] {
  const reports = [...config.agents.values()].filter(({ manager }) => manager === agent).map(({ name }) => name)
  return [...new Set([...(config.agents.get(agent)?.reads ?? []), ...reports])]
}
