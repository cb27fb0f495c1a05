import { readFileSync } from 'node:fs'
import t from 'tap'
import { parse } from 'yaml'
import type { Name } from '../../src/core/names.ts'
import { createMetrics, type Entry, METRICS_TYPE, type Standing } from '../../src/gateway/index.ts'
import { createPool, type PoolReport } from '../../src/share/index.ts'

const report = (more: Partial<PoolReport> = {}): PoolReport => ({
  ...createPool({ nowMs: () => 0, random: () => 0.5, limits: { requests: 60 }, urgentCap: 0.5 }).report(),
  ...more,
})
const LEGAL = 'legal' as Name
const entry = (more: Partial<Entry> = {}): Entry => ({
  at: '2030-01-01T00:00:00.000Z',
  agent: LEGAL,
  provider: 'main',
  status: 200,
  inputTokens: 1,
  cacheWriteTokens: 2,
  cacheReadTokens: 3,
  outputTokens: 4,
  usd: 0.5,
  queueMs: 300,
  ms: 1,
  tries: 2,
  ...more, // biome-ignore format: one row
})
const standing = (more: Partial<Standing> = {}): Standing => ({
  pools: [{ provider: 'main', pool: 'claude-opus-4', report: report() }],
  keys: [{ provider: 'main', isThere: true }],
  gauges: [{ agent: LEGAL, message: 'm', session: 's', usedTokens: 50, windowTokens: 200 }],
  budgets: [{ agent: LEGAL, state: { budget: { usdPerDay: 2, tokensPerDay: undefined }, usedUsd: 2, usedTokens: 7, unpriced: 0, over: 'usd', endsMs: 0 } }],
  ledger: { waiting: 3, lost: 4, why: 'ENOSPC' },
  ...more,
})

type Series = Map<string, number>
const LINE = /^([a-zA-Z_:][a-zA-Z0-9_:]*)(\{(?:[a-zA-Z_][a-zA-Z0-9_]*="(?:[^"\\\n]|\\[\\"n])*",?)*\})? (NaN|[+-]Inf|-?[0-9.]+(?:e[+-]?[0-9]+)?)$/

/** As the exposition format has it; throws at whatever Prometheus would refuse. */
function read(text: string): { types: Map<string, string>; series: Series } {
  if (!text.endsWith('\n')) throw new Error('the last line has no end')
  const types = new Map<string, string>()
  const series: Series = new Map()
  for (const line of text.slice(0, -1).split('\n')) {
    const [, type, kind] = /^# TYPE (\S+) (counter|gauge|histogram)$/.exec(line) ?? []
    if (type !== undefined && kind !== undefined) {
      if (types.has(type)) throw new Error(`${type} is told twice`)
      types.set(type, kind)
    } else if (!/^# HELP \S+ .+$/.test(line)) {
      const [, name = '', labels = '', value] = LINE.exec(line) ?? []
      const family = [...types.keys()].at(-1) ?? ''
      const names = types.get(family) === 'histogram' ? ['_bucket', '_sum', '_count'].map((ending) => family + ending) : [family]
      if (!names.includes(name)) throw new Error(`not a line of ${family}: ${line}`)
      if (series.has(name + labels)) throw new Error(`twice: ${line}`)
      series.set(name + labels, Number(value?.replace('Inf', 'Infinity')))
    }
  }
  return { types, series }
}

t.test('what a test reads with is not blind', async (t) => {
  for (const bad of [
    'a 1',
    '# TYPE a gauge\nb 1\n',
    '# TYPE a gauge\na 1\na 2\n',
    '# TYPE a gauge\na{b="c"d"} 1\n',
    '# TYPE a gauge\na x\n',
    '# TYPE a gauge\n# TYPE a gauge\n',
  ])
    t.throws(() => read(bad), bad)
  t.equal(read('# HELP a b\n# TYPE a gauge\na{b="c\\"\\\\\\n"} 1\n').series.size, 1)
})

t.test('requests, tokens, money and tries are counted from the entries', async (t) => {
  const { record, text } = createMetrics()
  record(entry())
  record(entry({ usd: undefined }))
  record(
    entry({
      agent: 'ops' as Name,
      provider: undefined,
      status: 499,
      tries: 0,
      usd: undefined,
      inputTokens: 0,
      cacheWriteTokens: 0,
      cacheReadTokens: 0,
      outputTokens: 0,
    }),
  )
  const { series } = read(text(standing()))
  const has = (name: string, value: number): void => void t.equal(series.get(`penny_gateway_${name}`), value, name)
  has('requests_total{agent="legal",provider="main",status="200"}', 2)
  has('requests_total{agent="ops",provider="none",status="499"}', 1)
  for (const [kind, count] of [['input', 2], ['cache_write', 4], ['cache_read', 6], ['output', 8]] as const) has(`tokens_total{agent="legal",kind="${kind}"}`, count) // biome-ignore format: one row
  has('cost_usd_total{agent="legal"}', 0.5)
  has('unpriced_requests_total{agent="legal"}', 1)
  has('unpriced_requests_total{agent="ops"}', 0)
  has('tries_total{provider="main"}', 4)
})

t.test('the time in line is a histogram: each bucket has all that is below it', async (t) => {
  const { record, text } = createMetrics()
  for (const queueMs of [0, 5, 6, 30_000, 1_000_000]) record(entry({ queueMs }))
  const { series } = read(text(standing()))
  const bucket = (le: string): number | undefined => series.get(`penny_gateway_queue_seconds_bucket{provider="main",le="${le}"}`)
  t.same(['0.005', '0.05', '20', '30', '240', '+Inf'].map(bucket), [2, 3, 3, 4, 4, 5])
  t.equal(series.get('penny_gateway_queue_seconds_count{provider="main"}'), 5)
  t.equal(series.get('penny_gateway_queue_seconds_sum{provider="main"}'), 1030.011)
})

t.test('pools, keys, contexts, budgets and the ledger are told as they are', async (t) => {
  const queue = [{ rank: 1, agent: LEGAL, waiting: 2 }, { rank: 3, agent: LEGAL, waiting: 5 }, { rank: 9, agent: 'ops' as Name, waiting: 1 }] // biome-ignore format: one row
  const meters = { requests: { set: 60, learned: 50, level: 7 }, input: { set: undefined, learned: 9, level: 0 }, output: { set: undefined, learned: undefined, level: undefined } } // biome-ignore format: one row
  const pool = report({ queue, meters, inFlight: 4, oldestMs: 1_500, frozenMs: 2_000, window: { size: 8, isLearned: true }, breaker: { state: 'probing', failures: 1, inMs: 0 } }) // biome-ignore format: one row
  const { series } = read(createMetrics().text(standing({ pools: [{ provider: 'main', pool: 'p', report: pool }] })))
  const of = (name: string, more = ''): number | undefined => series.get(`penny_gateway_pool_${name}{provider="main",pool="p"${more}}`)
  t.same(
    ['requests', 'input', 'output'].map((meter) => of('limit', `,meter="${meter}"`)),
    [50, 9, undefined],
  )
  t.same(
    ['requests', 'input', 'output'].map((meter) => of('level', `,meter="${meter}"`)),
    [7, 0, undefined],
  )
  t.same(
    [1, 2, 3, 9].map((rank) => of('waiting', `,rank="${rank}"`)),
    [2, 0, 5, 1],
  )
  t.same(
    ['in_flight', 'oldest_seconds', 'frozen_seconds', 'window', 'breaker_open'].map((name) => of(name)),
    [4, 1.5, 2, 8, 1],
  )
  const rest = ['provider_key_present{provider="main"}', 'context_ratio{agent="legal"}', 'budget_ratio{agent="legal",kind="usd"}', 'budget_ratio{agent="legal",kind="tokens"}', 'budget_held{agent="legal"}', 'ledger_waiting_lines', 'ledger_lost_lines_total'] // biome-ignore format: one row
  t.same(
    rest.map((name) => series.get(`penny_gateway_${name}`)),
    [1, 0.25, 1, undefined, 1, 3, 4],
  )
})

t.test('a pool that has two lines, as after a change of its limits, is one', async (t) => {
  const old = report({ oldestMs: 9_000, inFlight: 1, queue: [{ rank: 3, agent: LEGAL, waiting: 1 }], window: { size: 2, isLearned: false } })
  const now = report({ oldestMs: 1_000, inFlight: 2, queue: [{ rank: 3, agent: LEGAL, waiting: 2 }], window: { size: 5, isLearned: false } })
  const { series } = read(createMetrics().text(standing({ pools: [old, now].map((one) => ({ provider: 'main', pool: 'p', report: one })) })))
  const of = (name: string, more = ''): number | undefined => series.get(`penny_gateway_pool_${name}{provider="main",pool="p"${more}}`)
  t.same([of('oldest_seconds'), of('in_flight'), of('waiting', ',rank="3"'), of('window')], [9, 3, 3, 5])
})

t.test('the name of a model that a client made up stays within its quotes', async (t) => {
  const pool = 'a"} 1\nevil{x="\\'
  const { series } = read(createMetrics().text(standing({ pools: [{ provider: 'main', pool, report: report() }] })))
  t.equal(series.get('penny_gateway_pool_in_flight{provider="main",pool="a\\"} 1\\nevil{x=\\"\\\\"}'), 0)
  t.notOk([...series.keys()].some((name) => name.startsWith('evil')))
})

t.test('every metric is on its page, with its type, and every one that a rule or the page names is there', async (t) => {
  const metrics = createMetrics()
  metrics.record(entry())
  t.equal(METRICS_TYPE, 'text/plain; version=0.0.4; charset=utf-8')
  const { types } = read(metrics.text(standing()))
  const rows = [...readFileSync('docs/metrics.md', 'utf8').matchAll(/^\| `(penny_\w+)` \| (\w+) \|/gm)].map(([, name, type]) => [name, type])
  t.same(Object.fromEntries(rows), Object.fromEntries(types))
  const { groups } = parse(readFileSync('docs/prometheus-rules.yaml', 'utf8')) as { groups: { rules: { alert: string; expr: string; annotations: { summary: string; fix: string } }[] }[] } // biome-ignore format: one row
  const rules = groups.flatMap((group) => group.rules)
  const known = [...types].flatMap(([name, type]) => (type === 'histogram' ? ['_bucket', '_sum', '_count'].map((ending) => name + ending) : [name]))
  const page = readFileSync('docs/metrics.md', 'utf8')
  t.ok(rules.length > 10)
  for (const { alert, expr, annotations } of rules) {
    const named = expr.match(/\bpenny_\w+/g) ?? []
    t.ok(named.length > 0 && named.every((name) => known.includes(name)), `${alert}: ${named.join()}`)
    t.ok(annotations.summary && annotations.fix && page.includes(alert), alert)
  }
})
