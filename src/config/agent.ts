/** agents/<name>.md: one file per agent, front matter = its definition, body = its role. */
import { type Budget, type Mount, NETWORKS, type Network, type Runner } from '../core/config.ts'
import { BUILTIN_KEYS, type BuiltinSaid, builtinCommand, faultOfBuiltin } from './builtin.ts'
import { account, choice, duration, fields, flag, integer, line, list, number, type Placed, path, placed, type Reader } from './fields.ts'
import type { Located, Report } from './yaml.ts'

/** Keys of pages 8 and 9: accepted, acted on by what those pages bring. */
const LATER = ['speaks_for', 'bridge']
/** Clients give up after 300 s of silence (contract, page 6: at most 240 s). */
const LONGEST_HOLD_MS = 240_000
/** A timer's longest is 2^31 ms (24.8 days); runs end well before. */
const LONGEST_RUN_MS = 20 * 86_400_000

/** What one file says; names are not yet looked up. */
export type AgentFile = Readonly<{
  name: Placed<string> | undefined
  title: string | undefined
  manager: Placed<string> | undefined
  mayWriteTo: readonly Placed<string>[] | undefined
  reads: readonly Placed<string>[]
  runner: Runner | undefined
  /** The program of runners/ that the runner needs. */
  program: Placed<string> | undefined
  user: Placed<string> | undefined
  jailed: boolean
  network: Network
  mounts: readonly Placed<Mount>[]
  protected: boolean
  contextWindow: number | undefined
  holdMs: number | undefined
  budget: Budget | undefined
}>

export function readAgent(node: Located, report: Report): AgentFile {
  const read = fields(
    node,
    report,
    {
      name: placed(line),
      title: line,
      manager: placed(line),
      may_write_to: list(placed(line)),
      reads: list(placed(line)),
      runner,
      user: placed(account),
      jail: choice('bubblewrap', 'none'),
      network: choice(...NETWORKS),
      mounts: list(placed(mount)),
      protected: flag,
      context_window: integer(1_000, 100_000_000),
      hold: duration(1_000, LONGEST_HOLD_MS),
      budget,
    },
    { later: LATER, own: true },
  )
  if (read.user && (read.user.value === 'root' || read.user.value === '0')) report(read.user.spot, 'user: an agent cannot be root')
  return {
    name: read.name,
    title: read.title,
    manager: read.manager,
    mayWriteTo: read.may_write_to,
    reads: read.reads ?? [],
    runner: read.runner && runnerOf(read.runner, read.context_window),
    program: read.runner?.program,
    user: read.user,
    jailed: read.jail !== 'none',
    network: read.network ?? (read.jail === 'none' ? 'full' : 'gateway'),
    mounts: read.mounts ?? [],
    protected: read.protected ?? false,
    contextWindow: read.context_window,
    holdMs: read.hold,
    budget: read.budget,
  }
}

type RunnerSaid = BuiltinSaid & Readonly<{ rest: Omit<Runner, 'command' | 'builtin'>; program: Placed<string> | undefined }>

const runner: Reader<RunnerSaid> = (node, report) => {
  const read = fields(node, report, {
    command: list(placed(line), 1),
    notes: flag,
    concurrency: integer(1, 100),
    timeout: duration(1_000, LONGEST_RUN_MS),
    max_attempts: integer(1, 100),
    ...BUILTIN_KEYS,
  })
  const { command, builtin } = read
  const said = (key: string): boolean => node.kind === 'map' && node.entries.some((entry) => entry.key === key)
  const fault = faultOfBuiltin(builtin, Object.keys(BUILTIN_KEYS).filter(said))
  if (fault !== undefined) report(node.spot, fault)
  if (command === undefined && builtin === undefined) {
    if (node.kind === 'map' && !said('command') && !said('builtin'))
      report(node.spot, 'command: is missing, and needed, or builtin: claude, or anthropic; leave runner: out where nobody is to be started')
    return undefined
  }
  const program = command?.[0]
  if (program && !isProgram(program.value)) {
    report(
      program.spot,
      `command: ${JSON.stringify(program.value.slice(0, 64))} is no program: write ./name for one in policies/runners/, an absolute path, or a bare name`,
    )
    return undefined
  }
  return {
    builtin,
    command: command?.map((word) => word.value),
    model: read.model,
    max_tokens: read.max_tokens,
    max_turns: read.max_turns,
    rest: {
      notes: read.notes ?? false,
      concurrency: read.concurrency ?? 1,
      timeoutMs: read.timeout ?? 30 * 60_000,
      maxAttempts: read.max_attempts ?? 3,
    },
    program: program?.value.startsWith('./') ? { value: program.value.slice(2), spot: program.spot } : undefined,
  }
}

function runnerOf(said: RunnerSaid, contextWindow: number | undefined): Runner {
  const command = said.builtin === undefined ? (said.command ?? []) : builtinCommand(said.builtin, said, contextWindow)
  return { command, builtin: said.builtin, ...said.rest }
}

function isProgram(word: string): boolean {
  if (word.split('/').includes('..')) return false
  return word.startsWith('./') ? word.length > 2 : word.startsWith('/') || !word.includes('/')
}

const mount: Reader<Mount> = (node, report) => {
  const read = fields(node, report, { from: path, at: path, mode: choice('ro', 'rw') }, { needed: ['from', 'at'] })
  return read.from === undefined || read.at === undefined ? undefined : { from: read.from, at: read.at, mode: read.mode ?? 'ro' }
}

const budget: Reader<Budget> = (node, report) => {
  const read = fields(node, report, { usd_per_day: number(0.01, 1e9), tokens_per_day: integer(1, 1e15) })
  if (read.usd_per_day === undefined && read.tokens_per_day === undefined) {
    report(node.spot, 'usd_per_day: or tokens_per_day: is needed')
    return undefined
  }
  return { usdPerDay: read.usd_per_day, tokensPerDay: read.tokens_per_day }
}
