/** Mounts as they are found when a program is started: links are followed here, once, and what they lead to is judged as `config/mounts.ts` judges words. */
import type { Mount } from '../core/config.ts'
import { isWithin, showsOrganisation } from '../core/within.ts'
import type { Host } from '../system/host.ts'
import type { Disk } from '../system/types.ts'
import type { Jail } from './jail.ts'
import { faultOfHost } from './line.ts'

/**
 * Why a jail cannot be made, by who mends it: `machine` (its bubblewrap), `mounts` (the agent's file), `start`: what was said when it
 * was started, by whomever.
 */
export type JailFault = Readonly<{ kind: 'machine' | 'mounts' | 'start'; why: string }>

export type Ready = Readonly<{ fault: JailFault; jail?: never } | { fault?: never; jail: Jail }>

/** The jail as it can be made now, or why it can't, as far as that shows without trying. */
export function readyJail(disk: Pick<Disk, 'real'>, host: Host, jail: Jail): Ready {
  const why = faultOfHost(host)
  if (why !== undefined) return { fault: { kind: 'machine', why } }
  const { fault, mounts } = findMounts(disk, jail)
  return fault === undefined ? { jail: { ...jail, mounts } } : { fault: { kind: 'mounts', why: fault } }
}

type Found = Readonly<{ fault: string; mounts?: never } | { fault?: never; mounts: readonly Mount[] }>

function findMounts(disk: Pick<Disk, 'real'>, jail: Pick<Jail, 'mounts' | 'organisation' | 'writable'>): Found {
  const real = (path: string): string | undefined => {
    try {
      return disk.real(path)
    } catch {
      // Not there, or closed to whoever asks: bwrap cannot show it either.
      return undefined
    }
  }
  const organisation = real(jail.organisation) ?? jail.organisation
  const writable = jail.writable.flatMap((path) => real(path) ?? [])
  const mounts: Mount[] = []
  for (const mount of jail.mounts) {
    const from = real(mount.from)
    if (from === undefined) return { fault: `mounts: from: ${mount.from} is not there` }
    const leads = from === mount.from ? mount.from : `${mount.from} leads to ${from}, which`
    if (showsOrganisation(from, organisation)) return { fault: `mounts: from: ${leads} holds the organisation itself` }
    const outer = writable.find((path) => path !== from && isWithin(from, path))
    if (outer !== undefined) return { fault: `mounts: from: ${leads} lies in ${outer}, which another agent may write` }
    mounts.push({ ...mount, from })
  }
  return { mounts }
}
