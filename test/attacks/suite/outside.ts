/** What an attack must not reach: secrets with canaries, files that a link names, folders of others; and whether it did. */
import { createHash, randomBytes } from 'node:crypto'
import { type BigIntStats, chmodSync, chownSync, type Dirent, lstatSync, mkdirSync, readdirSync, readFileSync, readlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Owner } from '../../e2e/driver.ts'
import type { Outside } from './case.ts'

export const CANARY = /penny-canary-([a-z0-9]+)-[0-9a-f]{24}/g

/** Of the daemon's owner, or root's; the folder above may be passed, not listed. */
export function makeOutside(folder: string, token: string, recipient: string, owner: Owner | undefined): Outside {
  const canary = (): string => `penny-canary-${token}-${randomBytes(12).toString('hex')}`
  const message = (): string => `---\nto: ${recipient}\nsubject: ${token}\n---\n${canary()}\n`
  const at = (name: string): string => join(folder, token, name)
  mkdirSync(at('folder'), { recursive: true, mode: 0o711 })
  const files = { 'secret.md': message(), 'text.txt': canary(), 'victim.txt': 'as it was\n', 'linked.md': message() }
  for (const [name, text] of Object.entries({ ...files, 'folder/inside.md': message(), 'folder/inside.txt': canary() }))
    writeFileSync(at(name), text, { mode: 0o600 })
  if (owner) for (const name of ['', ...Object.keys(files), 'folder', 'folder/inside.md', 'folder/inside.txt']) chownSync(at(name), owner.uid, owner.gid)
  return { secret: at('secret.md'), text: at('text.txt'), victim: at('victim.txt'), folder: at('folder'), linked: at('linked.md') }
}

/** Path to all that can be told of it: bytes, mode, owner, times. */
export type Marks = ReadonlyMap<string, string>

export function marksOf(folders: readonly string[]): Marks {
  const marks = new Map<string, string>()
  const look = (path: string): void => {
    const stat = lstatSync(path, { bigint: true })
    // The row itself gives these another name, which changes the number of names and the time of the inode.
    const times = path.endsWith('/linked.md') ? `${stat.mtimeNs}` : `${stat.mtimeNs} ${stat.ctimeNs} ${stat.nlink}`
    const content = stat.isFile() ? createHash('sha256').update(readFileSync(path)).digest('hex') : stat.isSymbolicLink() ? readlinkSync(path) : ''
    marks.set(path, `${stat.ino} ${stat.mode.toString(8)} ${stat.uid}:${stat.gid} ${stat.size} ${times} ${content}`)
    if (stat.isDirectory()) for (const name of readdirSync(path)) look(join(path, name))
  }
  for (const folder of folders) look(folder)
  return marks
}

/** Sentences, each with the path it is about. */
export function differences(before: Marks, after: Marks): readonly string[] {
  const paths = new Set([...before.keys(), ...after.keys()])
  return [...paths].flatMap((path) => {
    const [was, is] = [before.get(path), after.get(path)]
    if (was === is) return []
    return [`${path} ${was === undefined ? 'is new' : is === undefined ? 'is gone' : `changed from ${was} to ${is}`}`]
  })
}

const MOST_BYTES = 8 * 1024 * 1024

/** Its owner took its own rights away: it may give them back. Root needs none. */
function isShut(stat: BigIntStats): boolean {
  const needed = stat.isDirectory() ? 0o500n : 0o400n
  return (stat.isDirectory() || stat.isFile()) && (stat.mode & needed) !== needed && stat.uid === BigInt(process.getuid?.() ?? 0) && stat.uid !== 0n
}

/** Tokens of secrets that lie anywhere under these, with the path; nothing is followed, and the secrets' own inodes do not count. */
export function leaksIn(paths: readonly string[], secrets: ReadonlySet<bigint>): ReadonlyMap<string, string> {
  const leaks = new Map<string, string>()
  const note = (text: string, path: string): void => {
    for (const [, token = ''] of text.matchAll(CANARY)) leaks.set(token, path)
  }
  const look = (path: Buffer): void => {
    const shown = path.toString()
    try {
      const stat = lstatSync(path, { bigint: true })
      if (isShut(stat)) chmodSync(path, 0o700)
      if (stat.isDirectory()) {
        const entries = readdirSync(path, { withFileTypes: true, encoding: 'buffer' }) as unknown as Dirent<Buffer>[]
        for (const { name } of entries) look(Buffer.concat([path, Buffer.from('/'), name]))
      } else if (stat.isFile() && !secrets.has(stat.ino)) {
        note(shown, shown)
        // Of a sparse giant that nobody read, the holes.
        if (stat.blocks * 512n <= MOST_BYTES && stat.size <= 64n * 1024n * 1024n) note(readFileSync(path, 'latin1'), shown)
      }
    } catch (cause) {
      // While a daemon moves files, one that was listed may be gone.
      if ((cause as NodeJS.ErrnoException).code !== 'ENOENT') throw cause
    }
  }
  for (const path of paths) look(Buffer.from(path))
  return leaks
}
