/** What lies outside of every mailbox, and what nobody may learn of it. */
import { createHash, randomBytes } from 'node:crypto'
import {
  chmodSync,
  chownSync,
  closeSync,
  constants,
  fstatSync,
  lstatSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  utimesSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import type { Owner } from '../e2e/driver.ts'

/** Larger files hold no text of ours. */
const MOST_BYTES = 4 * 1024 * 1024

export type Outside = Readonly<{
  folder: string
  secretFile: string
  /** Whatever is not as it was, in words. */
  changed: () => string[]
  /** Files below a folder that hold the secret; the secret itself, under any name, does not count. */
  leakedTo: (folder: string) => string[]
}>

/** `owner`: who owns it where the attackers could read it themselves (one uid for all); else nobody but root can. */
export function makeOutside(base: string, policies: string, owner: Owner | undefined): Outside {
  const folder = join(base, 'outside')
  const secretFile = join(folder, 'secret.md')
  const word = `SECRET-${randomBytes(12).toString('hex')}`
  mkdirSync(folder)
  writeFileSync(secretFile, `---\nto: eve\nkind: note\n---\n${word}\n`)
  writeFileSync(join(folder, 'm0.md'), `---\nto: mallory\n---\n${word}\n`)
  writeFileSync(join(folder, 'a.bin'), word)
  for (const name of ['secret.md', 'm0.md', 'a.bin']) {
    const path = join(folder, name)
    chmodSync(path, 0o600)
    if (owner) chownSync(path, owner.uid, owner.gid)
    // Read once, it would have another time from then on (mount(8), relatime).
    utimesSync(path, 1_000_000_000, 1_600_000_000)
  }
  chmodSync(folder, 0o755)
  if (owner) chownSync(folder, owner.uid, owner.gid)
  const secrets = new Set(readdirSync(folder).map((name) => lstatSync(join(folder, name)).ino))
  const before = new Map([...shown(folder, false), ...shown(policies, true)])

  return {
    folder,
    secretFile,
    changed: () => {
      const now = new Map([...shown(folder, false), ...shown(policies, true)])
      return [...new Set([...before.keys(), ...now.keys()])].flatMap((path) =>
        before.get(path) === now.get(path) ? [] : [`${path}: ${before.get(path) ?? 'nothing'} is now ${now.get(path) ?? 'nothing'}`],
      )
    },
    leakedTo: (where) => [...filesBelow(where)].filter((path) => holds(path, word, secrets)),
  }
}

/** Bytes, owner, mode and times. `read`: the bytes too; reading those that nobody may read would change a time. */
function* shown(folder: string, read: boolean): Generator<[string, string]> {
  for (const name of readdirSync(folder, { recursive: true, encoding: 'utf8' })) {
    const path = join(folder, name)
    const { mode, uid, gid, size, mtimeMs, atimeMs } = lstatSync(path)
    const isFolder = (mode & 0o170000) === 0o040000
    const bytes = read && !isFolder ? createHash('sha256').update(readFileSync(path)).digest('hex').slice(0, 12) : ''
    yield [path, `${mode.toString(8)} ${uid}:${gid} ${isFolder ? '' : `${size} ${mtimeMs} ${read ? '' : atimeMs}`} ${bytes}`]
  }
}

/** Follows nothing, and does not mind what goes away meanwhile. */
function* filesBelow(folder: string): Generator<string> {
  for (const entry of quietly(() => readdirSync(folder, { withFileTypes: true })) ?? []) {
    const path = join(folder, entry.name)
    if (entry.isDirectory()) yield* filesBelow(path)
    else if (entry.isFile()) yield path
  }
}

/** What lies there may be swapped while it is looked at: nothing is followed, and no pipe waited for. */
function holds(path: string, word: string, secrets: ReadonlySet<number>): boolean {
  const fd = quietly(() => openSync(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK))
  if (fd === undefined) return false
  try {
    const stat = fstatSync(fd)
    return stat.isFile() && stat.size <= MOST_BYTES && !secrets.has(stat.ino) && readFileSync(fd).includes(word)
  } finally {
    closeSync(fd)
  }
}

function quietly<T>(look: () => T): T | undefined {
  try {
    return look()
  } catch (cause) {
    if (['ENOENT', 'ENOTDIR', 'ELOOP', 'EACCES', 'ENAMETOOLONG', 'ENXIO', 'EAGAIN'].includes((cause as NodeJS.ErrnoException).code ?? '')) return undefined
    throw cause
  }
}
