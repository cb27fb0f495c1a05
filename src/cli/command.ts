/** What a command is, and what it is given. */
import type { Readable } from 'node:stream'
import { nearest } from '../core/names.ts'
import { EXIT, refuse } from './exit.ts'

/** The world a command is called in, as values, so that tests call commands without a process. */
export type Surroundings = Readonly<{
  env: Readonly<Record<string, string | undefined>>
  cwd: string
  /** The command line as it was typed, its first word the program's path: to be pasted again. */
  typed: readonly string[]
  uid: number
  stdin: Readable
  stdinIsTerminal: boolean
  stdoutIsTerminal: boolean
  /** Data. */
  out: (text: string | Uint8Array) => void
  /** Talk. */
  err: (text: string) => void
}>

export type Option = Readonly<{
  type: 'string' | 'boolean'
  short?: string
  multiple?: boolean /** The word for its value: `--agent A`. */
  value?: string
  about: string
}>

/** Every command has it. */
export const JSON_OPTION: Option = { type: 'boolean', about: 'one JSON object a line' }

/** Options as parseArgs takes them: it knows no keys of ours. */
export function parserOptions(options: Command['options']): Record<string, Pick<Option, 'type' | 'short' | 'multiple'>> {
  return Object.fromEntries(
    Object.entries(options).map(([key, { type, short, multiple }]) => [key, { type, ...(short ? { short } : {}), ...(multiple ? { multiple } : {}) }]),
  )
}

export type Command = Readonly<{
  summary: string
  /** Lines without the leading `penny`. */
  usage: readonly string[]
  /** A line to paste (without the leading `penny`, unless it stands elsewhere in the line), and what it does. */
  examples: readonly (readonly [line: string, does: string])[]
  options: Readonly<Record<string, Option>>
  run: (call: Call) => Promise<number>
}>

/** Every command, in the order help lists them; each is loaded only when called. */
export type Commands = Readonly<Record<string, () => Promise<{ command: Command }>>>

export type Call = Readonly<{
  name: string
  surroundings: Surroundings
  commands: Commands
  /** `--root`, where it was given. */
  rootOption: string | undefined
  json: boolean
  words: readonly string[]
  /** All that it may be given, also what it was not. */
  options: Command['options']
  values: Readonly<Record<string, string | boolean | readonly (string | boolean)[] | undefined>>
}>

export function textOption(call: Call, name: string): string | undefined {
  const value = call.values[name]
  return typeof value === 'string' ? value : undefined
}

export function listOption(call: Call, name: string): string[] {
  const value = call.values[name]
  return Array.isArray(value) ? value.filter((one): one is string => typeof one === 'string') : []
}

export function flag(call: Call, name: string): boolean {
  return call.values[name] === true
}

/** Refuses with exit 64 where the number of words is not from `least` to `most`. */
export function expectWords(call: Call, least: number, most: number, wanted: string): void {
  const count = call.words.length
  if (count >= least && count <= most) return
  const why = count < least ? `${wanted} is missing` : `there is a word too many: ${JSON.stringify(call.words[most])}`
  refuse(EXIT.usage, `penny ${call.name}: ${why}`, `it is used as: penny ${call.name} ${wanted}`.trim(), `penny help ${call.name}`)
}

/** Refuses (64) a name that is none, with the nearest that is. */
export function findCommand(commands: Commands, name: string): Commands[string] {
  const names = Object.keys(commands)
  const load = Object.hasOwn(commands, name) ? commands[name] : undefined
  if (load) return load
  const near = nearest(name, names)
  return refuse(
    EXIT.usage,
    `penny: there is no command ${JSON.stringify(name)}`,
    near === undefined ? `the commands are ${names.join(' ')}` : `did you mean ${near}?`,
    near === undefined || near === 'help' ? 'penny help' : `penny help ${near}`,
  )
}
