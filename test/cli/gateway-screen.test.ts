/** `penny gateway status` for people: what the contract's page 6 wants to be seen of pools and agents. */
import t from 'tap'
import type { Name } from '../../src/core/names.ts'
import type { GatewayStanding, PoolStanding } from '../../src/gateway/index.ts'
import { organisation, penny } from './called.ts'
import { listen } from './spoken.ts'

const ESC = String.fromCharCode(27)
const GATEWAY = { state: 'ready', pid: 7, providers: ['main'], without_key: [], over_budget: [] }
const UNKNOWN = { set: undefined, learned: undefined, level: undefined }

const report: PoolStanding['report'] = {
  meters: { requests: { set: 50, learned: 40, level: 10 }, input: { set: undefined, learned: 30_000, level: undefined }, output: UNKNOWN },
  inFlight: 3,
  waiting: 5,
  oldestMs: 9_000,
  queue: [
    { rank: 1, agent: 'ceo' as Name, waiting: 1 },
    { rank: 3, agent: 'legal' as Name, waiting: 4 },
  ],
  keptPlaces: 2,
  frozenMs: 12_000,
  window: { size: 4.5, isLearned: true },
  perMinute: 38.4,
  breaker: { state: 'waiting', failures: 2, inMs: 3_000 },
}

const standing: GatewayStanding = {
  providers: [{ provider: 'main', fallback: ['second'], key: 'there', verdict: 'ok' }],
  pools: [{ provider: 'main', pool: `opus${ESC}[2J`, room: 0, report }],
  agents: [
    {
      agent: 'legal' as Name,
      requests: 12,
      tokens: 34_567,
      usd: 1.5,
      share: 0.25,
      gauge: { agent: 'legal' as Name, message: undefined, session: 's', usedTokens: 150_000, windowTokens: 200_000 },
      budget: { budget: { usdPerDay: 1, tokensPerDay: undefined }, usedUsd: 1.5, usedTokens: 9, unpriced: 0, over: 'usd', endsMs: 0 },
    },
  ],
  doors: [],
  ledger: { waiting: 0, lost: 0, why: undefined },
}

t.test('each pool: limits that are set and learned, what is left, who waits with which priority, the breaker, the stand-in', async (t) => {
  const root = organisation(t)
  await listen(t, root, () => [{ end: true, ok: true, gateway: GATEWAY, standing }])
  const { status, out } = await penny(['gateway', 'status', '--root', root])
  t.equal(status, 0)
  t.match(out, /^main key there, said last: ok, stood in for by second$/m)
  t.match(out, /: room for 0, 3 under way of 4$/m)
  t.match(out, /^ +requests +\[#{5}\.{15}\] 10 left of 40 a minute \(set 50, learned 40\)$/m)
  t.match(out, /^ +tokens in +\[#{20}\] 30,000 left of 30,000 a minute \(learned 30,000\)$/m)
  t.notMatch(out, 'tokens out', 'of what nobody knows nothing is said')
  t.match(out, /learned from refusals: 38 requests a minute/)
  t.match(out, /told to wait: 12 ?s more/)
  t.match(out, /breaker waiting after 2 failures, tries again in 3 ?s/)
  t.match(out, /5 requests wait, the oldest for 9 ?s\n +priority 1 +ceo 1\n +priority 3 +legal 4\n +2 places are kept/)
  t.notMatch(out, ESC, 'a name that a client made up moves no cursor')
})

t.test('each agent: requests, tokens, share, budget, and how full its context is', async (t) => {
  const root = organisation(t)
  await listen(t, root, () => [{ end: true, ok: true, gateway: GATEWAY, standing }])
  const { out } = await penny(['gateway', 'status', '--root', root])
  t.match(out, /^AGENT +REQUESTS +TOKENS +USD +SHARE +BUDGET +CONTEXT$/m)
  t.match(out, /^legal +12 +34,567 +1\.50 +25 % +over +\[#{15}\.{5}\] 75 % of 200,000$/m)
})

t.test('what is wrong stands above: a key that is missing, a door that is closed, a ledger that is refused; 1 where nobody can be asked', async (t) => {
  const root = organisation(t)
  const gateway = { ...GATEWAY, without_key: [{ provider: 'main', why: 'no file' }], over_budget: ['legal'] }
  const bad = { ...standing, doors: [{ about: 'ceo', why: 'EACCES' }], ledger: { waiting: 1, lost: 2, why: 'ENOSPC' } }
  await listen(t, root, () => [{ end: true, ok: true, gateway, standing: bad }])
  const { status, out } = await penny(['gateway', 'status', '--root', root])
  t.equal(status, 1)
  t.match(out, /! main has no key: no file .*penny alerts/)
  t.match(out, /! over budget, new runs wait: legal .*penny usage/)
  t.match(out, /! ceo cannot be opened: EACCES .*penny alerts/)
  t.match(out, /! the ledger cannot be written \(ENOSPC\): 1 line waits, 2 lost/)
})

t.test('a process that does not answer is no standing: why is said, and the status is 1', async (t) => {
  const root = organisation(t)
  await listen(t, root, () => [{ end: true, ok: true, gateway: GATEWAY, why: 'it does not answer within 5 s' }])
  const { status, out } = await penny(['gateway', 'status', '--root', root])
  t.equal(status, 1)
  t.match(out, /^gateway it does not answer within 5 s, pid 7/)
})
