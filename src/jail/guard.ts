/**
 * Keeps what lies in other agents' folders from leading a jail elsewhere. bwrap(1) follows links in what it mounts, and where one user
 * runs everything an agent can put a link in the place of its new/: who reads its mail would see whatever that leads to.
 */
import { createHash } from 'node:crypto'
import type { Disk } from '../system/types.ts'
import type { Jail } from './jail.ts'
import { READABLE_AT } from './places.ts'

/** Device and inode of a folder, as `stat -c %d:%i`; undefined: there is none that can be shown, or something else in its place. */
export type Look = (path: string) => string | undefined

export function lookWith(disk: Pick<Disk, 'stat'>): Look {
  return (path) => {
    try {
      const { kind, dev, ino } = disk.stat(path)
      return kind === 'folder' ? `${dev}:${ino}` : undefined
    } catch {
      // Whatever it is: it cannot be mounted either, and the others can.
      return undefined
    }
  }
}

/** sysexits(3), EX_TEMPFAIL: a run that is no attempt. */
const AGAIN = 75
const FOUND = "$(export LC_ALL=C; /usr/bin/stat -c '%n %d:%i' /org/*/* | /usr/bin/sort | /usr/bin/sha256sum)"
const SCRIPT = `[ "${FOUND}" = "$1  -" ] || { echo 'what /org shows was moved while the jail was made: it is tried again' >&2; exit ${AGAIN}; }; shift; exec "$@"`

export type Guarded = Readonly<{
  readable: Jail['readable']
  /** Put before the program: starts it only where each folder that is shown is the one that was looked at. */
  words: readonly string[]
}>

/** Folders that are not there, or no folders, are left out. */
export function guard(jail: Pick<Jail, 'readable' | 'sameUid'>, look: Look): Guarded {
  // The names are root's elsewhere.
  if (!jail.sameUid) return { readable: jail.readable, words: [] }
  const lines: string[] = []
  const readable = jail.readable.map(({ name, folders }) => ({
    name,
    folders: folders.filter((path) => {
      const is = look(path)
      if (is !== undefined) lines.push(`${READABLE_AT}/${name}/${path.slice(path.lastIndexOf('/') + 1)} ${is}\n`)
      return is !== undefined
    }),
  }))
  if (lines.length === 0) return { readable, words: [] }
  const wanted = createHash('sha256').update(lines.sort().join('')).digest('hex')
  return { readable, words: ['/bin/sh', '-c', SCRIPT, 'sh', wanted] }
}
