/** Sealed requests, which the gateway's process keeps, laid where the agent whose they are may read them, and may not erase them. */
import { isMessageId, type MessageId } from '../core/ids.ts'
import type { Name } from '../core/names.ts'
import { isGone, type Layout, leadsNowhere, type Mail, openFolderOrNothing } from '../mailbox/index.ts'
import type { Disk, Ids, Log, Owner } from '../system/types.ts'
import { sealedFile } from './names.ts'

export type SealedCopies = Readonly<{
  /** `file`: in the folder of its agent. Resolves when it lies there, or could not be laid there, which is in the log. */
  take: (agent: Name, message: string | undefined, file: string) => Promise<void>
  /** What a crash came before. */
  takeMissed: (agents: Iterable<Name>) => Promise<void>
}>

export type SealedGiven = Readonly<{
  disk: Disk
  log: Log
  ids: Ids
  layout: Layout
  /** Where the gateway's process keeps them. */
  folder: string
  mailOf: (id: MessageId) => Mail | undefined
  givenOwner: (agent: Name) => Owner | undefined
}>

/** "Errors" of the API's documentation: 32 MB. */
const MOST_BYTES = 32 * 1024 ** 2
const SEALED = /^\d{8}T\d{9}Z-(.{36})\.json$/

export function copySealed({ disk, log, ids, layout, folder, mailOf, givenOwner }: SealedGiven): SealedCopies {
  async function copy(agent: Name, id: MessageId, file: string): Promise<void> {
    // Of another user's making: no link in it is followed.
    const pinned = openFolderOrNothing(disk, `${folder}/${agent}`)
    if (pinned === undefined) return
    const staged = `${layout.staging}/sealed.${ids.secret()}`
    try {
      const from = disk.openRead(disk.at(pinned, file))
      try {
        if (disk.fstat(from).kind !== 'file') return
        await disk.copyOut(from, staged, MOST_BYTES, 0o640, givenOwner(agent))
      } finally {
        disk.close(from)
      }
      disk.rename(staged, `${layout.runs(agent)}/${sealedFile(id)}`)
    } finally {
      disk.close(pinned)
    }
  }

  async function take(agent: Name, message: string | undefined, file: string): Promise<void> {
    const [, id = ''] = SEALED.exec(file) ?? []
    if (message !== id || !isMessageId(id) || mailOf(id)?.holder !== agent) return
    try {
      await copy(agent, id, file)
    } catch (cause) {
      if (!leadsNowhere(cause)) log('error', 'a sealed checkpoint could not be laid where its agent can read it', { agent, id, why: String(cause) })
    }
  }

  /** The newest of each message. */
  function newestOf(agent: Name): ReadonlyMap<string, string> {
    const pinned = openFolderOrNothing(disk, `${folder}/${agent}`)
    if (pinned === undefined) return new Map()
    try {
      const names = disk.list(disk.at(pinned, '.')).flatMap(({ name, kind }) => (kind === 'file' && SEALED.test(name) ? [name] : []))
      return new Map(names.sort().map((name) => [SEALED.exec(name)?.[1] ?? '', name]))
    } finally {
      disk.close(pinned)
    }
  }

  return {
    take,
    takeMissed: async (agents) => {
      for (const agent of agents) {
        for (const [id, file] of newestOf(agent)) if (isMissing(agent, id as MessageId, file)) await take(agent, id, file)
      }
    },
  }

  function isMissing(agent: Name, id: MessageId, file: string): boolean {
    try {
      return disk.stat(`${layout.runs(agent)}/${sealedFile(id)}`).mtimeMs < disk.stat(`${folder}/${agent}/${file}`).mtimeMs
    } catch (cause) {
      if (isGone(cause)) return true
      throw cause
    }
  }
}
