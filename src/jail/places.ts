/** Where things are: a path of the machine ⇄ the same in a jail. */
import type { Mount } from '../core/config.ts'
import type { Jail } from './jail.ts'

export const WORKSPACE_AT = '/ws'
export const HOME_AT = `${WORKSPACE_AT}/home`
export const RUNNERS_AT = '/opt/runners'
export const READABLE_AT = '/org'

/** Where a jail shows a path of its own workspace. */
export function shownAt(jail: Pick<Jail, 'workspace'>, path: string): string {
  if (path !== jail.workspace && !path.startsWith(`${jail.workspace}/`)) throw new Error(`${path} is not in ${jail.workspace}`)
  return `${WORKSPACE_AT}${path.slice(jail.workspace.length)}`
}

/** The path of the machine that a jail shows at `path`; undefined: it shows nothing of the machine there. */
export function behind(jail: Pick<Jail, 'mounts' | 'workspace' | 'runners'>, path: string): string | undefined {
  const shown = [
    ...outerFirst(jail.mounts).reverse(),
    { from: jail.workspace, at: WORKSPACE_AT },
    { from: jail.runners, at: RUNNERS_AT },
    ...['usr', 'bin', 'sbin', 'lib', 'lib32', 'lib64', 'libx32'].map((name) => ({ from: `/${name}`, at: `/${name}` })),
  ]
  const place = shown.find(({ at }) => path === at || path.startsWith(`${at}/`))
  return place && `${place.from}${path.slice(place.at.length)}`
}

/** One that lies in another comes after it, or it would be hidden. */
export function outerFirst(mounts: readonly Mount[]): Mount[] {
  return [...mounts].sort((a, b) => (a.at < b.at ? -1 : 1))
}
