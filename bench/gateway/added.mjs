/** What the way through the gateway adds to one request of 76 KB while nobody else asks: straight and through it in turn. */
import { once } from 'node:events'
import { Agent, request } from 'node:http'
import { join } from 'node:path'
import { percentile, showMs } from '../harness/numbers.mjs'
import { yesNo } from '../harness/report.mjs'
import { MODEL } from './agents.mjs'
import { KEY, startGateway, startProvider } from './processes.mjs'

const BYTES = 76 * 1024
const WARM_UP = 200

/** @param {string} url @param {Agent} agent @param {Buffer} body */
const takesMs = async (url, agent, body) => {
  const headers = { 'x-api-key': KEY, 'anthropic-version': '2023-06-01', 'content-type': 'application/json', 'content-length': body.length }
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
  const gateway = await startGateway(programs, { upstream: provider.url, weights: {}, ranks: {} }, log)
  const [straight, through] = [new Agent({ keepAlive: true }), new Agent({ keepAlive: true })]
  // As Claude Code's first request: a long system prompt, tools, one short message.
  const rest = { model: MODEL, max_tokens: 100, stream: true, messages: [{ role: 'user', content: 'Hello' }] }
  const body = Buffer.from(JSON.stringify({ ...rest, system: 'word '.repeat(BYTES / 5) }))
  /** @type {number[]} */
  const plain = []
  /** @type {number[]} */
  const ours = []
  for (let n = 0; n < count + WARM_UP; n++) {
    const pair = [await takesMs(provider.url, straight, body), await takesMs(`${gateway.url}/agents/agent-0`, through, body)]
    if (n < WARM_UP) continue
    plain.push(pair[0] ?? Number.NaN)
    ours.push(pair[1] ?? Number.NaN)
  }
  straight.destroy()
  through.destroy()
  await gateway.stop()
  await provider.stop()
  return /** @type {const} */ ([
    [0.5, 'p50', 0.5],
    [0.99, 'p99', 5],
  ]).map(([part, name, most]) => {
    const [with_, without] = [percentile(ours, part), percentile(plain, part)]
    const what = `added latency ${name}, 76 KB, empty queue`
    return { what, measured: showMs(with_ - without), beside: `${showMs(without)} straight`, goal: `≤ ${most} ms`, reached: yesNo(with_ - without <= most) }
  })
}
