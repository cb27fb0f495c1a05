/**
 * What Prometheus asks for (text format 0.0.4): counters from the entries since the start, and how things are at the moment of asking.
 * No label is a word that an agent chose, but the pool of a model that no provider's file names: those are bounded where lines are made.
 */
import type { PoolReport } from '../share/index.ts'
import type { BudgetState } from './budgets.ts'
import { fullness, type Gauge } from './contexts.ts'
import type { LedgerReport } from './ledger.ts'
import type { Entry } from './types.ts'

export const METRICS_TYPE = 'text/plain; version=0.0.4; charset=utf-8'

/** How things are. */
export type Standing = Readonly<{
  pools: readonly Readonly<{ provider: string; pool: string; report: PoolReport }>[]
  keys: readonly Readonly<{ provider: string; isThere: boolean }>[]
  gauges: readonly Gauge[]
  budgets: readonly Readonly<{ agent: string; state: BudgetState }>[]
  ledger: LedgerReport
}>

export type Metrics = Readonly<{ record: (entry: Entry) => void; text: (standing: Standing) => string }>

type Labels = Readonly<Record<string, string>>
type Sample = readonly [labels: Labels, value: number | undefined, ending?: '_bucket' | '_sum' | '_count']
type Family = Readonly<{ name: string; type: 'counter' | 'gauge' | 'histogram'; help: string; samples: readonly Sample[] }>

/** Seconds: from "there was room" to what the longest hold allows. */
const QUEUE_BUCKETS = [0.005, 0.05, 0.25, 1, 2.5, 5, 10, 20, 30, 60, 100, 240]
/** As many as priorities.yaml may have. */
const RANKS = [1, 2, 3, 4, 5, 6, 7, 8, 9]

type Queue = { buckets: number[]; sum: number; count: number }

export function createMetrics(): Metrics {
  const [requests, tokens, usd, unpriced, tries, queue] = [createTally(), createTally(), createTally(), createTally(), createTally(), new Map<string, Queue>()]

  function queued(provider: string, seconds: number): void {
    const one = queue.get(provider) ?? { buckets: QUEUE_BUCKETS.map(() => 0), sum: 0, count: 0 }
    queue.set(provider, one)
    for (const [n, most] of QUEUE_BUCKETS.entries()) if (seconds <= most) one.buckets[n] = (one.buckets[n] ?? 0) + 1
    one.sum += seconds
    one.count++
  }

  return {
    record: (entry) => {
      const { agent, provider = 'none' } = entry
      requests.add({ agent, provider, status: String(entry.status) }, 1)
      const took = { input: entry.inputTokens, cache_write: entry.cacheWriteTokens, cache_read: entry.cacheReadTokens, output: entry.outputTokens }
      for (const [kind, count] of Object.entries(took)) tokens.add({ agent, kind }, count)
      usd.add({ agent }, entry.usd ?? 0)
      unpriced.add({ agent }, entry.usd === undefined && Object.values(took).some((count) => count > 0) ? 1 : 0)
      tries.add({ provider }, entry.tries)
      queued(provider, entry.queueMs / 1_000)
    },
    text: (standing) =>
      written([
        counter('penny_gateway_requests_total', 'Requests that ended, by the status that the agent saw; 499: it went away before.', requests.samples()),
        counter('penny_gateway_tokens_total', 'Tokens as the provider counted them.', tokens.samples()),
        counter('penny_gateway_cost_usd_total', 'Cost in USD by list prices, where the price is known.', usd.samples()),
        counter('penny_gateway_unpriced_requests_total', 'Requests that took tokens of a model whose price is not known.', unpriced.samples()),
        counter('penny_gateway_tries_total', 'Requests sent to a provider, those sent again counted each time.', tries.samples()),
        {
          name: 'penny_gateway_queue_seconds',
          type: 'histogram',
          help: 'Time that a request stood in line, all its tries together.',
          samples: histogram(queue),
        },
        ...ofPools(standing.pools),
        gauge('penny_gateway_provider_key_present', '1: the key is there and was not refused.', standing.keys.map(({ provider, isThere }) => [{ provider }, isThere ? 1 : 0])), // biome-ignore format: one row
        gauge('penny_gateway_context_ratio', 'How full the context of the fullest session of an agent is.', standing.gauges.map((one) => [{ agent: one.agent }, fullness(one)])), // biome-ignore format: one row
        gauge('penny_gateway_budget_ratio', 'What an agent has used of its budget of today.', standing.budgets.flatMap(({ agent, state }) => ofBudget(agent, state))), // biome-ignore format: one row
        gauge('penny_gateway_budget_held', '1: new runs of the agent are held until its day ends.', standing.budgets.map(({ agent, state }) => [{ agent }, state.over ? 1 : 0])), // biome-ignore format: one row
        gauge('penny_gateway_ledger_waiting_lines', 'Lines of the ledger that the disk refuses.', [[{}, standing.ledger.waiting]]),
        counter('penny_gateway_ledger_lost_lines_total', 'Lines that are not in the ledger.', [[{}, standing.ledger.lost]]),
      ]),
  }
}

function ofBudget(agent: string, { budget, usedUsd, usedTokens }: BudgetState): Sample[] {
  return [
    [{ agent, kind: 'usd' }, budget.usdPerDay && usedUsd / budget.usdPerDay],
    [{ agent, kind: 'tokens' }, budget.tokensPerDay && usedTokens / budget.tokensPerDay],
  ]
}

function ofPools(pools: Standing['pools']): Family[] {
  // After a change of its limits a pool has two lines, until the older one is empty: the newer one's figures, and everybody who waits.
  const byName = new Map<string, { labels: Labels; newest: PoolReport; all: PoolReport[] }>()
  for (const { provider, pool, report } of pools) {
    const key = JSON.stringify([provider, pool])
    byName.set(key, { labels: { provider, pool }, newest: report, all: [...(byName.get(key)?.all ?? []), report] })
  }
  const each = (samples: (newest: PoolReport, all: readonly PoolReport[]) => readonly (readonly [Labels, number | undefined])[]): Sample[] =>
    [...byName.values()].flatMap(({ labels, newest, all }) => samples(newest, all).map(([more, value]): Sample => [{ ...labels, ...more }, value]))
  const meters = ({ meters }: PoolReport, of: 'level' | 'limit'): [Labels, number | undefined][] =>
    Object.entries(meters).map(([meter, { level, set, learned }]) => [{ meter }, of === 'level' ? level : least(set, learned)])
  const waiting = (all: readonly PoolReport[], rank: number): number =>
    all.flatMap(({ queue }) => queue).reduce((sum, one) => sum + (one.rank === rank ? one.waiting : 0), 0)
  return [
    gauge(
      'penny_gateway_pool_limit',
      'Limit a minute: the least of what is set and what was learned.',
      each((pool) => meters(pool, 'limit')),
    ),
    gauge(
      'penny_gateway_pool_level',
      'What is left of the limit now.',
      each((pool) => meters(pool, 'level')),
    ),
    gauge('penny_gateway_pool_waiting', 'Requests in line, by rank; 1 is urgent.', each((_, all) => RANKS.map((rank) => [{ rank: String(rank) }, waiting(all, rank)]))), // biome-ignore format: one row
    gauge('penny_gateway_pool_oldest_seconds', 'How long the first of them has waited.', each((_, all) => [[{}, Math.max(...all.map(({ oldestMs }) => oldestMs)) / 1_000]])), // biome-ignore format: one row
    gauge('penny_gateway_pool_in_flight', 'Requests sent and not answered.', each((_, all) => [[{}, all.reduce((sum, { inFlight }) => sum + inFlight, 0)]])), // biome-ignore format: one row
    gauge(
      'penny_gateway_pool_window',
      'How many may be in flight at a time.',
      each(({ window }) => [[{}, window.size]]),
    ),
    gauge('penny_gateway_pool_frozen_seconds', 'How long the provider still wants to be left alone (429).', each(({ frozenMs }) => [[{}, frozenMs / 1_000]])), // biome-ignore format: one row
    gauge('penny_gateway_pool_breaker_open', '1: the provider is overloaded (529) or does not answer.', each(({ breaker }) => [[{}, breaker.state === 'closed' ? 0 : 1]])), // biome-ignore format: one row
  ]
}

function least(one: number | undefined, other: number | undefined): number | undefined {
  return one === undefined || other === undefined ? (one ?? other) : Math.min(one, other)
}

function histogram(queue: ReadonlyMap<string, Queue>): Sample[] {
  return [...queue].flatMap(([provider, { buckets, sum, count }]): Sample[] => [
    ...QUEUE_BUCKETS.map((most, n): Sample => [{ provider, le: String(most) }, buckets[n], '_bucket']),
    [{ provider, le: '+Inf' }, count, '_bucket'],
    [{ provider }, sum, '_sum'],
    [{ provider }, count, '_count'],
  ])
}

type Tally = Readonly<{ add: (labels: Labels, by: number) => void; samples: () => Sample[] }>

function createTally(): Tally {
  const known = new Map<string, { labels: Labels; value: number }>()
  return {
    add: (labels, by) => {
      const key = JSON.stringify(labels)
      known.set(key, { labels, value: (known.get(key)?.value ?? 0) + by })
    },
    samples: () => [...known.values()].map(({ labels, value }) => [labels, value]),
  }
}

function counter(name: string, help: string, samples: readonly Sample[]): Family {
  return { name, type: 'counter', help, samples }
}

function gauge(name: string, help: string, samples: readonly Sample[]): Family {
  return { name, type: 'gauge', help, samples }
}

/** A value that is not known has no line. */
function written(families: readonly Family[]): string {
  const lines = families.flatMap(({ name, type, help, samples }) => [
    `# HELP ${name} ${help.replace(/\\/g, '\\\\').replace(/\n/g, '\\n')}`,
    `# TYPE ${name} ${type}`,
    ...samples.flatMap(([labels, value, ending = '']) => (value === undefined ? [] : [`${name}${ending}${inBraces(labels)} ${numberOf(value)}`])),
  ])
  return `${lines.join('\n')}\n`
}

function inBraces(labels: Labels): string {
  const pairs = Object.entries(labels).map(([name, value]) => `${name}="${value.replace(/\\/g, '\\\\').replace(/"/g, '\\"').replace(/\n/g, '\\n')}"`)
  return pairs.length === 0 ? '' : `{${pairs.join(',')}}`
}

function numberOf(value: number): string {
  return value === Number.POSITIVE_INFINITY ? '+Inf' : String(value)
}
