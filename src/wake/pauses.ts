/** Who is paused: `.penny/state/paused.json`, so that a pause survives a restart. */
import type { Name } from '../core/names.ts'
import { readKept, replaceFile } from '../system/durable.ts'
import type { Disk } from '../system/types.ts'

export type Pauses = Readonly<{
  has: (agent: Name) => boolean
  list: () => readonly string[]
  /** Resolves when it is on the medium; it counts from the call on. */
  add: (who: Name | 'all') => Promise<void>
  /** `all` ends every pause; one name ends its own. */
  remove: (who: Name | 'all') => Promise<void>
}>

export function openPauses(disk: Disk, path: string): Pauses {
  const paused = new Set<string>(JSON.parse(readKept(disk, path) ?? '[]') as string[])
  let writing = Promise.resolve()
  const keep = (): Promise<void> => {
    const write = (): Promise<void> => replaceFile(disk, path, JSON.stringify([...paused]))
    writing = writing.then(write, write)
    return writing
  }
  return {
    has: (agent) => paused.has('all') || paused.has(agent),
    list: () => [...paused].sort(),
    add: (who) => {
      paused.add(who)
      return keep()
    },
    remove: (who) => {
      if (who === 'all') paused.clear()
      else paused.delete(who)
      return keep()
    },
  }
}
