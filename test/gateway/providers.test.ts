import t from 'tap'
import type { Provider } from '../../src/core/config.ts'
import type { Name } from '../../src/core/names.ts'
import { createBell } from '../../src/gateway/bell.ts'
import { createProviders, LISTING } from '../../src/gateway/providers.ts'
import { makeHandClock } from '../hand-clock.ts'

const provider = (name: string, more: Partial<Provider> = {}): Provider => ({
  ...{ name, baseUrl: 'https://example.com', keyFile: '/k', pools: [], fallback: [], models: new Map(), urgentCap: 0.5, weights: new Map(), ...more },
})
const legal = 'legal' as Name
const pool = (...models: string[]): Provider['pools'][number] => ({ models, rpm: 100, itpm: undefined, otpm: undefined })
const of = (...all: Provider[]) =>
  createProviders({ clock: makeHandClock(0), random: () => 0.5, bell: createBell(), providers: () => new Map(all.map((one) => [one.name, one])) })

t.test('a model goes to the provider whose pools name it, else to the first that stands in for nobody', async (t) => {
  const { chainFor } = of(
    provider('a', { fallback: ['z'] }),
    provider('b', { pools: [pool('local-*')], fallback: ['z', 'a'] }),
    provider('c', { pools: [pool('claude-*-5', 'x')] }),
    provider('z'),
  )
  const names = (model: string | undefined): string[] => chainFor(model).map(({ name }) => name)
  t.same(names('local-7b'), ['b', 'z', 'a'])
  for (const one of ['claude-opus-5', 'claude-opus-5-5', 'x']) t.same(names(one), ['c'], one)
  // a stands in for b, so it is nobody's first.
  for (const other of ['claude-opus-5-50', 'claude-5', 'xx', 'a-local-7b', '', undefined]) t.same(names(other), ['b', 'z', 'a'], String(other))
  t.same(of().chainFor('x'), [])
})

t.test('models of one pool stand in one line; other limits are another line', async (t) => {
  const main = provider('main', { pools: [pool('claude-*-4-*')] })
  const { lineFor, all } = of(main)
  const line = lineFor(main, 'claude-opus-4-8', legal)
  t.equal(lineFor(main, 'claude-sonnet-4-6', legal), line)
  t.not(lineFor(main, 'claude-haiku-5-5', legal), line)
  t.equal(line.report().meters.requests.set, 100)
  t.not(lineFor({ ...main, pools: [{ ...pool('claude-*-4-*'), rpm: 200 }] }, 'claude-opus-4-8', legal), line)
  t.same(
    all().map(({ provider: name, pool: called }) => `${name} ${called}`),
    ['main claude-*-4-*', 'main claude-haiku-5-5', 'main claude-*-4-*'],
  )
  for (let n = 0; n < 1_000; n++) lineFor(main, `made-up-${n}`, legal)
  t.ok(all().length < 100, 'names that a client makes up share a line')
})

t.test('names that a client makes up take no line of their own from a model that there is', async (t) => {
  const main = provider('main')
  const { lineFor, all } = of(main)
  const want = (agent: string) => ({ key: Symbol(agent), agent: agent as Name, weight: 1, rank: 3, session: undefined, inputTokens: 1, outputTokens: 1 })
  // Each with somebody under way in it.
  for (let n = 0; n < 64; n++) void lineFor(main, `made-up-${n}`, `a${n % 8}` as Name).enter(want('legal'))
  const shared = lineFor(main, 'made-up-too', legal)
  t.equal(lineFor(main, 'and-another', legal), shared)
  const own = ['claude-opus-4-8', 'claude-opus-5', 'claude-haiku-5-5', 'count_tokens'].map((model) => lineFor(main, model, legal))
  t.equal(new Set([...own, shared]).size, 5)
  const other = of(main)
  for (let n = 0; n < 1_000; n++) other.lineFor(main, `made-up-${n}`, legal)
  t.not(other.lineFor(main, 'local-7b', legal), other.lineFor(main, undefined, legal), 'those in which nobody stands make way')
  t.ok(all().length < 100 && other.all().length < 100)
})

t.test('names that one agent makes up share a line sooner than they take those of others', async (t) => {
  const main = provider('main')
  const { lineFor, all } = of(main)
  const want = () => ({ key: Symbol('one'), agent: legal, weight: 1, rank: 3, session: undefined, inputTokens: 1, outputTokens: 1 })
  const others = lineFor(main, 'local-7b', 'pmo' as Name)
  for (let n = 0; n < 200; n++) void lineFor(main, `made-up-${n}`, legal).enter(want())
  t.equal(all().length, 10, 'eight of its own, the one that they share, and the other')
  t.equal(lineFor(main, 'local-7b', 'pmo' as Name), others, 'which nobody pushed out, although nobody stands in it')
  t.not(lineFor(main, 'local-70b', 'pmo' as Name), lineFor(main, undefined, 'pmo' as Name), 'another has room for more')
  t.equal(lineFor(main, 'made-up-0', 'pmo' as Name), lineFor(main, 'made-up-0', legal), 'one name, one line')
})

t.test('asking for the models has a line and a rate of its own, whatever the pools of a provider name', async (t) => {
  const main = provider('main', { pools: [pool('*')] })
  const { lineFor, chainFor } = of(provider('first'), main)
  t.equal(chainFor(LISTING)[0]?.name, 'first')
  const line = lineFor(main, LISTING, legal)
  t.not(line, lineFor(main, 'claude-opus-4-8', legal))
  t.equal(line.report().meters.requests.set, 300)
})
