/** What the model of `builtin: anthropic` can do. Names and inputs are those that models know from Claude Code; the jail is the wall. */
import { readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type Anthropic from '@anthropic-ai/sdk'
import { packageFolder } from '../system/package.ts'
import { type Outcome, runCommand } from './shell.ts'

const TIMEOUT_MS = 120_000
const LONGEST_MS = 600_000
const MOST_BYTES = 64 * 1024 ** 2

type Given = Readonly<{ mostCharacters: number; progress: (line: string) => boolean }>
type Input = Readonly<Record<string, unknown>>

const text = (description: string): object => ({ type: 'string', description })
const tool = (name: string, description: string, properties: Readonly<Record<string, object>>, required: readonly string[]): Anthropic.Tool => ({
  name,
  description,
  input_schema: { type: 'object', properties, required: [...required] },
})

export const TOOLS: readonly Anthropic.Tool[] = [
  tool(
    'Bash',
    'Runs a command with bash in your home folder and returns what it prints. Each call is a shell of its own; long output is cut in its middle.',
    { command: text('The command'), timeout: { type: 'number', description: `Milliseconds, ${TIMEOUT_MS} by default, ${LONGEST_MS} at most` } },
    ['command'],
  ),
  tool(
    'Read',
    'Reads a text file.',
    {
      file_path: text('Its path'),
      offset: { type: 'number', description: 'The first line, from 1' },
      limit: { type: 'number', description: 'How many lines' },
    },
    ['file_path'],
  ),
  tool('Write', 'Writes a file, in place of one that is there.', { file_path: text('Its path'), content: text('The whole text') }, ['file_path', 'content']),
  tool(
    'Edit',
    'Replaces a text that occurs exactly once in a file.',
    { file_path: text('Its path'), old_string: text('What is there'), new_string: text('What shall be there') },
    ['file_path', 'old_string', 'new_string'],
  ),
  tool(
    'Penny',
    'Runs a command of your mailbox: ["send","legal","-s","A question"] or ["reply","ID"] with the text as input, ["tasks"], ["show","ID"], ["settle","ID","blocked","--on","ID2"], ["help"].',
    { args: { type: 'array', items: { type: 'string' }, description: 'The words after penny' }, input: text('Standard input: the body of a message') },
    ['args'],
  ),
  tool('Progress', 'Notes in the message how far you are: its sender sees it, and it survives when your context is lost.', { line: text('One short line') }, [
    'line',
  ]),
]

export async function useTool(given: Given, home: string, name: string, raw: unknown): Promise<Outcome> {
  const input = (typeof raw === 'object' && raw !== null ? raw : {}) as Input
  try {
    return await use(given, home, name, input)
  } catch (cause) {
    return { text: cause instanceof Error ? cause.message : String(cause), isError: true }
  }
}

async function use(given: Given, home: string, name: string, input: Input): Promise<Outcome> {
  const { mostCharacters } = given
  switch (name) {
    case 'Bash': {
      const timeoutMs = Math.min(LONGEST_MS, Math.max(1_000, Number(input['timeout'] ?? TIMEOUT_MS) || TIMEOUT_MS))
      return runCommand({ argv: ['bash', '-c', wordOf(input, 'command')], timeoutMs, mostCharacters })
    }
    case 'Read':
      return { text: linesOf(readText(home, input), input, mostCharacters), isError: false }
    case 'Write':
      writeFileSync(pathOf(home, input), wordOf(input, 'content'))
      return { text: 'written', isError: false }
    case 'Edit':
      writeFileSync(pathOf(home, input), edited(readText(home, input), wordOf(input, 'old_string'), wordOf(input, 'new_string')))
      return { text: 'replaced', isError: false }
    case 'Penny': {
      const args = input['args']
      if (!Array.isArray(args) || !args.every((word) => typeof word === 'string')) throw new Error('args: a list of words is needed')
      const argv = [process.execPath, join(packageFolder(), 'dist/cli/penny.js'), ...args]
      return runCommand({ argv, input: typeof input['input'] === 'string' ? input['input'] : '', timeoutMs: TIMEOUT_MS, mostCharacters })
    }
    case 'Progress':
      return given.progress(wordOf(input, 'line')) ? { text: 'noted', isError: false } : { text: 'the message is not where it was', isError: true }
    default:
      throw new Error(`there is no tool ${name}`)
  }
}

function wordOf(input: Input, key: string): string {
  const value = input[key]
  if (typeof value !== 'string') throw new Error(`${key}: a text is needed`)
  return value
}

function pathOf(home: string, input: Input): string {
  const path = wordOf(input, 'file_path')
  return path.startsWith('/') ? path : join(home, path)
}

function readText(home: string, input: Input): string {
  const path = pathOf(home, input)
  const stat = statSync(path)
  if (!stat.isFile()) throw new Error(`${path} is no file`)
  if (stat.size > MOST_BYTES) throw new Error(`${path} has ${stat.size} bytes: look at parts of it with Bash`)
  return readFileSync(path, 'utf8')
}

function linesOf(all: string, input: Input, most: number): string {
  const from = Math.max(1, Number(input['offset'] ?? 1) || 1)
  const count = Number(input['limit'] ?? Number.POSITIVE_INFINITY) || Number.POSITIVE_INFINITY
  const asked = all
    .split('\n')
    .slice(from - 1, from - 1 + count)
    .join('\n')
  return asked.length <= most ? asked : `${asked.slice(0, most)}\n… ${asked.length - most} characters are left out here: ask for lines by offset and limit …`
}

function edited(all: string, old: string, fresh: string): string {
  const times = old === '' ? 0 : all.split(old).length - 1
  if (times !== 1) throw new Error(`old_string occurs ${times} times, and must occur once`)
  return all.replace(old, () => fresh)
}
