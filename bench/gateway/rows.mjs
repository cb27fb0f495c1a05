/** The scenes, and the rows of contract page 6's table that each of them shows. */
import { showMs } from '../harness/numbers.mjs'
import { yesNo } from '../harness/report.mjs'
import { MODEL } from './agents.mjs'
import * as figures from './figures.mjs'
import { named, playBoth } from './scenes.mjs'

/** @typedef {import('../harness/report.mjs').Row} Row */
/** @typedef {import('./scenes.mjs').Stage} Stage */
/** @typedef {import('./scenes.mjs').Sides} Sides */
/** @typedef {{ readonly seconds: number, readonly hiddenSeconds: number, readonly urgentSeconds: number, readonly overloadSeconds: number, readonly burst: number, readonly rpm: number }} Amounts */
/** @typedef {(stage: Stage, amounts: Amounts) => Promise<Row[]>} Part */

/** Answers take so long, from the request to the first byte. */
const SERVICE_MS = /** @type {const} */ ([1000, 3000])
/** The bucket holds so much of a minute, where a scene is about what happens while the limit binds. */
const SMALL = 0.05
const LEARNED_MS = 20_000
/** Shares are compared once the gateway knows how many the provider bears: it doubles what it tries with each round of answers. */
const BOUND_MS = 12_000
const OVERLOAD = /** @type {const} */ ({ fromMs: 10_000, toMs: 20_000, rate: 0.5 })

/** @param {object} pool */
const providerOf = (pool, more = {}) => ({ latencyMs: SERVICE_MS, pools: [{ models: [MODEL], ...pool }], ...more })

/** One row. @param {string} what @param {Sides} sides @param {(side: import('./scenes.mjs').Side) => number} of
 * @param {string} goal @param {(ours: number) => boolean} isReached @param {(figure: number) => string} [show] @returns {Row} */
const row = (what, { naive, ours }, of, goal, isReached, show = (figure) => figure.toFixed(3)) => {
  const [measured, beside] = [of(ours), of(naive)]
  return { what, measured: show(measured), beside: show(beside), goal, reached: yesNo(isReached(measured)) }
}
const count = (/** @type {number} */ figure) => String(figure)
const percent = (/** @type {number} */ figure) => `${(100 * figure).toFixed(1)} %`

/** @param {string} scene @param {Sides} sides @returns {Row[]} */
const faultless = (scene, sides) => [
  row(`429s reaching agents (${scene})`, sides, figures.refusals, '0', (figure) => figure === 0, count),
  row(`sent while told to wait (${scene})`, sides, figures.early, '0', (figure) => figure === 0, count),
  row(
    `lost tasks (${scene})`,
    sides,
    (side) => figures.lost(side),
    '0',
    (figure) => figure === 0,
    count,
  ),
]

/** @type {Part} */
const requestsBound = async (stage, { seconds, rpm, burst }) => {
  const sides = await playBoth(stage, { name: 'rpm', seconds, agents: named(30), provider: providerOf({ rpm, burst }) })
  return [
    ...faultless('RPM', sides),
    row(
      'goodput, RPM-bound',
      sides,
      (side) => figures.goodput(side, { perMinute: rpm, burst }),
      '≥ 0.97',
      (figure) => figure >= 0.97,
    ),
  ]
}

/** @type {Part} */
const equals = async (stage, { seconds, rpm }) => {
  const sides = await playBoth(stage, { name: 'equals', seconds, agents: named(30), provider: providerOf({ rpm, burst: SMALL }) })
  const turnMs = (30 * 60_000) / rpm
  return [
    row(
      "Jain's index, thirty equals",
      sides,
      (side) => figures.jain([...figures.shares(side, BOUND_MS).values()]),
      '≥ 0.99',
      (figure) => figure >= 0.99,
    ),
    row(
      `longest starvation, of N/rate (${showMs(turnMs)})`,
      sides,
      (side) => figures.starvationMs(side) / turnMs,
      '≤ 1.5 ×',
      (figure) => figure <= 1.5,
      (figure) => `${figure.toFixed(2)} ×`,
    ),
  ]
}

/** @type {Part} */
const inputBound = async (stage, { seconds, rpm, burst }) => {
  const itpm = rpm * 1000
  const agents = named(30, { tokens: [500, 3500] })
  const sides = await playBoth(stage, { name: 'itpm', seconds, agents, provider: providerOf({ rpm: 10 * rpm, itpm, burst }) })
  const limit = /** @type {const} */ ({ perMinute: itpm, burst, of: 'input' })
  return [
    ...faultless('ITPM', sides),
    row(
      'goodput, ITPM-bound',
      sides,
      (side) => figures.goodput(side, limit),
      '≥ 0.97',
      (figure) => figure >= 0.97,
    ),
  ]
}

/** @type {Part} */
const overloaded = async (stage, { overloadSeconds: seconds, rpm, burst }) => {
  const provider = providerOf({ rpm, burst }, { bursts: [OVERLOAD] })
  const sides = await playBoth(stage, { name: 'overload', seconds, agents: named(30), provider })
  return [
    ...faultless('10 s of 50 % 529', sides),
    row(
      'goodput with 10 s of 50 % 529',
      sides,
      (side) => figures.goodput(side, { perMinute: rpm, burst }),
      '≥ 0.95',
      (figure) => figure >= 0.95,
    ),
  ]
}

/** @type {Part} */
const greedy = async (stage, { seconds, rpm }) => {
  const agents = [{ name: 'greedy', loops: 10 }, ...named(29)]
  const sides = await playBoth(stage, { name: 'greedy', seconds, agents, provider: providerOf({ rpm, burst: SMALL }) })
  return [
    row(
      "Jain's index, one of thirty in ten loops",
      sides,
      (side) => figures.jain([...figures.shares(side, BOUND_MS).values()]),
      '≥ 0.98',
      (figure) => figure >= 0.98,
    ),
  ]
}

/** @type {Part} */
const weighted = async (stage, { seconds, rpm }) => {
  // So many that each always has one in line: a share that nobody asks for goes to the others.
  const agents = [1, 1, 2, 2, 4, 4].map((weight, n) => ({ name: `agent-${n}`, weight, loops: 20 }))
  const sides = await playBoth(stage, { name: 'weighted', seconds: 1.5 * seconds, agents, provider: providerOf({ rpm: 2 * rpm, burst: SMALL }) })
  return [
    row(
      'weighted shares 1 : 2 : 4, furthest off',
      sides,
      (side) => figures.unevenness(side, BOUND_MS),
      '≤ 5 %',
      (figure) => figure <= 0.05,
      percent,
    ),
  ]
}

/** @type {Part} */
const urgent = async (stage, { urgentSeconds: seconds, rpm }) => {
  const agents = Array.from({ length: 3 }, (_, n) => ({ name: `urgent-${n}`, rank: 1, thinkMs: /** @type {const} */ ([1000, 3000]) }))
  const provider = providerOf({ rpm, burst: SMALL }, { latencyMs: 2000 })
  const isUrgent = (/** @type {string} */ agent) => agent.startsWith('urgent')
  const sides = await playBoth(stage, { name: 'urgent', seconds, agents: [...agents, ...named(30)], provider })
  // Of 2 s that the provider takes: it is told to, and nothing else is in the way of who is alone.
  const times = (/** @type {import('./scenes.mjs').Side} */ side) => figures.tookMs(side, isUrgent, 0.99) / 2000
  return [
    row(
      'urgent p99, of the unloaded time (2 s)',
      sides,
      times,
      '≤ 2 ×',
      (figure) => figure <= 2,
      (figure) => `${figure.toFixed(2)} ×`,
    ),
    row(
      'urgent tasks lost',
      sides,
      (side) => figures.lostPart(side, isUrgent),
      '0',
      (figure) => figure === 0,
      percent,
    ),
  ]
}

/** @param {string} name @param {object} pool @param {(side: import('./scenes.mjs').Side) => number} goodput @returns {Part} */
const hidden =
  (name, pool, goodput) =>
  async (stage, { hiddenSeconds: seconds }) => {
    const sides = await playBoth(stage, { name: name.replaceAll(' ', '-'), seconds, agents: named(30), provider: providerOf(pool) })
    return [
      row(
        `hidden ${name}, refused after 20 s`,
        sides,
        (side) => figures.refusedPart(side, LEARNED_MS),
        '≤ 5 %',
        (figure) => figure <= 0.05,
        percent,
      ),
      row(`hidden ${name}, goodput after 20 s`, sides, goodput, '≥ 0.9', (figure) => figure >= 0.9),
      row(`429s reaching agents (hidden ${name})`, sides, figures.refusals, '0', (figure) => figure === 0, count),
    ]
  }
const PLACES = 8
const SECRET = 240
/** @param {import('./scenes.mjs').Side} side */
const places = (side) => figures.occupancy(side, PLACES, LEARNED_MS)
/** @param {import('./scenes.mjs').Side} side */
const secret = (side) => figures.goodput(side, { perMinute: SECRET, burst: 0, fromMs: LEARNED_MS })

/** @type {ReadonlyMap<string, Part>} */
export const parts = new Map([
  ['rpm', requestsBound],
  ['equals', equals],
  ['itpm', inputBound],
  ['overload', overloaded],
  ['greedy', greedy],
  ['weighted', weighted],
  ['urgent', urgent],
  ['concurrency', hidden('concurrency', { concurrency: PLACES, hiddenRetryAfter: true }, places)],
  ['hidden-rpm', hidden('RPM', { hiddenRpm: SECRET, burst: SMALL, hiddenRetryAfter: true }, secret)],
  ['silent-concurrency', hidden('concurrency without retry-after', { concurrency: PLACES }, places)],
  ['silent-rpm', hidden('RPM without retry-after', { hiddenRpm: SECRET, burst: SMALL }, secret)],
])
