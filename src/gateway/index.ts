/**
 * The model gateway: what agents ask of a model is passed on, byte for byte, when there is room for it.
 *
 * Given: who calls (the way in says so), the request; providers, their keys, a way to reach them.
 * Returns: the provider's answer to whoever asked; an `Entry` for the ledger; a report of lines and agents. Beside it stand what is made of
 * entries: the ledger itself (`openLedger`, `readLedger`, `sumsOf`), budgets, metrics.
 * When it fails: the caller gets an error in the API's own form. A provider that has no room (429, 529), or does not answer, is waited
 * for, or another stands in; what only a person can mend (a key, money) is passed on and told. What the disk refuses of the ledger waits,
 * bounded, and is in its report.
 */

export { type BudgetState, type Budgets, type BudgetsGiven, createBudgets } from './budgets.ts'
export { type ContextChange, type Contexts, type ContextsGiven, createContexts, fullness, type Gauge, type Heard, type Mark } from './contexts.ts'
export { type Day, daysOf } from './days.ts'
export { createGateway, type Gateway } from './gateway.ts'
export { type Ledger, type LedgerGiven, type LedgerReport, openLedger } from './ledger.ts'
export type * from './link.ts'
export { createMetrics, METRICS_TYPE, type Metrics, type Standing } from './metrics.ts'
export { createGatewayProcess, type GatewayProcess, type ProcessGiven } from './process.ts'
export { type Route, routeOf } from './route.ts'
export { GROUPINGS, type Grouping, NO_MESSAGE, readLedger, type Span, type Sum, type SumsGiven, sumsOf, tokensOf } from './spent.ts'
export type { Caller, Entry, GatewayGiven } from './types.ts'
