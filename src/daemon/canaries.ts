/** The test message: dropped into the spool like any other, found again in .penny/canary. */
import type { Station } from '../deadline/index.ts'
import type { Delivered } from '../deliver/index.ts'
import { isGone, type Layout, listOrNothing, statOrNothing } from '../mailbox/index.ts'
import type { Disk, Ids, Owner } from '../system/types.ts'

export type Canaries = Readonly<{
  drop: (passed: (station: Station) => void) => Promise<void>
  isCanary: (name: string) => boolean
  /** It was seen in the spool, and is whole. */
  noticed: (name: string) => void
  through: (delivered: Delivered) => void
  /** Removes what an earlier daemon left on the way. */
  clean: () => void
}>

const NAME = /^canary-[0-9a-f]{24}\.md$/

export function createCanaries(disk: Disk, ids: Ids, layout: Layout, self: Owner): Canaries {
  const underWay = new Map<string, { passed: (station: Station) => void; resolve: () => void; reject: (cause: Error) => void }>()

  /** The next one is only sent when those before have arrived or are given up: nobody waits for them any more. */
  function giveUp(): void {
    for (const [name, { reject }] of underWay) {
      underWay.delete(name)
      const path = `${layout.spool}/${name}`
      if (statOrNothing(disk, path)) disk.unlink(path)
      reject(new Error('it was given up'))
    }
  }

  return {
    drop: (passed) =>
      new Promise((resolve, reject) => {
        const name = `canary-${ids.secret()}.md`
        const staged = `${layout.staging}/${name}`
        giveUp()
        underWay.set(name, { passed, resolve, reject })
        try {
          disk.create(staged, '---\nkind: note\n---\nThe daemon sends this to itself once a minute.\n', 0o600)
          disk.rename(staged, `${layout.spool}/${name}`)
          passed('dropped')
        } catch (cause) {
          underWay.delete(name)
          reject(cause instanceof Error ? cause : new Error(String(cause)))
        }
      }),
    isCanary: (name) => underWay.has(name),
    noticed: (name) => underWay.get(name)?.passed('noticed'),
    through: ({ intent }) => {
      const flight = underWay.get(intent.name)
      underWay.delete(intent.name)
      const [copy] = intent.copies
      const path = `${layout.private('canary')}/${copy?.file ?? ''}`
      try {
        disk.unlink(path)
        flight?.passed('delivered')
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
