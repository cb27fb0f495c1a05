/** uids and reader groups of agents, and uids of processes of our own: handed out once, never reused, kept in `.penny/uids.yaml`. */
import { parse, stringify } from 'yaml'
import type { Name } from '../core/names.ts'
import { statOrNothing } from '../mailbox/index.ts'
import type { Disk } from '../system/types.ts'

/** Under this the uid of the gateway's process is kept. */
export const GATEWAY = 'gateway'

export type AgentIds = Readonly<{ uid: number; readersGid: number }>

export type Uids = Readonly<{
  given: Record<string, AgentIds>
  /** The number no agent ever had. */
  readonly next: { value: number }
  of: (agent: Name) => AgentIds | undefined
  /** Gives an agent its ids, if it has none yet. Throws where the range of org.yaml is used up. */
  assign: (agent: Name, range: Range) => void
  /** Of a process of our own, as the gateway. */
  ofProcess: (process: string) => number | undefined
  assignProcess: (process: string, range: Range) => void
  readonly processes: Record<string, number>
}>

type Range = Readonly<{ from: number; to: number }>
type Kept = { next: number; agents: Record<string, AgentIds>; processes?: Record<string, number> }

export function readUids(disk: Disk, file: string): Uids {
  const kept: Kept = statOrNothing(disk, file) ? (parse(disk.readFile(file).toString()) as Kept) : { next: 0, agents: {} }
  const given = { ...kept.agents }
  const processes = { ...kept.processes }
  const next = { value: kept.next }
  const take = (range: Range, count: number): number => {
    const uid = Math.max(next.value, range.from)
    if (uid + count - 1 > range.to) throw Object.assign(new Error(`the uids ${range.from}-${range.to} of policies/org.yaml are used up`), { code: 'EUIDS' })
    next.value = uid + count
    return uid
  }
  return {
    given,
    processes,
    next,
    of: (agent) => given[agent],
    assign: (agent, range) => {
      if (given[agent]) return
      // One number for uid and gid, one for the group of its readers.
      const uid = take(range, 2)
      given[agent] = { uid, readersGid: uid + 1 }
    },
    ofProcess: (process) => processes[process],
    assignProcess: (process, range) => {
      processes[process] ??= take(range, 1)
    },
  }
}

export function writeUids(uids: Uids): string {
  return `# Handed out once and never reused: do not edit.\n${stringify({ next: uids.next.value, agents: uids.given, ...(Object.keys(uids.processes).length === 0 ? {} : { processes: uids.processes }) })}`
}
