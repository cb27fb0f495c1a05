/** Files of one drop folder that messages name under `attach:` while they wait there: they wait with them. */

export type Named = Readonly<{
  /** Whether a message that waits names this file, which lies beside it or in files/ and belongs to that uid. */
  has: (file: string, uid: number) => boolean
  /** What the message of that name, a file of that uid, names now: nothing once it waits no more. */
  set: (message: string, uid: number, attach: readonly string[]) => void
}>

/**
 * `isShared`: of several uids, each of which can only send what is its own, and so can hide no file of another.
 * `changed` is called for each file that is named from now on, or no longer.
 */
export function createNamed(isShared: boolean, changed: (file: string) => void): Named {
  const wanted = new Map<string, readonly Wanted[]>()
  const counts = new Map<string, number>()
  const keyOf = (file: string, uid: number): string => (isShared ? `${uid} ${file}` : file)

  /** True: it had none before, or has none any more. */
  function count({ key }: Wanted, by: 1 | -1): boolean {
    const before = counts.get(key) ?? 0
    if (before + by === 0) counts.delete(key)
    else counts.set(key, before + by)
    return before === 0 || before + by === 0
  }

  return {
    has: (file, uid) => counts.has(keyOf(file, uid)),
    set: (message, uid, attach) => {
      const before = wanted.get(message) ?? []
      if (before.length === 0 && attach.length === 0) return
      const now = attach.flatMap((path) => besideOf(path)).map((file) => ({ file, key: keyOf(file, uid) }))
      if (now.length === 0) wanted.delete(message)
      else wanted.set(message, now)
      const gained = now.filter((one) => count(one, 1))
      const lost = before.filter((one) => count(one, -1))
      for (const { file } of [...gained, ...lost]) changed(file)
    },
  }
}

type Wanted = Readonly<{ file: string; key: string }>

/** A path with several parts leads to a home, which nobody looks through. */
function besideOf(path: string): readonly string[] {
  const parts = path.split('/').filter((part) => part !== '' && part !== '.')
  return parts.length === 1 ? parts : []
}
