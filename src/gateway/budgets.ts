/**
 * What each agent has used of its budget today, in the organisation's time zone. Whoever is over it gets no new run until the day ends;
 * what runs goes on. Pure: moments come in with the entries and the questions; at a start it is told the ledger's entries of today.
 */
import type { Budget } from '../core/config.ts'
import type { Name } from '../core/names.ts'
import { type Day, daysOf } from './days.ts'
import { NOTHING, plus, type Sum } from './spent.ts'
import type { Entry } from './types.ts'

export type BudgetsGiven = Readonly<{ timezone: string; budgetOf: (agent: Name) => Budget | undefined }>

export type Budgets = Readonly<{
  record: (entry: Entry) => void
  /** undefined: it has no budget. */
  stateOf: (agent: Name, nowMs: number) => BudgetState | undefined
  /** What each agent has used today, with a budget or without. */
  usedToday: (nowMs: number) => ReadonlyMap<Name, Sum>
  /** From when on entries count, for whoever reads the ledger at a start. */
  sinceMs: (nowMs: number) => number
}>

export type BudgetState = Readonly<{
  budget: Budget
  usedUsd: number
  usedTokens: number
  /** Requests whose price nobody knows: they are not in `usedUsd`, and a budget of USD does not hold them. */
  unpriced: number
  /** Why new runs are held; undefined: they are not. */
  over: 'usd' | 'tokens' | undefined
  /** When the day ends, and with it what is held. */
  endsMs: number
}>

/** More than today, for a clock may be set back. */
const MOST_DAYS = 3

export function createBudgets({ timezone, budgetOf }: BudgetsGiven): Budgets {
  const dayAt = daysOf(timezone)
  const days = new Map<Day['date'], Map<Name, Sum>>()

  function of(date: Day['date']): Map<Name, Sum> {
    const known = days.get(date)
    if (known) return known
    const fresh = new Map<Name, Sum>()
    days.set(date, fresh)
    const [oldest] = [...days.keys()].sort()
    if (days.size > MOST_DAYS && oldest !== undefined) days.delete(oldest)
    return fresh
  }

  return {
    record: (entry) => {
      const sums = of(dayAt(Date.parse(entry.at)).date)
      sums.set(entry.agent, plus(sums.get(entry.agent) ?? NOTHING, entry))
    },
    stateOf: (agent, nowMs) => {
      const budget = budgetOf(agent)
      if (!budget) return undefined
      const { date, toMs } = dayAt(nowMs)
      const sum = days.get(date)?.get(agent) ?? NOTHING
      const usedTokens = budgetedTokens(sum)
      const { usd: usedUsd, unpriced } = sum
      const over = isOver(usedUsd, budget.usdPerDay) ? 'usd' : isOver(usedTokens, budget.tokensPerDay) ? 'tokens' : undefined
      return { budget, usedUsd, usedTokens, unpriced, over, endsMs: toMs }
    },
    usedToday: (nowMs) => days.get(dayAt(nowMs).date) ?? new Map(),
    sinceMs: (nowMs) => dayAt(nowMs).fromMs,
  }
}

/**
 * Not those read from the cache, as the provider's own limit of tokens: each turn reads the whole context again, so that they would
 * tell how many turns there were rather than how much was said. They are in the budget of USD at their price.
 */
export function budgetedTokens({ inputTokens, cacheWriteTokens, outputTokens }: Sum): number {
  return inputTokens + cacheWriteTokens + outputTokens
}

function isOver(used: number, most: number | undefined): boolean {
  return most !== undefined && used >= most
}
