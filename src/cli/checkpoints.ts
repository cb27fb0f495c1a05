/** What was kept of the contexts in which a message was worked on, as it lies in `runs/` of its holder. */
import { lstatSync, readdirSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { checkpointTime, sealedFile } from '../context/index.ts'
import { GONE, UNSEEN, unless } from './exit.ts'
import type { Place } from './mail.ts'

/** `by`: its holder wrote a checkpoint, the gateway sealed a request. */
export type Kept = Readonly<{ at: string; by: string; bytes: number; path: string }>

/** By message, oldest first; nothing where this user may not look. */
export type KeptOf = (place: Pick<Place, 'holder' | 'id' | 'path'>) => Kept[]

/** Each folder is listed once. */
export function findKept(): KeptOf {
  const listed = new Map<string, readonly string[]>()
  return ({ holder, id, path }) => {
    const folder = runsBeside(path)
    const names = listed.get(folder) ?? unless(UNSEEN, () => readdirSync(folder)) ?? []
    listed.set(folder, names)
    const kept = names.flatMap((name): Kept[] => {
      if (!name.startsWith(id)) return []
      const file = join(folder, name)
      const stat = unless(GONE, () => lstatSync(file))
      if (!stat?.isFile()) return []
      const { size: bytes } = stat
      const at = checkpointTime(id, name)
      if (at !== undefined) return [{ at, by: holder, bytes, path: file }]
      return name === sealedFile(id) ? [{ at: stat.mtime.toISOString(), by: 'gateway', bytes, path: file }] : []
    })
    return kept.sort((a, b) => (a.at < b.at ? -1 : 1))
  }
}

/** Settled mail of past months lies one folder deeper. */
function runsBeside(path: string): string {
  let folder = dirname(path)
  while (!['new', 'cur', 'done', 'sent'].includes(folder.slice(folder.lastIndexOf('/') + 1)) && folder !== dirname(folder)) folder = dirname(folder)
  return join(dirname(folder), 'runs')
}
