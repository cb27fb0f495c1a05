/** What a scene shows, from what the provider saw and what the agents got. */
import { percentile } from '../harness/numbers.mjs'

/** @typedef {import('./scenes.mjs').Side} Side */

/** @param {readonly number[]} numbers */
const sum = (numbers) => numbers.reduce((a, b) => a + b, 0)
/** 1: all have the same; 1/n: one has everything. @param {readonly number[]} shares */
export const jain = (shares) => sum(shares) ** 2 / (shares.length * sum(shares.map((share) => share ** 2)))

/** Let in, from `fromMs` to `toMs` of the scene. @param {Side} side @param {number} [fromMs] @param {number} [toMs] */
const accepted = ({ seen, startMs, seconds }, fromMs = 0, toMs = seconds * 1000) =>
  seen.filter(({ usage, atMs }) => usage && atMs >= startMs + fromMs && atMs < startMs + toMs)

/** @param {Side} side */
export const refusals = ({ statuses }) => statuses.get(429) ?? 0
/** @param {Side} side */
export const early = ({ seen }) => seen.filter((one) => one.early).length
/** @param {Side} side @param {(agent: string) => boolean} [whose] */
export const lost = ({ tasks }, whose = () => true) => tasks.filter(({ agent, lost }) => lost && whose(agent)).length
/** @param {Side} side @param {(agent: string) => boolean} [whose] */
export const lostPart = (side, whose = () => true) => lost(side, whose) / Math.max(1, side.tasks.filter(({ agent }) => whose(agent)).length)

/** What was let in, of what the limit allows: a full bucket at first, and what flows into it.
 * @param {Side} side @param {{ perMinute: number, burst: number, of?: 'requests' | 'input', fromMs?: number }} limit */
export const goodput = (side, { perMinute, burst, of = 'requests', fromMs = 0 }) => {
  const ones = accepted(side, fromMs)
  const used = of === 'requests' ? ones.length : sum(ones.map(({ usage }) => (usage?.inputTokens ?? 0) + (usage?.cacheWriteTokens ?? 0)))
  return used / (perMinute * ((fromMs === 0 ? burst : 0) + (side.seconds - fromMs / 1000) / 60))
}

/** The part of the places that were busy. @param {Side} side @param {number} places @param {number} fromMs */
export const occupancy = (side, places, fromMs) => {
  const [from, to] = [side.startMs + fromMs, side.startMs + side.seconds * 1000]
  const busy = side.seen.filter(({ usage }) => usage).map(({ atMs, endedAtMs = to }) => Math.max(0, Math.min(to, endedAtMs) - Math.max(from, atMs)))
  return sum(busy) / (places * (to - from))
}

/** @param {Side} side @param {number} fromMs */
export const refusedPart = (side, fromMs) => {
  const late = side.seen.filter(({ atMs }) => atMs >= side.startMs + fromMs && atMs < side.startMs + side.seconds * 1000)
  return late.filter(({ status }) => status === 429).length / Math.max(1, late.length)
}

/** How many each agent's tasks were let in, while the limit binds. @param {Side} side @param {number} fromMs @returns {Map<string, number>} */
export const shares = (side, fromMs) => {
  const counts = new Map(side.agents.map(({ name }) => [name, 0]))
  const agentOf = new Map(side.tasks.map(({ requestId, agent }) => [requestId, agent]))
  for (const { requestId } of accepted(side, fromMs)) {
    const agent = agentOf.get(requestId)
    if (agent !== undefined) counts.set(agent, (counts.get(agent) ?? 0) + 1)
  }
  return counts
}

/** The furthest that an agent's share is from what its weight gives it. @param {Side} side @param {number} fromMs */
export const unevenness = (side, fromMs) => {
  const counts = shares(side, fromMs)
  const unit = sum([...counts.values()]) / sum(side.agents.map(({ weight = 1 }) => weight))
  return Math.max(...side.agents.map(({ name, weight = 1 }) => Math.abs((counts.get(name) ?? 0) / (weight * unit) - 1)))
}

/** The longest time between two answers that an agent got, less what the second took, or until it gave up. @param {Side} side */
export const starvationMs = (side) => {
  const end = side.startMs + side.seconds * 1000
  const sentMs = new Map(side.seen.map(({ requestId, atMs }) => [requestId, atMs]))
  const gaps = side.agents.flatMap(({ name }) => {
    let sinceMs = side.startMs
    const times = side.tasks.filter(({ agent, lost }) => agent === name && !lost).sort((a, b) => a.endedAtMs - b.endedAtMs)
    const waits = times.map(({ requestId, endedAtMs }) => {
      const wait = (sentMs.get(requestId) ?? endedAtMs) - sinceMs
      sinceMs = endedAtMs
      return wait
    })
    return [...waits, sinceMs < end ? end - sinceMs : 0]
  })
  return Math.max(...gaps)
}

/** How long tasks took, first try to last byte. @param {Side} side @param {(agent: string) => boolean} whose @param {number} part */
export const tookMs = (side, whose, part) =>
  percentile(
    side.tasks.filter(({ agent, lost }) => !lost && whose(agent)).map(({ atMs, endedAtMs }) => endedAtMs - atMs),
    part,
  )
