/** Agents that call a model in loops with the official client, as whoever writes an agent does first: its own retries and nothing else. */
import Anthropic from '@anthropic-ai/sdk'
import { randomFrom } from '../../scripts/lib/random.mjs'
import { pause } from '../harness/numbers.mjs'

export const MODEL = 'claude-opus-4-8'

/**
 * @typedef {object} Agent
 * @property {string} name
 * @property {number} [loops] so many at once; 1
 * @property {number} [weight]
 * @property {number} [rank]
 * @property {readonly [number, number]} [tokens] of a prompt
 * @property {readonly [number, number]} [thinkMs] between an answer and the next request
 */
/** @typedef {{ readonly agent: string, readonly atMs: number, readonly endedAtMs: number, readonly lost: boolean, readonly requestId: string | undefined }} Task */
/** @typedef {{ readonly tasks: Task[], readonly statuses: Map<number, number> }} Done what the agents did, and what reached them */

/** As the provider's clock: since the epoch, with fractions. */
export const nowMs = () => performance.timeOrigin + performance.now()

/** Runs them until `untilMs`; what was begun then is waited for.
 * @param {{ agents: readonly Agent[], urlOf: (agent: string) => string, keyOf: (agent: string) => string, seed: number, untilMs: number }} given
 * @returns {Promise<Done>} */
export const runAgents = async ({ agents, urlOf, keyOf, seed, untilMs }) => {
  /** @type {Done} */
  const done = { tasks: [], statuses: new Map() }
  /** @type {typeof fetch} */
  const counted = async (...words) => {
    const answer = await fetch(...words)
    done.statuses.set(answer.status, (done.statuses.get(answer.status) ?? 0) + 1)
    return answer
  }
  /** @param {Agent} agent @param {number} number */
  const loop = async ({ name, tokens = [200, 400], thinkMs }, number) => {
    const random = randomFrom(seed * 1000 + number)
    /** @param {readonly [number, number]} range */
    const draw = ([least, most]) => Math.round(least + (most - least) * random())
    const client = new Anthropic({ apiKey: keyOf(name), authToken: null, baseURL: urlOf(name), fetch: counted })
    while (nowMs() < untilMs) {
      const content = 'word'.repeat(draw(tokens))
      const atMs = nowMs()
      const message = await client.messages.create({ model: MODEL, max_tokens: 100, messages: [{ role: 'user', content }] }).catch(() => undefined)
      done.tasks.push({ agent: name, atMs, endedAtMs: nowMs(), lost: message === undefined, requestId: message?._request_id ?? undefined })
      if (thinkMs) await pause(draw(thinkMs))
    }
  }
  const loops = agents.flatMap((agent) => Array.from({ length: agent.loops ?? 1 }, () => agent))
  await Promise.all(loops.map(loop))
  return done
}
