/** A gateway between real sockets: clients before it, the provider for tests behind it. */
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { Test } from 'tap'
import type { Provider as ProviderConfig } from '../../src/core/config.ts'
import type { Name } from '../../src/core/names.ts'
import { type Caller, type ContextChange, createGateway, type Entry, type Gateway, routeOf, type Seals } from '../../src/gateway/index.ts'
import { realClock } from '../../src/system/clock.ts'
import type { Clock } from '../../src/system/types.ts'
import { realUpstream } from '../../src/system/upstream.ts'
import { KEY, type Options, type Provider, startProvider } from '../support/provider/provider.ts'

export const MODEL = 'claude-opus-4-8'

export type House = Readonly<{
  url: string
  gateway: Gateway
  upstream: Provider
  entries: Entry[]
  told: string[]
  contexts: ContextChange[]
  /** Changed, it counts from the next look on. */
  keys: Map<string, string>
}>

export type Plan = Readonly<{
  options?: Options
  providers?: (url: string) => Partial<ProviderConfig>[]
  caller?: Partial<Caller>
  clock?: Clock
  contextWindow?: number
  seals?: Seals
}>

const NO_SEALS: Seals = { seal: () => Promise.resolve() }

export async function house(t: Test, { options, providers, caller, clock = realClock, contextWindow, seals = NO_SEALS }: Plan = {}): Promise<House> {
  const upstream = await startProvider({ latencyMs: 5, ...options })
  t.teardown(upstream.close)
  const plain = { name: 'main', baseUrl: upstream.url, keyFile: '/none', pools: [], fallback: [], models: new Map(), urgentCap: 0.5, weights: new Map() }
  const configured = (providers?.(upstream.url) ?? [{}]).map((one): ProviderConfig => ({ ...plain, ...one }))
  const keys = new Map(configured.map(({ name }) => [name, KEY]))
  const entries: Entry[] = []
  const told: string[] = []
  const contexts: ContextChange[] = []
  const gateway = createGateway({
    clock,
    log: () => undefined,
    random: () => 0.5,
    upstream: realUpstream(),
    providers: () => new Map(configured.map((one) => [one.name, one])),
    keyOf: (name) => keys.get(name),
    told: (name, kind) => void told.push(`${name} ${kind}`),
    record: (entry) => void entries.push(entry),
    contextWindowOf: () => contextWindow,
    contextTold: (change) => void contexts.push(change),
    seals,
  })
  const server = createServer((req, res) => {
    const route = routeOf(req.method ?? '', req.url ?? '')
    if (!route) return void res.writeHead(404).end()
    const agent = (route.agent ?? 'legal') as Name
    void gateway.handle({ agent, holdMs: 10_000, rank: 3, ...caller }, route, req, res)
  })
  await new Promise<void>((resolve) => void server.listen(0, '127.0.0.1', resolve))
  t.teardown(() => {
    server.closeAllConnections()
    return new Promise((resolve) => void server.close(resolve))
  })
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, gateway, upstream, entries, told, contexts, keys }
}
