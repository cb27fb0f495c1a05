/** uids and reader groups of agents: handed out once, never reused, kept in `.penny/uids.yaml`. */
import { parse, stringify } from 'yaml'
import type { Name } from '../core/names.ts'
import { statOrNothing } from '../mailbox/index.ts'
import type { Disk } from '../system/types.ts'

export type AgentIds = Readonly<{ uid: number; readersGid: number }>

export type Uids = Readonly<{
  given: Record<string, AgentIds>
  /** The number no agent ever had. */
  readonly next: { value: number }
  of: (agent: Name) => AgentIds | undefined
  /** Gives an agent its ids, if it has none yet. Throws where the range of org.yaml is used up. */
  assign: (agent: Name, range: Readonly<{ from: number; to: number }>) => void
}>

export function readUids(disk: Disk, file: string): Uids {
  const kept = statOrNothing(disk, file)
    ? (parse(disk.readFile(file).toString()) as { next: number; agents: Record<string, AgentIds> })
    : { next: 0, agents: {} }
  const given = { ...kept.agents }
  const next = { value: kept.next }
  return {
    given,
    next,
    of: (agent) => given[agent],
    assign: (agent, range) => {
      if (given[agent]) return
      const uid = Math.max(next.value, range.from)
      // One number for uid and gid, one for the group of its readers.
      if (uid + 1 > range.to) throw Object.assign(new Error(`the uids ${range.from}-${range.to} of policies/org.yaml are used up`), { code: 'EUIDS' })
      given[agent] = { uid, readersGid: uid + 1 }
      next.value = uid + 2
    },
  }
}

export function writeUids(uids: Uids): string {
  return `# Handed out once and never reused: do not edit.\n${stringify({ next: uids.next.value, agents: uids.given })}`
}
