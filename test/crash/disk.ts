/** The real disk until it dies: from the n-th change on, that call and every later one throws, as if the process had been killed there. */
import type { Disk, Fd } from '../../src/system/types.ts'

export type DyingDisk = Readonly<{
  disk: Disk
  /** From now on changes are counted; the n-th is not done any more. */
  arm: (dieAt: number) => void
  isDead: () => boolean
  /** What the disk was asked to do since it was armed, in order. */
  asked: readonly string[]
}>

/** What kill -9 cannot undo and a dead process cannot do: everything that changes the disk. */
const CHANGES = [
  'create',
  'openAppend',
  'append',
  'rename',
  'renameNew',
  'exchange',
  'link',
  'unlink',
  'makeFolder',
  'removeFolder',
  'chmod',
  'chown',
  'setOwner',
  'setMode',
  'truncate',
  'syncData',
  'syncPath',
  'syncFileSystem',
  'copyOut',
  'clone',
] as const
const isChange = (name: string): boolean => (CHANGES as readonly string[]).includes(name)

export class DiskDied extends Error {
  readonly code = 'EDEAD'
}

export function dyingDisk(real: Disk): DyingDisk {
  const open = new Set<Fd>()
  const asked: string[] = []
  let dieAt = Number.POSITIVE_INFINITY
  let armed = false
  let dead = false

  /** A dead process holds neither descriptors nor leases. */
  function die(): never {
    dead = true
    for (const fd of open) real.close(fd)
    open.clear()
    throw new DiskDied('the disk died here')
  }

  function before(name: string, args: readonly unknown[]): void {
    if (dead) throw new DiskDied('the disk is dead')
    if (!armed || !isChange(name)) return
    asked.push(`${name} ${args.filter((arg) => typeof arg === 'string' && arg.length < 200).join(' ')}`)
    if (asked.length >= dieAt) die()
  }

  function after<T>(name: string, args: readonly unknown[], result: T): T {
    if (name === 'openRead' || name === 'openFolder' || name === 'pinFolder' || name === 'openAppend') open.add(result as Fd)
    if (name === 'close' || name === 'closeLater') open.delete(args[0] as Fd)
    return result
  }

  const wrap =
    (name: string, call: (...args: unknown[]) => unknown) =>
    (...args: unknown[]): unknown => {
      before(name, args)
      const result = call(...args)
      if (!(result instanceof Promise)) return after(name, args, result)
      // What was under way when it died may have been done; whoever waits for it does not live to see it.
      return result.then((value: unknown) => {
        if (dead) throw new DiskDied('the disk is dead')
        return value
      })
    }

  const disk = Object.fromEntries(
    Object.entries(real).map(([name, member]) => [name, typeof member === 'function' ? wrap(name, member as (...args: unknown[]) => unknown) : member]),
  ) as unknown as Disk
  return {
    disk: { ...disk, lease: { ...real.lease, drop: (fd) => void (dead || real.lease.drop(fd)) } },
    arm: (n) => {
      ;[dieAt, armed] = [n, true]
    },
    isDead: () => dead,
    asked,
  }
}
