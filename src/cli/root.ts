/** Which organisation, and in whose name. */
import { existsSync, lstatSync, readdirSync, readFileSync, statSync } from 'node:fs'
import { basename, dirname, join, relative, resolve } from 'node:path'
import { FORMAT, parseFormat } from '../core/format.ts'
import { shellWord } from '../core/text.ts'
import { typedAgain } from './again.ts'
import { fixOfBar } from './bar.ts'
import { type Call, type Surroundings, textOption } from './command.ts'
import { codeOf, EXIT, GONE, refuse, UNSEEN, unless } from './exit.ts'

const DEFAULT_ROOT = '/var/lib/pennypost'

function isRoot(folder: string): boolean {
  return existsSync(join(folder, 'policies/org.yaml')) || existsSync(join(folder, '.penny'))
}

/** The nearest at or above this folder. What an agent makes in its workspace is no organisation, however it looks. */
export function rootAbove(cwd: string): string | undefined {
  const above: string[] = []
  for (let folder = resolve(cwd); folder !== dirname(folder); folder = dirname(folder)) if (isRoot(folder)) above.push(folder)
  return above.find((one) => !above.some((outer) => one.startsWith(`${outer}/workspaces/`)))
}

type Chosen = Readonly<{ root: string; by: '--root' | 'PENNY_ROOT' | 'folder' | 'default' }>

/** In the contract's order: --root, $PENNY_ROOT, the nearest folder at or above the working directory, /var/lib/pennypost. */
function choose(rootOption: string | undefined, { env, cwd }: Pick<Surroundings, 'env' | 'cwd'>): Chosen {
  if (rootOption !== undefined) return { root: resolve(cwd, rootOption), by: '--root' }
  const named = env['PENNY_ROOT']
  if (named) return { root: resolve(cwd, named), by: 'PENNY_ROOT' }
  const root = rootAbove(cwd)
  return root === undefined ? { root: DEFAULT_ROOT, by: 'default' } : { root, by: 'folder' }
}

/** The root that this command line means, be one there or not. */
export function rootMeant({ typed, env, cwd }: Pick<Surroundings, 'typed' | 'env' | 'cwd'>): string {
  return choose(rootWord(typed), { env, cwd }).root
}

/** What `--root` named on this command line. */
export function rootWord(typed: readonly string[]): string | undefined {
  const at = typed.findIndex((word) => word === '--root' || word.startsWith('--root='))
  const word = typed[at]
  return word === '--root' ? typed[at + 1] : word?.slice('--root='.length)
}

/** Refuses (66) what is no root, (77) what this user may not look into. */
function needRoot(call: Call, { root, by }: Chosen): void {
  try {
    if (statSync(root).isDirectory() && (isThere(join(root, '.penny')) || isThere(join(root, 'policies/org.yaml')))) return
  } catch (cause) {
    const code = codeOf(cause) ?? ''
    if (code === 'EACCES') refuse(EXIT.notPermitted, `you may not look into ${root}`, 'a folder on the way is closed to this user', fixOfBar(root))
    if (!GONE.includes(code)) throw cause
  }
  if (by === 'default' && isJail())
    refuse(EXIT.noSuchThing, 'the organisation cannot be seen from inside a jail', 'here work next, claim, settle, reply, send, show and tasks', 'penny next')
  const none = existsSync(root)
    ? `${root} is not an organisation's root: it holds neither policies/org.yaml nor .penny/`
    : `there is no organisation at ${root}`
  const why = by === 'default' ? 'neither --root nor PENNY_ROOT is given, and no folder at or above this one is the root of one' : `${by} names it`
  refuse(EXIT.noSuchThing, none, why, fixOfNoRoot(call, root, by))
}

/** Numbers of people's accounts end here (UID_MAX of login.defs(5)); those of agents begin far above, unless `uids:` or `user:` say otherwise. */
const LAST_LOGIN = 60_000
const NOBODY = 65_534

/**
 * Refuses (77) to root an organisation that nobody named and that was made with the number of an agent: one that may write a folder which
 * root works in could make an organisation there, and answer in the daemon's place.
 */
function needTrust(call: Call, { root, by }: Chosen): void {
  const { uid, env, typed } = call.surroundings
  if (by !== 'folder' || uid !== 0) return
  const trusted = [NOBODY, Number(env['SUDO_UID'] ?? 0)]
  const parts = [root, join(root, '.penny'), join(root, 'policies')]
  const strange = parts.flatMap((path) => {
    const owner = unless(UNSEEN, () => lstatSync(path).uid)
    return owner === undefined || owner <= LAST_LOGIN || trusted.includes(owner) ? [] : [{ path, owner }]
  })[0]
  if (strange)
    refuse(
      EXIT.notPermitted,
      `${root} was made by somebody else, and root does not work in it unasked`,
      `${strange.path} belongs to uid ${strange.owner}`,
      `ls -ldn ${parts.map(shellWord).join(' ')}   # if it is the one you mean: ${typedAgain({ typed: [...typed, '--root', root] })}`,
    )
}

/** The one that was meant, where it lies near; else how one is made, where this user may. */
function fixOfNoRoot(call: Call, root: string, by: Chosen['by']): string {
  const { cwd, typed, uid, env } = call.surroundings
  const near =
    by === 'default' ? (rootBelow(cwd) ?? rootBelow(env['HOME'] ?? cwd)) : existsSync(root) ? (rootAbove(root) ?? rootBelow(root)) : rootBelow(dirname(root))
  const words = typed.slice(1).filter((word, i, all) => !word.startsWith('--root') && all[i - 1] !== '--root')
  if (near !== undefined) return typedAgain({ typed: ['penny', ...words, '--root', near] })
  if (by !== 'default') return `penny init ${shellWord(root)}`
  // Most often there is one, and nothing here tells where.
  return `penny init ${uid === 0 ? shellWord(root) : '~/acme'}   # a new one; where yours lies elsewhere, the same command in its folder`
}

/** Whoever has just made one often forgets to go there. */
function rootBelow(folder: string): string | undefined {
  const names = unless(UNSEEN, () => readdirSync(folder)) ?? []
  const [one, another] = names.map((name) => join(folder, name)).filter(isRoot)
  return another === undefined ? one : undefined
}

function isThere(path: string): boolean {
  return unless(GONE, () => statSync(path)) !== undefined
}

/** The root's path; refuses (66, 77, 78) where there is none or this program is too old for it. */
export function rootOf(call: Call): string {
  const chosen = choose(call.rootOption, call.surroundings)
  const { root } = chosen
  needRoot(call, chosen)
  needTrust(call, chosen)
  const text = unless(UNSEEN, () => readFileSync(join(root, '.penny/format'), 'utf8'))
  const format = text === undefined ? FORMAT : parseFormat(text)
  if (format === undefined)
    refuse(
      EXIT.badConfiguration,
      `${root}/.penny/format cannot be understood`,
      'it holds a whole number, the version of what lies in .penny/',
      `cat ${shellWord(`${root}/.penny/format`)}`,
    )
  if (format > FORMAT) {
    refuse(
      EXIT.badConfiguration,
      `${root} was written by a newer pennypost`,
      `.penny/format says ${format}, this program knows ${FORMAT}`,
      'npm install --global pennypost@latest',
    )
  }
  return root
}

/** A mailbox that commands act on: its own holder calls them, or the operator names it with --agent. */
export type Seat = Readonly<{ name: string; workspace: string; own: boolean }>

/** Whose mailbox this is: --agent, else the environment of a run, else the working directory. undefined: an operator's call. */
export function seatOf(call: Call): Seat | undefined {
  const named = textOption(call, 'agent')
  if (named !== undefined) return { name: named, workspace: existingWorkspace(call, named), own: false }
  const { env, cwd } = call.surroundings
  const agent = env['PENNY_AGENT']
  const jailed = isJail()
  if (agent) {
    const message = env['PENNY_MESSAGE']
    const fromMessage = message && basename(dirname(message)) === 'cur' ? dirname(dirname(resolve(cwd, message))) : undefined
    return { name: agent, workspace: jailed ? '/ws' : (fromMessage ?? existingWorkspace(call, agent)), own: true }
  }
  if (jailed && (cwd === '/ws' || cwd.startsWith('/ws/'))) return { name: 'ws', workspace: '/ws', own: true }
  const root = rootAbove(cwd)
  const [, name] = root === undefined ? [] : (/^workspaces\/([^/]+)/.exec(relative(root, resolve(cwd))) ?? [])
  return root === undefined || name === undefined ? undefined : { name, workspace: join(root, 'workspaces', name), own: true }
}

/** What a jail has at its top (contract, page 5). */
function isJail(): boolean {
  return existsSync('/ws/new') && existsSync('/ws/outbox')
}

function existingWorkspace(call: Call, name: string): string {
  const workspace = join(rootOf(call), 'workspaces', name)
  if (name.includes('/') || name.startsWith('.') || !existsSync(workspace))
    refuse(EXIT.noSuchThing, `there is no mailbox of ${name}`, `${workspace} is not there`, 'penny agents')
  return workspace
}
