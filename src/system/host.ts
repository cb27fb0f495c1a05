/** What this machine has for a jail: the programs that make it, and what a program inside needs of the machine. */
import { spawnSync } from 'node:child_process'
import { existsSync, lstatSync, readFileSync, readlinkSync, realpathSync, statSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { packageFolder } from './package.ts'
import { findInPath } from './program.ts'

/** A path of the machine, and where a jail shows it. */
export type Shown = Readonly<{ from: string; at: string }>

export type Host = Readonly<{
  /** undefined: not installed, or it does not say its version. */
  bwrap: Readonly<{ path: string; version: readonly [major: number, minor: number] }> | undefined
  /** Names in / that lead into /usr, and where to: `lib64` → `usr/lib64`. */
  links: readonly Readonly<{ name: string; to: string }>[]
  /** Names in / that are folders of their own where other machines have such links. */
  folders: readonly string[]
  /** Node, pennypost and its packages, where every uid may read them; empty where not. */
  program: readonly Shown[]
  /** Node's name for the processor: `x64`, `arm64` … */
  processor: string
  /** Whether the kernel filters system calls. */
  filters: boolean
}>

/** Where a jail shows this program. */
export const PROGRAM_AT = '/opt/pennypost'

/** hier(7): what a system with a merged /usr has as links. */
const OF_USR = ['bin', 'sbin', 'lib', 'lib32', 'lib64', 'libx32']
/** Before others: every uid may start what lies there. */
const ALWAYS_SEARCHED = '/usr/bin:/usr/local/bin:/bin'
const READ_BY_OTHERS = 0o004
const ENTERED_BY_OTHERS = 0o001

/** `searchPath`: where bwrap(1) is looked for. Throws nothing: what is not there is said by what is returned. */
export function surveyHost(searchPath: string): Host {
  const there = OF_USR.filter((name) => lstatSync(`/${name}`, { throwIfNoEntry: false }))
  const isLink = (name: string): boolean => lstatSync(`/${name}`).isSymbolicLink()
  return {
    bwrap: findBwrap(searchPath),
    links: there.filter(isLink).map((name) => ({ name, to: readlinkSync(`/${name}`) })),
    folders: there.filter((name) => !isLink(name)),
    program: findProgram(),
    processor: process.arch,
    filters: /^Seccomp:/m.test(readFileSync('/proc/self/status', 'utf8')),
  }
}

/** Surveyed when first asked for, and again where somebody hopes that it has more by now. */
export function hostOf(searchPath: string): (again?: 'again') => Host {
  let host: Host | undefined
  return (again) => {
    if (!host || again) host = surveyHost(searchPath)
    return host
  }
}

function findBwrap(searchPath: string): Host['bwrap'] {
  const path = findInPath('bwrap', `${ALWAYS_SEARCHED}:${searchPath}`, '/')
  if (path === undefined) return undefined
  const { stdout } = spawnSync(path, ['--version'], { encoding: 'utf8' })
  const [, major, minor] = /(\d+)\.(\d+)/.exec(stdout ?? '') ?? []
  return major === undefined ? undefined : { path, version: [Number(major), Number(minor)] }
}

/** Packages lie in the package's own node_modules/, or, where it is itself one of others, in the one around it. */
function findProgram(): Shown[] {
  const own = packageFolder()
  const packages = [join(own, 'node_modules'), dirname(own)].find((folder) => existsSync(join(folder, 'yaml')))
  const node = realpathSync(process.execPath)
  if (packages === undefined || !existsSync(join(own, 'dist'))) return []
  const shown = [
    { from: node, at: `${PROGRAM_AT}/bin/node` },
    { from: join(own, 'package.json'), at: `${PROGRAM_AT}/package.json` },
    { from: join(own, 'dist'), at: `${PROGRAM_AT}/dist` },
    { from: packages, at: `${PROGRAM_AT}/node_modules` },
  ]
  return process.geteuid?.() !== 0 || shown.every(({ from }) => isOpenToAll(from)) ? shown : []
}

/** Agents have uids of their own, to which the home of root, say, is closed. */
function isOpenToAll(path: string): boolean {
  const { mode } = statSync(path)
  const wanted = statSync(path).isDirectory() ? READ_BY_OTHERS | ENTERED_BY_OTHERS : READ_BY_OTHERS
  for (let folder = dirname(path); folder !== '/'; folder = dirname(folder)) if ((statSync(folder).mode & ENTERED_BY_OTHERS) === 0) return false
  return (mode & wanted) === wanted
}
