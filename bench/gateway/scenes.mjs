/** One scene, twice: the agents straight at the provider, and through the gateway; the same seed, a provider of its own for each. */
import { join } from 'node:path'
import { keyOf } from '../../scripts/lib/link.mjs'
import { nowMs, runAgents } from './agents.mjs'
import { KEY, startGateway, startProvider } from './processes.mjs'

/** @typedef {import('./agents.mjs').Agent} Agent */
/**
 * @typedef {object} Scene
 * @property {string} name
 * @property {number} seconds
 * @property {readonly Agent[]} agents
 * @property {object} provider its options
 */
/**
 * @typedef {object} Side what one of the two showed
 * @property {readonly import('./processes.mjs').Seen[]} seen by the provider
 * @property {import('./agents.mjs').Task[]} tasks
 * @property {Map<number, number>} statuses that reached agents
 * @property {number} startMs of the provider's first request
 * @property {number} seconds
 * @property {readonly Agent[]} agents
 */
/** @typedef {{ readonly naive: Side, readonly ours: Side }} Sides */
/** @typedef {{ readonly programs: import('./processes.mjs').Programs, readonly dir: string, readonly seed: number }} Stage */

/** Reports of the last answers are on their way when their agents have ended. */
const LAST_MS = 200

/** @param {Stage} stage @param {Scene} scene @param {boolean} isOurs @returns {Promise<Side>} */
const play = async ({ programs, dir, seed }, { name, seconds, agents, provider: options }, isOurs) => {
  const log = join(dir, `${name}-${isOurs ? 'ours' : 'naive'}.log`)
  const provider = await startProvider(programs, { seed, ...options }, log)
  const gateway = isOurs ? await startGateway(programs, { upstream: provider.url, agents }, log) : undefined
  const urlOf = gateway?.urlOf ?? (() => provider.url)
  const done = await runAgents({ agents, urlOf, keyOf: gateway ? keyOf : () => KEY, seed, untilMs: nowMs() + seconds * 1000 })
  await new Promise((resolve) => setTimeout(resolve, LAST_MS))
  await gateway?.stop()
  await provider.stop()
  const startMs = Math.min(...provider.seen.map(({ atMs }) => atMs))
  return { ...done, seen: provider.seen, startMs, seconds, agents }
}

/** Both at the same time: what else the machine does meets both alike. @param {Stage} stage @param {Scene} scene @returns {Promise<Sides>} */
export const playBoth = async (stage, scene) => {
  const [naive, ours] = await Promise.all([play(stage, scene, false), play(stage, scene, true)])
  return { naive, ours }
}

/** @param {number} count @param {Partial<Agent>} [more] @returns {Agent[]} */
export const named = (count, more = {}) => Array.from({ length: count }, (_, n) => ({ name: `agent-${n}`, ...more }))
