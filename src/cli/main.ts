/** A command line → an exit status. Everything that can be said before the command is known is said here. */

import { parseArgs } from 'node:util'
import { nearest } from '../core/names.ts'
import { shellWord } from '../core/text.ts'
import { packageVersion } from '../system/package.ts'
import { type Call, type Command, findCommand, JSON_OPTION, type Option, parserOptions, type Surroundings } from './command.ts'
import { codeOf, EXIT, Refusal, refuse } from './exit.ts'
// At once: when it is needed, perhaps no file can be opened any more.
import { refusalOf } from './faults.ts'
import { printRefusal } from './print.ts'
import { COMMANDS } from './table.ts'

type Global = Readonly<{ root: string | undefined; help: boolean; version: boolean; rest: readonly string[] }>

export async function main(argv: readonly string[], surroundings: Surroundings): Promise<number> {
  try {
    return await dispatch(argv, surroundings)
  } catch (cause) {
    const refusal = refusalOf(cause)
    if (refusal) {
      printRefusal(surroundings, refusal)
      return refusal.exit
    }
    surroundings.err(
      `penny: this is a mistake in penny itself, please report it with these lines and the command:\n${cause instanceof Error ? cause.stack : String(cause)}\n`,
    )
    return EXIT.bug
  }
}

async function dispatch(argv: readonly string[], surroundings: Surroundings): Promise<number> {
  const { root, help, version, rest } = takeGlobal(argv)
  const [before, name, after] = splitAtCommand(rest)
  if (version && name === undefined) {
    const words = rest.includes('--json') ? JSON.stringify({ schema: 'penny/version/1', version: packageVersion() }) : `pennypost ${packageVersion()}`
    surroundings.out(`${words}\n`)
    return EXIT.ok
  }
  if (name === undefined || help) {
    if (name === undefined)
      for (const word of before.filter((one) => one !== '--json'))
        refuse(EXIT.usage, `penny: there is no option ${word}`, 'options follow the command they belong to', 'penny help')
    const { command } = await import('./help.ts')
    return command.run({
      name: 'help',
      surroundings,
      commands: COMMANDS,
      rootOption: root,
      json: rest.includes('--json'),
      words: name === undefined ? [] : [name === 'help' ? (after[0] ?? name) : name],
      options: {},
      values: {},
    })
  }
  const { command } = await findCommand(COMMANDS, name)()
  return command.run(readCall(name, command, [...before, ...after], surroundings, root))
}

/** `--root` may stand anywhere on the line; so may `--help`. What follows `--` is left alone. */
function takeGlobal(argv: readonly string[]): Global {
  const rest: string[] = []
  let root: string | undefined
  let help = false
  let version = false
  for (let at = 0; at < argv.length; at++) {
    const word = argv[at] ?? ''
    if (word === '--') {
      rest.push(...argv.slice(at))
      break
    }
    if (word === '--root') root = argv[++at] ?? refuse(EXIT.usage, 'penny: --root needs a folder', 'nothing follows it', 'penny --root DIR COMMAND')
    else if (word.startsWith('--root=')) root = word.slice('--root='.length)
    else if (word === '--help' || word === '-h') help = true
    else if (word === '--version' || word === '-V') version = true
    else rest.push(word)
  }
  return { root, help, version, rest }
}

function splitAtCommand(words: readonly string[]): [before: string[], name: string | undefined, after: string[]] {
  const at = words.findIndex((word) => !word.startsWith('-'))
  return at < 0 ? [[...words], undefined, []] : [words.slice(0, at), words[at], words.slice(at + 1)]
}

function readCall(name: string, command: Command, args: string[], surroundings: Surroundings, rootOption: string | undefined): Call {
  const options: Readonly<Record<string, Option>> = { json: JSON_OPTION, ...command.options }
  try {
    const { values, positionals } = parseArgs({ args, options: parserOptions(options), allowPositionals: true, strict: true })
    return { name, surroundings, commands: COMMANDS, rootOption, json: values['json'] === true, words: positionals, options, values }
  } catch (cause) {
    if (!(cause instanceof Error) || !codeOf(cause)?.startsWith('ERR_PARSE_ARGS')) throw cause
    const unknown = /Unknown option '(--?)([^']*)'/.exec(cause.message)
    const near = unknown && nearest(unknown[2] ?? '', Object.keys(options))
    const what = unknown ? `there is no option ${unknown[1]}${unknown[2]}` : (cause.message.split('.')[0] ?? '')
    throw new Refusal(
      EXIT.usage,
      `penny ${name}: ${what}`,
      near ? `did you mean --${near}?` : `it is used as: penny ${command.usage[0] ?? name}`,
      `penny help ${shellWord(name)}`,
    )
  }
}
