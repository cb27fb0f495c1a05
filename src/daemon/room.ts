/** Room on the disk: mail waits where it is rather than fail half-way. */
import type { Clear, Raise } from '../core/post.ts'
import { shellWord } from '../core/text.ts'
import { formatSize } from '../core/units.ts'
import type { Disk } from '../system/types.ts'

/** Below these nothing is admitted: an intent, a copy and an alert must still fit. */
const LEAST_BYTES = 2 * 1024 ** 2
const LEAST_INODES = 64
const AGAIN_MS = 1_000
const REFUSALS: Readonly<Record<string, string>> = { ENOSPC: 'full', EDQUOT: 'over quota', EROFS: 'mounted read-only', EIO: 'failing (I/O error)' }

export type Room = Readonly<{
  noRoom: () => number | undefined
  /** Milliseconds to wait, where this error is the disk's. */
  refused: (cause: unknown) => number | undefined
  sweep: () => void
}>

export function createRoom(disk: Disk, root: string, raise: Raise, clear: Clear): Room {
  let refusedFor: string | undefined

  const word = shellWord(root)

  function stopDrops(why: string, fix: string): void {
    refusedFor = why
    raise({ code: 'disk-full', about: 'disk', sentence: `The disk under ${root} is ${why}; drops wait where they are until that is over.`, fix })
  }
  return {
    noRoom: () => (refusedFor === undefined ? undefined : AGAIN_MS),
    refused: (cause) => {
      const code = (cause as NodeJS.ErrnoException).code ?? ''
      const why = REFUSALS[code]
      if (why === undefined) return undefined
      stopDrops(why, code === 'EROFS' ? `mount -o remount,rw ${word}` : `df -h ${word}; df -i ${word}`)
      return AGAIN_MS
    },
    sweep: () => {
      const free = disk.free(root)
      if (free.bytes < LEAST_BYTES) return stopDrops(`nearly full (${formatSize(free.bytes)} left)`, `df -h ${word}`)
      if (free.inodes < LEAST_INODES) return stopDrops(`nearly out of inodes (${free.inodes} left)`, `df -i ${word}`)
      if (refusedFor !== undefined && isWritable(disk, root)) {
        refusedFor = undefined
        clear('disk-full', 'disk')
      }
    },
  }
}

function isWritable(disk: Disk, root: string): boolean {
  const probe = `${root}/.penny/staging/.room`
  try {
    disk.create(probe, 'x', 0o600)
    disk.unlink(probe)
    return true
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === 'EEXIST') {
      disk.unlink(probe)
      return false
    }
    if (REFUSALS[(cause as NodeJS.ErrnoException).code ?? ''] !== undefined) return false
    throw cause
  }
}
