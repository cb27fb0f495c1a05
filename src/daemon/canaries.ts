/** The test message: dropped into the spool like any other, found again in .penny/canary. */
import type { Delivered } from '../deliver/index.ts'
import { isGone, type Layout, listOrNothing, statOrNothing } from '../mailbox/index.ts'
import type { Disk, Ids, Owner } from '../system/types.ts'

export type Canaries = Readonly<{
  drop: () => Promise<void>
  isCanary: (name: string) => boolean
  through: (delivered: Delivered) => void
  /** Removes what an earlier daemon left on the way. */
  clean: () => void
}>

const NAME = /^canary-[0-9a-f]{24}\.md$/

export function createCanaries(disk: Disk, ids: Ids, layout: Layout, self: Owner): Canaries {
  const underWay = new Map<string, { resolve: () => void; reject: (cause: Error) => void }>()
  return {
    drop: () =>
      new Promise((resolve, reject) => {
        const name = `canary-${ids.secret()}.md`
        const staged = `${layout.staging}/${name}`
        underWay.set(name, { resolve, reject })
        try {
          disk.create(staged, '---\nkind: note\n---\nThe daemon sends this to itself once a minute.\n', 0o600)
          disk.rename(staged, `${layout.spool}/${name}`)
        } catch (cause) {
          underWay.delete(name)
          reject(cause instanceof Error ? cause : new Error(String(cause)))
        }
      }),
    isCanary: (name) => underWay.has(name),
    through: ({ intent }) => {
      const flight = underWay.get(intent.name)
      underWay.delete(intent.name)
      const [copy] = intent.copies
      const path = `${layout.private('canary')}/${copy?.file ?? ''}`
      try {
        disk.unlink(path)
        flight?.resolve()
      } catch (cause) {
        if (!isGone(cause)) throw cause
        flight?.reject(new Error(`it is not in ${path}`))
      }
    },
    clean: () => {
      for (const { name, kind } of listOrNothing(disk, layout.spool)) {
        const path = `${layout.spool}/${name}`
        if (kind === 'file' && NAME.test(name) && statOrNothing(disk, path)?.uid === self.uid) disk.unlink(path)
      }
      for (const { name } of listOrNothing(disk, layout.private('canary'))) disk.unlink(`${layout.private('canary')}/${name}`)
    },
  }
}
