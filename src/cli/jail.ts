import { spawn } from 'node:child_process'
import { existsSync, statSync } from 'node:fs'
import type { Readable, Writable } from 'node:stream'
import { shellWord } from '../core/text.ts'
import { enclose, gatewayEnvironment, HOME_AT, INSTALL_BWRAP, JAIL_PATH, type Jail, lookWith, readStatus, readyJail } from '../jail/index.ts'
import { layoutOf } from '../mailbox/index.ts'
import { hostOf } from '../system/host.ts'
import { closeInherited } from '../system/inherited.ts'
import { asUser, NOT_HANDED_ON } from '../system/spawner.ts'
import type { SpawnPlan } from '../system/types.ts'
import { type Call, type Command, expectWords } from './command.ts'
import { plainDisk } from './disk.ts'
import { AS_ROOT, EXIT, refuse, UP } from './exit.ts'
import { loadPolicies } from './policies.ts'
import { tell } from './print.ts'
import { rootOf } from './root.ts'
import { needAgent } from './roster.ts'

/** What of the operator's environment is of use in there and says nothing about it. */
const INHERITED = ['LANG', 'TZ', 'TERM', 'COLORTERM', 'NO_COLOR']

export const command: Command = {
  summary: "a shell, or a command, in an agent's jail",
  usage: ['jail NAME [-- COMMAND…]'],
  examples: [
    ['jail legal', 'look around: what an agent sees is what you see'],
    ['jail legal -- ls /ws/new /org', 'one command; ends with its status'],
    ['jail legal -- penny next', 'act for an agent that has no runner'],
  ],
  options: {},
  run: async (call) => {
    expectWords(call, 1, Number.POSITIVE_INFINITY, 'NAME')
    const [word = '', ...words] = call.words
    const root = rootOf(call)
    const name = needAgent(root, word, 'jail', [])
    const { jail, as } = await find(call, root, name)
    const host = hostOf(call.surroundings.env['PATH'] ?? '')()
    const ready = readyJail(plainDisk(), host, jail)
    if (ready.fault !== undefined)
      return refuse(
        EXIT.tryAgain,
        `the jail of ${name} cannot be made`,
        ready.fault.why,
        ready.fault.kind === 'machine' ? INSTALL_BWRAP : `\${EDITOR:-vi} ${shellWord(`${root}/policies/agents/${name}.md`)}`,
      )
    const isShell = words.length === 0
    const { stdinIsTerminal, stdoutIsTerminal, env } = call.surroundings
    const inherited = Object.fromEntries(INHERITED.flatMap((key) => (env[key] === undefined ? [] : [[key, env[key]]])))
    const program = {
      argv: isShell ? [existsSync('/usr/bin/bash') ? '/usr/bin/bash' : '/bin/sh'] : words,
      env: { ...inherited, PATH: JAIL_PATH, HOME: HOME_AT, PENNY_AGENT: name, ...gatewayEnvironment(ready.jail) },
      atTerminal: stdinIsTerminal && stdoutIsTerminal,
    }
    if (isShell && stdinIsTerminal) tell(call, `the jail of ${name}: uid ${jail.uid}, network ${jail.network}, its workspace is /ws; exit leaves it`)
    closeInherited()
    const { argv, env: all, given } = enclose(ready.jail, host, lookWith(plainDisk()), program)
    const status = await enter(as ? asUser(as, argv) : argv, all, given)
    if (status === undefined) refuse(EXIT.tryAgain, `the jail of ${name} cannot be made`, 'bwrap says why, above', 'penny doctor')
    return status
  },
}

async function find(call: Call, root: string, name: string): Promise<Readonly<{ jail: Jail; as: SpawnPlan['as'] }>> {
  const layout = layoutOf(root)
  const { uid } = call.surroundings
  const config = loadPolicies(root)
  const agent = [...config.agents.values()].find((one) => one.name === name)
  if (!agent) return refuse(EXIT.noSuchThing, `there is no agent ${name}`, 'policies/ names none', 'penny agents')
  if (!agent.jailed)
    return refuse(
      EXIT.notPermitted,
      `${name} has no jail`,
      'its file says jail: none',
      `\${EDITOR:-vi} ${shellWord(`${layout.policies}/agents/${name}.md`)}   # take jail: out`,
    )
  const folder = existsSync(layout.own) ? statSync(layout.own).uid : uid
  if (folder !== uid) refuse(EXIT.notPermitted, `you may not act as ${name}`, `the organisation is run by uid ${folder}`, AS_ROOT)
  const { standingJail } = await import('../daemon/index.ts')
  const standing = standingJail(plainDisk(), layout, config, agent, { uid, gid: process.getegid?.() ?? uid })
  return standing ?? refuse(EXIT.noDaemon, `${name} has no folders yet`, 'the daemon makes them, and gives it a uid, when it first sees its file', UP)
}

/** Its exit status; undefined: it never ran. What a person types is the program's alone. */
function enter(argv: readonly string[], env: Readonly<Record<string, string>>, given: readonly Uint8Array[]): Promise<number | undefined> {
  const [program = '', ...args] = argv
  const child = spawn(program, args, {
    cwd: '/',
    env: { ...env, ...NOT_HANDED_ON },
    stdio: ['inherit', 'inherit', 'inherit', 'pipe', ...given.map(() => 'pipe' as const)],
  })
  const [, , , status, ...inputs] = child.stdio as unknown as [null, null, null, Readable, ...Writable[]]
  inputs.forEach((input, i) => {
    // A jail that could not be made has read none of it.
    input.on('error', () => undefined)
    input.end(given[i])
  })
  let said = ''
  status.on('data', (chunk: Buffer) => (said += chunk.toString()))
  const ignore = (): void => undefined
  process.on('SIGINT', ignore)
  return new Promise((resolve, reject) => {
    child.once('error', reject)
    child.once('close', () => {
      process.removeListener('SIGINT', ignore)
      resolve(readStatus(said).exitCode)
    })
  })
}
