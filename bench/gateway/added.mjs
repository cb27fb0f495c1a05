/** What the way through the gateway adds to one request of 76 KB while nobody else asks: straight, through a plain proxy, and through it, in turn. */
import { once } from 'node:events'
import { Agent, request } from 'node:http'
import { join } from 'node:path'
import { keyOf } from '../../scripts/lib/link.mjs'
import { percentile, showMs } from '../harness/numbers.mjs'
import { yesNo } from '../harness/report.mjs'
import { MODEL } from './agents.mjs'
import { KEY, startGateway, startPlain, startProvider } from './processes.mjs'

const BYTES = 76 * 1024
/** Until the gateway's code is compiled: it runs for weeks. */
const WARM_UP = 3_000
const WHO = 'agent-0'

/** @param {string} url @param {string} key @param {Agent} agent @param {Buffer} body */
const takesMs = async (url, key, agent, body) => {
  const headers = { 'x-api-key': key, 'anthropic-version': '2023-06-01', 'content-type': 'application/json', 'content-length': body.length }
  const begun = performance.now()
  const [answer] = await once(request(`${url}/v1/messages?beta=true`, { method: 'POST', agent, headers }).end(body), 'response')
  answer.resume()
  await once(answer, 'end')
  if (answer.statusCode !== 200) throw new Error(`the gateway's latency: ${answer.statusCode}`)
  return performance.now() - begun
}

/** @param {import('./scenes.mjs').Stage} stage @param {number} count @returns {Promise<import('../harness/report.mjs').Row[]>} */
export const added = async ({ programs, dir, seed }, count) => {
  const log = join(dir, 'added.log')
  const provider = await startProvider(programs, { seed }, log)
  const gateway = await startGateway(programs, { upstream: provider.url, agents: [{ name: WHO }] }, log)
  const plain = await startPlain(programs, provider.url, log)
  const ways = /** @type {const} */ ([
    [provider.url, KEY],
    [plain.url, KEY],
    [gateway.urlOf(WHO), keyOf(WHO)],
  ]).map(([url, key]) => {
    /** @type {number[]} */
    const times = []
    return { url, key, times, agent: new Agent({ keepAlive: true }) }
  })
  // As Claude Code's first request: a long system prompt, tools, one short message.
  const rest = { model: MODEL, max_tokens: 100, stream: true, messages: [{ role: 'user', content: 'Hello' }] }
  const body = Buffer.from(JSON.stringify({ ...rest, system: 'word '.repeat(BYTES / 5) }))
  for (let n = 0; n < count + WARM_UP; n++) {
    // Each comes after each of the others as often.
    const turned = [...ways.slice(n % ways.length), ...ways.slice(0, n % ways.length)]
    for (const { url, key, agent, times } of n % 2 === 0 ? turned : turned.reverse()) {
      const ms = await takesMs(url, key, agent, body)
      if (n >= WARM_UP) times.push(ms)
    }
  }
  for (const { agent } of ways) agent.destroy()
  await gateway.stop()
  await plain.stop()
  await provider.stop()
  return /** @type {const} */ ([
    [0.5, 'p50', 0.5],
    [0.99, 'p99', 5],
  ]).flatMap(([part, name, most]) => {
    const [straight = Number.NaN, piped = Number.NaN, ours = Number.NaN] = ways.map(({ times }) => percentile(times, part))
    const what = `added latency ${name}, 76 KB, empty queue`
    return [
      { what, measured: showMs(ours - straight), beside: showMs(straight), goal: `≤ ${most} ms`, reached: yesNo(ours - straight <= most) },
      { what: `the same through a plain proxy, ${name}`, measured: showMs(piped - straight), beside: showMs(straight), goal: '', reached: '' },
    ]
  })
}
