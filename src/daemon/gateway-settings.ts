/** What the gateway's process is told of the configuration, and the folders it needs for that. */
import type { Agent, Config } from '../core/config.ts'
import type { Name } from '../core/names.ts'
import type { CallerSettings, Settings } from '../gateway/index.ts'
import { SOCKET_NAME } from '../jail/index.ts'
import { gatewayRules, type Layout, provision, type Rule, socketRule } from '../mailbox/index.ts'
import type { Disk, Owner } from '../system/types.ts'
import type { Identities } from './identities.ts'

/** So long a silence programs bear that nobody knows, and Claude Code as its runner starts it; an agent's file may say otherwise. */
const HOLD_MS = 100_000
const CLAUDE_HOLD_MS = 240_000

/** Whether this agent has a way to the gateway: `network: none` is none at all. */
export function usesGateway(agent: Agent): boolean {
  return !agent.jailed || agent.network !== 'none'
}

/** What settings need of who is who. */
type Who = Pick<Identities, 'uidOf' | 'operatorUids'>

export function settingsOf(config: Config, identities: Who, keysOf: (agent: Name) => readonly string[]): Settings {
  return {
    providers: [...config.providers.values()].map((one) => ({ ...one, models: [...one.models], weights: [...one.weights] })),
    callers: [...config.agents.values()].filter(usesGateway).map((agent) => callerOf(agent, identities, keysOf)),
    listen: config.org.gateway,
    operatorUids: identities.operatorUids,
    timezone: config.org.timezone,
    ledgerKeepMs: config.org.retentionMs,
  }
}

function callerOf(agent: Agent, identities: Who, keysOf: (agent: Name) => readonly string[]): CallerSettings {
  return {
    agent: agent.name,
    // From the folder that the process begins in: a socket's path is short (unix(7)).
    socket: `../sockets/${agent.name}/${SOCKET_NAME}`,
    uid: identities.uidOf(agent.name),
    holdMs: agent.holdMs ?? (agent.runner?.builtin === 'claude' ? CLAUDE_HOLD_MS : HOLD_MS),
    keys: keysOf(agent.name),
    contextWindow: agent.contextWindow,
    budget: agent.budget,
  }
}

/** Before the process is told of an agent, so that it can make the socket there. */
export function makeGatewayFolders(disk: Disk, layout: Layout, config: Config, identities: Identities): void {
  const make = (rule: Rule, holder: Name | undefined): void => void provision(disk, [rule], identities.owners(holder))
  for (const rule of gatewayRules(layout)) make(rule, undefined)
  for (const agent of config.agents.values()) if (usesGateway(agent)) make(socketRule(layout, agent.name), agent.name)
  const { gateway } = identities
  if (!gateway) return
  takeOver(disk, layout.ledger, gateway)
  takeOver(disk, layout.checkpoints, gateway)
  for (const { name, kind } of disk.list(layout.checkpoints)) if (kind === 'folder') takeOver(disk, `${layout.checkpoints}/${name}`, gateway)
}

/** What an ordinary user's gateway wrote, before there were walls, is the process's own now. */
function takeOver(disk: Disk, folder: string, owner: Owner): void {
  for (const { name } of disk.list(folder)) {
    const fd = disk.pin(`${folder}/${name}`)
    try {
      const { kind, uid, links } = disk.fstat(fd)
      if ((kind === 'folder' || (kind === 'file' && links === 1)) && uid !== owner.uid) disk.setOwner(fd, owner)
    } finally {
      disk.close(fd)
    }
  }
}
