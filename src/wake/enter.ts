/** A program on its way into a jail: what bwrap says of it, and a look at what the jail shows before it may begin. */
import { basename } from 'node:path'
import { enclose, GO, type Jail, type Program, READABLE_AT, readStatus, type Said } from '../jail/index.ts'
import { statOrNothing } from '../mailbox/index.ts'
import type { Host } from '../system/host.ts'
import type { Disk, Pipes } from '../system/types.ts'

export type Entry = Readonly<{
  argv: readonly string[]
  env: Readonly<Record<string, string>>
  pipes: Pipes
  said: () => Said
  /** A folder that its holder exchanged for another in the moment it was shown: the program was not let go. */
  exchanged: () => string | undefined
}>

const NEVER = new Uint8Array()

export function enter(disk: Disk, host: Host, jail: Jail, program: Program): Entry {
  const { argv, env, given } = enclose(jail, host, program)
  let status = ''
  let waits = false
  let exchanged: string | undefined
  let letGo: (word: Uint8Array) => void = () => undefined
  const go = new Promise<Uint8Array>((resolve) => {
    letGo = resolve
  })
  const look = (): void => {
    const { pid } = readStatus(status)
    // Which of the two was said first is not known.
    if (!waits || pid === undefined) return
    waits = false
    exchanged = findExchanged(disk, jail, pid)
    letGo(exchanged === undefined ? Buffer.from(GO) : NEVER)
  }
  const takeStatus = (chunk: Buffer): void => {
    status += chunk.toString()
    look()
  }
  const takeReady = (): void => {
    waits = true
    look()
  }
  return {
    argv,
    env,
    pipes: jail.held ? { said: [takeStatus, takeReady], given: [go, ...given] } : { said: [takeStatus], given },
    said: () => readStatus(status),
    exchanged: () => exchanged,
  }
}

/** What is shown must be the folder that has this name now and is no link: bwrap follows links, and its look was earlier. */
function findExchanged(disk: Disk, jail: Jail, pid: number): string | undefined {
  const root = `/proc/${pid}/root${READABLE_AT}`
  return jail.readable
    .flatMap(({ name, folders }) => folders.map((path) => ({ path, at: `${root}/${name}/${basename(path)}` })))
    .find(({ path, at }) => {
      const shown = statOrNothing(disk, at)
      const own = statOrNothing(disk, path)
      return shown && !(own?.kind === 'folder' && own.ino === shown.ino && own.dev === shown.dev)
    })?.path
}
