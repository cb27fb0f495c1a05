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

import { type Compaction, compactionIn, type Usage } from '../model/index.ts'
import type { PoolReport } from '../share/index.ts'
import type { IncomingMessage, ServerResponse } from '../system/http.ts'
import { createContexts, type Gauge } from './contexts.ts'
import { refuse } from './errors.ts'
import { exchange } from './exchange.ts'
import { createMemory, type Read } from './memory.ts'
import { createProviders } from './providers.ts'
import { readBody } from './read.ts'
import type { Route } from './route.ts'
import type { Caller, GatewayGiven } from './types.ts'

export { type BudgetState, type Budgets, type BudgetsGiven, createBudgets } from './budgets.ts'
export { type ContextChange, type Contexts, type ContextsGiven, createContexts, fullness, type Gauge, type Heard, type Mark } from './contexts.ts'
export { type Day, daysOf } from './days.ts'
export { type Ledger, type LedgerGiven, type LedgerReport, openLedger } from './ledger.ts'
export { createMetrics, METRICS_TYPE, type Metrics, type Standing } from './metrics.ts'
export { type Route, routeOf } from './route.ts'
export { createSeals, type SealedRequest, type SealReason, type Seals, type SealsGiven } from './seal.ts'
export { GROUPINGS, type Grouping, NO_MESSAGE, readLedger, type Span, type Sum, type SumsGiven, sumsOf, tokensOf } from './spent.ts'
export type { Caller, Entry, GatewayGiven } from './types.ts'

export type Gateway = Readonly<{
  /** Resolves when it is answered, or its client has gone. Never rejects because of either side. */
  handle: (caller: Caller, route: Route, req: IncomingMessage, res: ServerResponse) => Promise<void>
  report: () => readonly Readonly<{ provider: string; pool: string; report: PoolReport }>[]
  /** Of each agent that was heard of lately. */
  gauges: () => Gauge[]
}>

/** "Errors" of the API's documentation: 32 MB. */
const MOST_BYTES = 32 * 1024 ** 2

export function createGateway(given: GatewayGiven): Gateway {
  const { clock } = given
  const providers = createProviders(given)
  const memory = createMemory(clock.monotonic)
  const contexts = createContexts({ nowMs: clock.monotonic, contextWindowOf: given.contextWindowOf })

  async function handle(caller: Caller, route: Route, req: IncomingMessage, res: ServerResponse): Promise<void> {
    if (route.kind === 'hello') return void res.writeHead(200).end()
    const startedMs = clock.monotonic()
    const body = await readBody(req, MOST_BYTES)
    if (body === 'gone') return
    if (body === 'too-large') return refuse(res, 413, 'Request exceeds the maximum size')
    const asked = memory.read(caller.agent, route.kind, body, req.headers)
    const compaction = asked.facts && compactionIn(body, asked.facts)
    const why = compaction ?? (isLastOf(caller, asked) ? 'nearly-full' : undefined)
    if (why) await given.seals.seal(caller, asked.session, why, body)
    const { usage, usd, ...became } = await exchange(
      { ...given, providers },
      { caller, method: req.method ?? '', path: route.path, rawHeaders: req.rawHeaders, body, res, ...asked },
    )
    if (usage) {
      memory.learn(caller.agent, asked, usage)
      meter(caller, asked, compaction, usage)
    }
    if (route.kind === 'models') return
    given.record({
      at: new Date(clock.now()).toISOString(),
      agent: caller.agent,
      message: caller.message,
      session: asked.session,
      model: asked.facts?.model?.slice(0, 200),
      ...became,
      inputTokens: usage?.inputTokens ?? 0,
      cacheWriteTokens: usage?.cacheWriteTokens ?? 0,
      cacheReadTokens: usage?.cacheReadTokens ?? 0,
      outputTokens: usage?.outputTokens ?? 0,
      usd,
      ms: Math.round(clock.monotonic() - startedMs),
    })
  }

  function isLastOf({ agent, message }: Caller, { session, facts, estimate }: Read): boolean {
    return facts?.model !== undefined && contexts.isLast({ agent, message, session, model: facts.model, promptTokens: estimate.promptTokens })
  }

  function meter({ agent, message }: Caller, { session, facts }: Read, compaction: Compaction | undefined, usage: Usage): void {
    if (facts?.model === undefined) return
    const change = contexts.heard({ agent, message, session, model: facts.model, usage, compaction })
    if (change) given.contextTold(change)
  }

  return {
    handle,
    gauges: contexts.report,
    report: () => providers.all().map(({ provider, pool, line }) => ({ provider, pool, report: line.report() })),
  }
}
