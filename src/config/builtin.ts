/** `runner: { builtin: … }` → the command line that it stands for (docs/runners.md), which any agent's file could spell out. */
import { BUILTINS, type Builtin } from '../core/config.ts'
import { PROGRAM_AT } from '../system/host.ts'
import { choice, integer, line } from './fields.ts'

export const BUILTIN_KEYS = {
  builtin: choice(...BUILTINS),
  model: line,
  max_tokens: integer(1, 1_000_000),
  max_turns: integer(1, 100_000),
}

export type BuiltinSaid = Readonly<{
  builtin: Builtin | undefined
  /** Of Claude Code itself, where it has another name than `claude` or more words. */
  command: readonly string[] | undefined
  model: string | undefined
  max_tokens: number | undefined
  max_turns: number | undefined
}>

/** `said`: the keys of built-in runners that stand there. */
export function faultOfBuiltin(builtin: Builtin | undefined, said: readonly string[]): string | undefined {
  const [first] = said.filter((key) => key !== 'builtin')
  if (builtin === undefined && first !== undefined && !said.includes('builtin'))
    return `${first}: is for a built-in runner alone; a command: has its own options`
  if (builtin === 'claude' && said.includes('max_tokens')) return 'max_tokens: is for builtin: anthropic; Claude Code chooses it itself'
  return undefined
}

/** `contextWindow`: of the agent; it is the runner that begins anew in time. */
export function builtinCommand(builtin: Builtin, said: BuiltinSaid, contextWindow: number | undefined): string[] {
  const options = { model: said.model, 'max-tokens': said.max_tokens, 'max-turns': said.max_turns, 'context-window': contextWindow }
  const words = Object.entries(options).flatMap(([name, value]) => (value === undefined ? [] : [`--${name}`, String(value)]))
  const program = said.command === undefined ? [] : ['--', ...said.command]
  return [`${PROGRAM_AT}/bin/node`, `${PROGRAM_AT}/dist/runners/${builtin}.js`, ...words, ...program]
}
