/**
 * The key files of providers: read when they are there, whole, and nobody else may read them; followed when they change. A key goes from
 * here to the gateway's process and nowhere else: not into a log, an alert or an error.
 */
import type { Provider } from '../core/config.ts'
import type { Clear, Raise } from '../core/post.ts'
import { shellWord } from '../core/text.ts'
import { statOrNothing } from '../mailbox/index.ts'
import type { Clock, Disk, Stat } from '../system/types.ts'

export type ProviderKeys = Readonly<{
  /** Looks at the files; call it again and again, and when the configuration changed. */
  look: () => void
  of: (provider: string) => string | undefined
  /** Why there is none; undefined: there is one. */
  fault: (provider: string) => string | undefined
  /** Whether its file was read as it is now. */
  isRead: (provider: string) => boolean
  /** What the one that `of` returns is called: no other was ever called so. 0: there was none yet. */
  turnOf: (provider: string) => number
  /** The provider said that this one is not valid: nothing is sent with it again before its file changes. */
  refused: (provider: string, turn: number) => void
}>

export type ProviderKeysGiven = Readonly<{
  clock: Clock
  disk: Disk
  /** Of the daemon. */
  uid: number
  providers: () => Iterable<Provider>
  raise: Raise
  clear: Clear
  changed: (provider: string, key: string | undefined, turn: number) => void
}>

/** What is wrong with a key file, and what mends it. */
export type KeyFault = Readonly<{ why: string; fix: string }>

/** How often `look` is to be called: a change must be told within 2 s. */
export const KEYS_LOOK_MS = 500
/** A file that just changed may still be written: it counts once it stays as it is for so long. */
const CALM_MS = 400
/** Then it is told, and counts all the same once it is closed. */
const LONG_OPEN_MS = 1_200
const LONGEST_KEY = 4_096

type Known = { mark: string; sinceMs: number; judged: boolean; key: string | undefined; turn: number; fault: KeyFault | undefined }

export function createProviderKeys(given: ProviderKeysGiven): ProviderKeys {
  const { clock, disk, uid } = given
  const known = new Map<string, Known>()
  let turns = 0

  function look(): void {
    const names = new Set<string>()
    for (const { name, keyFile } of given.providers()) {
      names.add(name)
      lookAt(name, keyFile)
    }
    for (const name of known.keys()) {
      if (names.has(name)) continue
      known.delete(name)
      given.clear('provider-key', name)
    }
  }

  function lookAt(name: string, keyFile: string): void {
    const mark = `${keyFile} ${markOf(disk, keyFile)}`
    const now = clock.monotonic()
    let one = known.get(name)
    if (one?.mark !== mark) {
      const { key, turn, fault } = one ?? { key: undefined, turn: 0, fault: undefined }
      // At the start there is nothing to wait for: it did not just change.
      one = { mark, sinceMs: one ? now : now - CALM_MS, judged: false, key, turn, fault }
      known.set(name, one)
    }
    if (one.judged || now - one.sinceMs < CALM_MS) return
    const read = readKeyFile(disk, keyFile, uid)
    one.judged = read !== 'being written'
    if (read !== 'being written') tell(name, one, read)
    else if (now - one.sinceMs >= LONG_OPEN_MS) tell(name, one, { why: `${keyFile} is still open for writing`, fix: `fuser -v ${shellWord(keyFile)}` })
  }

  function tell(name: string, one: Known, read: Readonly<{ key: string } | KeyFault>): void {
    const before = one.key
    if ('why' in read && read.why === one.fault?.why) return
    one.key = 'key' in read ? read.key : undefined
    one.fault = 'key' in read ? undefined : read
    if (one.fault) raise(name, one.fault)
    else given.clear('provider-key', name)
    if (one.key === before) return
    one.turn = ++turns
    given.changed(name, one.key, one.turn)
  }

  function raise(name: string, { why, fix }: KeyFault): void {
    given.raise({ code: 'provider-key', about: name, sentence: `There is no key for the provider ${name}: ${why}. Requests to it wait.`, fix })
  }

  return {
    look,
    of: (provider) => known.get(provider)?.key,
    fault: (provider) => known.get(provider)?.fault?.why,
    isRead: (provider) => known.get(provider)?.judged ?? true,
    turnOf: (provider) => known.get(provider)?.turn ?? 0,
    refused: (provider, turn) => {
      const one = known.get(provider)
      const file = [...given.providers()].find(({ name }) => name === provider)?.keyFile
      // It was replaced meanwhile.
      if (!one || file === undefined || one.key === undefined || one.turn !== turn) return
      tell(provider, one, { why: `it refuses the one in ${file}; nothing is sent with it until that file changes`, fix: writeKey(file) })
    },
  }
}

/** Changes with whatever is done to the file. */
function markOf(disk: Disk, path: string): string {
  const stat = lookAtFile(disk, path)
  return 'why' in stat ? stat.why : [stat.dev, stat.ino, stat.size, stat.mtimeMs, stat.ctimeMs].join(' ')
}

function lookAtFile(disk: Disk, path: string): Stat | KeyFault {
  try {
    return statOrNothing(disk, path) ?? { why: `${path} is not there`, fix: writeKey(path) }
  } catch (cause) {
    return { why: `${path} cannot be looked at (${codeOf(cause)})`, fix: `ls -ld ${shellWord(path)}` }
  }
}

/** Also for `penny doctor`. */
export function readKeyFile(disk: Disk, path: string, uid: number): Readonly<{ key: string }> | KeyFault | 'being written' {
  const stat = lookAtFile(disk, path)
  const word = shellWord(path)
  if ('why' in stat) return stat
  if (stat.kind !== 'file') return { why: `${path} is a ${stat.kind}, and a file is needed`, fix: `ls -ld ${word}` }
  try {
    const fd = disk.openRead(path)
    try {
      return readOpen(disk, fd, path, uid)
    } finally {
      disk.close(fd)
    }
  } catch (cause) {
    return { why: `${path} cannot be read (${codeOf(cause)})`, fix: uid === 0 ? `ls -l ${word}` : `sudo chown ${uid} ${word}` }
  }
}

function readOpen(disk: Disk, fd: number, path: string, uid: number): ReturnType<typeof readKeyFile> {
  const word = shellWord(path)
  const { kind, uid: owner, mode, size } = disk.fstat(fd)
  if (kind !== 'file') return { why: `${path} is a ${kind}, and a file is needed`, fix: `ls -ld ${word}` }
  if (owner !== 0 && owner !== uid) return { why: `${path} belongs to uid ${owner}, who could change it`, fix: `sudo chown ${uid} ${word}` }
  if ((mode & 0o077) !== 0) return { why: `${path} may be read or written by others (mode ${(mode & 0o777).toString(8)})`, fix: `chmod 600 ${word}` }
  if (isBeingWritten(disk, fd)) return 'being written'
  if (size > LONGEST_KEY) return { why: `${path} is larger than a key can be`, fix: writeKey(path) }
  const key = disk.read(fd, LONGEST_KEY, 0).toString('latin1').trim()
  if (key === '') return { why: `${path} is empty`, fix: writeKey(path) }
  if (!/^[\x21-\x7e]+$/.test(key)) return { why: `${path} holds more than one word, or characters that no key has`, fix: writeKey(path) }
  // As in a shell or an .env file: the provider would only say that it is not valid.
  if (/^["'].*["']$|^[A-Z_]+=/.test(key)) return { why: `${path} has quotes or NAME= around the key, and the key alone is needed`, fix: writeKey(path) }
  return { key }
}

/** A file system without leases says nothing: then it is the time alone that tells. */
function isBeingWritten(disk: Disk, fd: number): boolean {
  try {
    if (!disk.lease.take(fd)) return true
    disk.lease.drop(fd)
  } catch {
    return false
  }
  return false
}

function writeKey(path: string): string {
  return `install -D -m 600 /dev/stdin ${shellWord(path)}   # paste the key, Enter, Ctrl-D`
}

function codeOf(cause: unknown): string {
  return (cause as NodeJS.ErrnoException).code ?? 'error'
}
