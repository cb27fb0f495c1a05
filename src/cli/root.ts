/** Which organisation, and in whose name. */
import { existsSync, readFileSync, statSync } from 'node:fs'
import { basename, dirname, join, relative, resolve } from 'node:path'
import { FORMAT, parseFormat } from '../core/format.ts'
import { shellWord } from '../core/text.ts'
import { type Call, textOption } from './command.ts'
import { EXIT, refuse, UNSEEN, unless } from './exit.ts'

const DEFAULT_ROOT = '/var/lib/pennypost'

function isRoot(folder: string): boolean {
  return existsSync(join(folder, 'policies/org.yaml')) || existsSync(join(folder, '.penny'))
}

/** The nearest at or above this folder. What an agent makes in its workspace is no organisation, however it looks. */
function rootAbove(cwd: string): string | undefined {
  const above: string[] = []
  for (let folder = resolve(cwd); folder !== dirname(folder); folder = dirname(folder)) if (isRoot(folder)) above.push(folder)
  return above.find((one) => !above.some((outer) => one.startsWith(`${outer}/workspaces/`)))
}

/** In the contract's order: --root, $PENNY_ROOT, the nearest folder at or above the working directory, /var/lib/pennypost. */
function choose({ rootOption, surroundings: { env, cwd } }: Call): { root: string; how: string } {
  if (rootOption !== undefined) return { root: resolve(cwd, rootOption), how: '--root names it' }
  const named = env['PENNY_ROOT']
  if (named) return { root: resolve(cwd, named), how: 'PENNY_ROOT names it' }
  const root = rootAbove(cwd)
  if (root !== undefined) return { root, how: 'it is the nearest at or above the working directory' }
  return { root: DEFAULT_ROOT, how: 'neither --root nor PENNY_ROOT is given, and no folder at or above this one holds policies/org.yaml or .penny/' }
}

/** The root's path; refuses (66, 78) where there is none or this program is too old for it. */
export function rootOf(call: Call): string {
  const { root, how } = choose(call)
  const fix = `penny init ${shellWord(root)}`
  if (!unless(UNSEEN, () => statSync(root))?.isDirectory()) refuse(EXIT.noSuchThing, `there is no organisation at ${root}`, how, fix)
  if (!isRoot(root)) refuse(EXIT.noSuchThing, `${root} is not an organisation's root`, `it holds neither policies/org.yaml nor .penny/ (${how})`, fix)
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
  const jailed = existsSync('/ws/new') && existsSync('/ws/outbox')
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

function existingWorkspace(call: Call, name: string): string {
  const workspace = join(rootOf(call), 'workspaces', name)
  if (name.includes('/') || name.startsWith('.') || !existsSync(workspace))
    refuse(EXIT.noSuchThing, `there is no mailbox of ${name}`, `${workspace} is not there`, 'penny agents')
  return workspace
}
