/** One drop folder as the intake knows it: what is queued, what waits and why, what is on its way. */
import type { FaultCode } from '../core/fault.ts'
import type { Cancel, Listed } from '../system/types.ts'
import { createNamed, type Named } from './named.ts'
import type { DropFolder, OwnerOf } from './types.ts'

export type Waiting = {
  /** Its bytes, where they are no text: without them the next look would find nothing of that name. */
  raw: Buffer | undefined
  mark: string
  sinceMs: number
  againAtMs: number
  /** When the alarm rings that is set for it. */
  alarmAtMs: number
  /** The alert that was raised for it. */
  alerted: FaultCode | undefined
  failures: number
}

export type Desk = {
  readonly folder: DropFolder
  readonly queue: Map<string, Listed | undefined>
  readonly waiting: Map<string, Waiting>
  readonly inFlight: Set<string>
  /** In flight, and something happened to the name since. */
  readonly again: Set<string>
  readonly wroteAt: Map<string, number>
  readonly named: Named
  cancelWatch: Cancel | undefined
  /** Not listed before this moment of the monotonic clock. */
  listAgainAtMs: number
  listedCtimeMs: number
  listedAtMs: number
  ino: number
  /** Inode, owner and mode, as they were when it was listed last. */
  identity: string
  /** What is wrong with it was told from here. */
  troubled: boolean
}

/** `namedNow`: a message that waits names this file from now on, or does so no longer. */
export function newDesk(folder: DropFolder, namedNow: (file: string) => void): Desk {
  return {
    folder,
    queue: new Map(),
    waiting: new Map(),
    inFlight: new Set(),
    again: new Set(),
    wroteAt: new Map(),
    named: createNamed(folder.kind !== 'outbox', namedNow),
    cancelWatch: undefined,
    listAgainAtMs: Number.NEGATIVE_INFINITY,
    listedCtimeMs: -1,
    listedAtMs: 0,
    ino: -1,
    identity: '',
    // Perhaps by a daemon before this one.
    troubled: true,
  }
}

/** Of a file in the spool its owner: who fills it with odd files must not hide those of others, which are counted apart. */
export function whoseOf(folder: DropFolder, uid: number, ownerOf: OwnerOf): { agent: string } {
  return { agent: folder.kind === 'outbox' ? folder.name : ownerOf(uid) }
}

/** Alerts about a drop name the agent whose outbox it lies in. */
export function agentOf(folder: DropFolder): { agent?: string } {
  return folder.kind === 'outbox' ? { agent: folder.name } : {}
}
