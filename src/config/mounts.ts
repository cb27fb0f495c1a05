/** Mounts of agents' files: none covers what a jail shows itself, none shows the organisation itself, none can be led elsewhere. */
import { dirname } from 'node:path'
import type { Mount } from '../core/config.ts'
import { isWithin, showsOrganisation } from '../core/within.ts'
import type { Placed } from './fields.ts'
import type { Report } from './yaml.ts'

/** Contract, page 5: what a jail has of its own. */
const TAKEN = [
  '/ws',
  '/org',
  '/opt/runners',
  '/opt/pennypost',
  '/run/gateway.sock',
  '/run/gateway',
  '/usr',
  '/bin',
  '/sbin',
  '/lib',
  '/lib32',
  '/lib64',
  '/libx32',
  '/etc',
  '/dev',
  '/proc',
]
/** More may be put into these, but not over them. */
const OPEN = ['/', '/opt', '/run', '/tmp', '/sys']
/** Each process's part of it has a way to all that the process sees (proc(5), /proc/PID/root). */
const LEADS_ANYWHERE = '/proc'

type Mounting = Readonly<{ name: string; mounts: readonly Placed<Mount>[]; report: Report }>

/** `policies`: the folder they were read from. */
export function checkMounts(all: readonly Mounting[], policies: string): void {
  const root = dirname(policies)
  const writable = all.flatMap(({ name, mounts }) => mounts.filter(({ value }) => value.mode === 'rw').map(({ value }) => ({ name, from: plain(value.from) })))
  for (const { mounts, report } of all) {
    const places = new Set<string>()
    for (const { value, spot } of mounts) {
      const [from, at] = [plain(value.from), plain(value.at)]
      const say = (what: string): void => report(spot, `mounts: ${what}`)
      const taken = TAKEN.find((path) => isWithin(at, path) || isWithin(path, at)) ?? OPEN.find((path) => path === at)
      if (taken !== undefined) say(`at: ${at} is a jail's own (${taken}); choose another, such as /code`)
      else if (places.has(at)) say(`at: ${at} stands here twice`)
      places.add(at)
      if (showsOrganisation(from, root)) say(`from: ${from} holds the organisation itself, which no jail may show; give a folder elsewhere`)
      else if (isWithin(from, LEADS_ANYWHERE)) say(`from: ${from} shows what other processes see, the organisation too; give the folder itself`)
      // Who writes the outer one could put a link to anywhere in the place of the inner one.
      const outer = writable.find((other) => other.from !== from && isWithin(from, other.from))
      if (outer) say(`from: ${from} lies in ${outer.from}, which ${outer.name} may write (mode: rw); mount that folder, or one elsewhere`)
    }
  }
}

/** Without what changes nothing: `/srv//x/.` is `/srv/x`. */
function plain(path: string): string {
  return `/${path
    .split('/')
    .filter((part) => part !== '' && part !== '.')
    .join('/')}`
}
