/**
 * The gateway in a process of its own, as the bench needs it: agents are who their path says. Argument: JSON of `Given`. The first line on
 * standard output is {"url"}; bundled and started by processes.mjs, since it is src/gateway that is measured.
 */
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { Provider } from '../../src/core/config.ts'
import type { Name } from '../../src/core/names.ts'
import { createGateway, routeOf } from '../../src/gateway/index.ts'
import { realClock } from '../../src/system/clock.ts'
import { realUpstream } from '../../src/system/upstream.ts'

type Given = Readonly<{ upstream: string; key: string; weights: Readonly<Record<string, number>>; ranks: Readonly<Record<string, number>> }>

/** Of the contract, over TCP. */
const HOLD_MS = 100_000
const NORMAL = 3

const { upstream, key, weights, ranks } = JSON.parse(process.argv[2] ?? '') as Given
const provider: Provider = {
  name: 'main',
  baseUrl: upstream,
  keyFile: '/none',
  pools: [],
  fallback: [],
  models: new Map(),
  urgentCap: 0.5,
  weights: new Map(Object.entries(weights)) as Provider['weights'],
}
const gateway = createGateway({
  clock: realClock,
  log: () => undefined,
  random: Math.random,
  upstream: realUpstream(),
  providers: () => new Map([[provider.name, provider]]),
  keyOf: () => key,
  told: (name, kind) => void process.stderr.write(`${name}: ${kind}\n`),
  record: () => undefined,
  contextWindowOf: () => undefined,
  contextTold: () => undefined,
  seals: { seal: () => Promise.resolve() },
})
const server = createServer((req, res) => {
  const route = routeOf(req.method ?? '', req.url ?? '')
  if (!route) return void res.writeHead(404).end()
  const agent = (route.agent ?? 'nobody') as Name
  void gateway.handle({ agent, holdMs: HOLD_MS, rank: ranks[agent] ?? NORMAL }, route, req, res)
})
server.listen(0, '127.0.0.1', () => {
  process.stdout.write(`${JSON.stringify({ url: `http://127.0.0.1:${(server.address() as AddressInfo).port}` })}\n`)
})
// SIGUSR2: what it knows, for whoever looks why a goal is missed.
process.on('SIGUSR2', () => void process.stderr.write(`${JSON.stringify(gateway.report())}\n`))
