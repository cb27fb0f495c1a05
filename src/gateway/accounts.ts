/** What becomes of each entry: a line of the ledger, a part of a budget, a figure of the metrics; and who is told when one of these is at its end. */
import type { Name } from '../core/names.ts'
import type { Clock, Disk, Log } from '../system/types.ts'
import { type BudgetState, type Budgets, budgetedTokens, createBudgets } from './budgets.ts'
import type { Gauge } from './contexts.ts'
import { type LedgerReport, openLedger } from './ledger.ts'
import type { AgentStanding, CallerSettings, FromGateway, Settings } from './link.ts'
import { createMetrics, type Metrics } from './metrics.ts'
import { NOTHING, readLedger, type Sum, tokensOf } from './spent.ts'
import type { Entry } from './types.ts'

export type Accounts = Readonly<{
  record: (entry: Entry) => void
  set: (settings: Settings) => void
  /** Once a second: a day may have ended. */
  look: () => void
  budgets: () => readonly Readonly<{ agent: Name; state: BudgetState }>[]
  agents: (gauges: readonly Gauge[]) => AgentStanding[]
  ledger: () => LedgerReport
  metrics: Metrics['text']
  close: () => Promise<void>
}>

export type AccountsGiven = Readonly<{
  clock: Clock
  disk: Disk
  log: Log
  folder: string
  tell: (line: FromGateway) => void
  /** undefined: there is no such provider any more. */
  poolOf: (provider: string, model: string) => string | undefined
}>

type Used = Readonly<{ provider: string; pool: string; atMs: number }>

/** Who goes on in the same pool says so again after this much. Milliseconds. */
const SAME_POOL_MS = 60_000

export function openAccounts({ clock, disk, log, folder, tell, poolOf }: AccountsGiven): Accounts {
  let keepMs = Number.POSITIVE_INFINITY
  let callers: ReadonlyMap<Name, CallerSettings> = new Map()
  let budgets: Readonly<{ of: Budgets; timezone: string }> | undefined
  let toldWhy: string | undefined
  const toldOver = new Map<Name, BudgetState['over']>()
  const used = new Map<Name, Used>()
  const toldUsed = new Map<Name, Used>()
  const metrics = createMetrics()
  const ledger = openLedger({ disk, clock, log, folder, keepMs: () => keepMs })

  /** What was used today before this process began. */
  function load(timezone: string): Budgets {
    const of = createBudgets({ timezone, budgetOf: (agent) => callers.get(agent)?.budget })
    const spoiled = (file: string, at: number): void => log('warn', 'a line of the ledger cannot be read, and does not count', { file, position: at })
    try {
      for (const entry of readLedger(disk, folder, { fromMs: of.sinceMs(clock.now()), spoiled })) of.record(entry)
    } catch (cause) {
      log('error', 'the ledger of today cannot be read: budgets begin anew', { folder, why: String(cause) })
    }
    return of
  }

  function lookAt(agent: Name): void {
    const state = budgets?.of.stateOf(agent, clock.now())
    if (state?.over === toldOver.get(agent)) return
    toldOver.set(agent, state?.over)
    tell({ tell: 'budget', agent, state })
  }

  function noteUse({ agent, status, provider, model }: Entry): void {
    if (status >= 300 || provider === undefined || model === undefined) return
    const pool = poolOf(provider, model)
    if (pool !== undefined) used.set(agent, { provider, pool, atMs: clock.monotonic() })
  }

  /** Not with each request: one that changes its model each time is told of as rarely as others. */
  function tellUse(): void {
    for (const [agent, now] of used) {
      const before = toldUsed.get(agent)
      if (before?.provider === now.provider && before.pool === now.pool && now.atMs - before.atMs < SAME_POOL_MS) continue
      toldUsed.set(agent, now)
      tell({ tell: 'pool', agent, provider: now.provider, pool: now.pool })
    }
  }

  return {
    record: (entry) => {
      noteUse(entry)
      ledger.record(entry)
      metrics.record(entry)
      budgets?.of.record(entry)
      lookAt(entry.agent)
    },
    set: ({ callers: all, timezone, ledgerKeepMs }) => {
      callers = new Map(all.map((one) => [one.agent, one]))
      keepMs = ledgerKeepMs
      if (budgets?.timezone !== timezone) budgets = { of: load(timezone), timezone }
      for (const { agent } of all) lookAt(agent)
    },
    look: () => {
      for (const agent of callers.keys()) lookAt(agent)
      tellUse()
      const { why } = ledger.report()
      if (why !== toldWhy) tell({ tell: 'ledger', why })
      toldWhy = why
    },
    budgets: () =>
      [...callers.keys()].flatMap((agent) => {
        const state = budgets?.of.stateOf(agent, clock.now())
        return state ? [{ agent, state }] : []
      }),
    agents: (gauges) => {
      const today = budgets?.of.usedToday(clock.now()) ?? new Map<Name, Sum>()
      const all = [...today.values()].reduce((sum: number, one) => sum + budgetedTokens(one), 0)
      return [...callers.keys()].map((agent) => {
        const sum = today.get(agent) ?? NOTHING
        return {
          agent,
          requests: sum.requests,
          tokens: tokensOf(sum),
          usd: sum.usd,
          share: all === 0 ? 0 : budgetedTokens(sum) / all,
          gauge: gauges.find((one) => one.agent === agent),
          budget: budgets?.of.stateOf(agent, clock.now()),
        }
      })
    },
    ledger: ledger.report,
    metrics: metrics.text,
    close: ledger.close,
  }
}
