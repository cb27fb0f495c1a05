/** What one decision costs with 30, 300 and 3,000 agents: a simulation is recorded, and what the scheduler was asked in it is asked again alone. */
import { pathToFileURL } from 'node:url'
import { yesNo } from '../harness/report.mjs'

const COUNTS = /** @type {const} */ ([30, 300, 3000])
/** Far less than thirty ask for: all but a few stand in line in each case. */
const RPM = 300
const UNTIL_MS = 6_000_000
/** Until then the line comes to be: that is not counted. */
const FROM_MS = 60_000
/** The least of so many counts: what else the machine does only adds. */
const TIMES = 7

/** @typedef {import('../../src/share/index.ts').Pool} Pool */
/** @typedef {{ readonly atMs: number, readonly name: keyof Pool, readonly words: readonly unknown[] }} Call */

/** @param {import('./scenes.mjs').Stage} stage @returns {Promise<import('../harness/report.mjs').Row[]>} */
export const many = async ({ programs, seed }) => {
  /** @type {typeof import('../../test/share/house.ts')} */
  const { named, runHouse } = await import(pathToFileURL(programs.house).href)
  /** @type {typeof import('../../src/share/index.ts')} */
  const { createPool } = await import(pathToFileURL(programs.share).href)
  const limits = { requests: RPM }
  const record = (/** @type {number} */ count) => {
    const agents = named(count, (n) => ({
      rank: 1 + (n % 5),
      weight: 1 + (n % 3),
      call: (chance) => ({ input: 1000 * chance(), guess: 2000 * chance(), output: 100, serviceMs: 500 + 1000 * chance() }),
    }))
    /** @type {Call[]} */
    const calls = []
    /** @param {Pool} pool @param {() => number} nowMs */
    const watch = (pool, nowMs) => {
      const kept = Object.entries(pool).map(([name, act]) => {
        const noted = (/** @type {unknown[]} */ ...words) => {
          calls.push({ atMs: nowMs(), name: /** @type {keyof Pool} */ (name), words })
          return /** @type {Function} */ (act)(...words)
        }
        return [name, noted]
      })
      return /** @type {Pool} */ (Object.fromEntries(kept))
    }
    const { sends } = runHouse({ seed, untilMs: UNTIL_MS, limits, provider: { shown: limits }, agents, watch })
    return { calls, sent: sends.length }
  }
  const costUs = (/** @type {number} */ count) => {
    const { calls, sent } = record(count)
    const from = calls.findIndex(({ atMs }) => atMs > FROM_MS)
    const [begin, rest] = [calls.slice(0, from), calls.slice(from)]
    const times = Array.from({ length: TIMES }, () => {
      let ms = 0
      const pool = createPool({ nowMs: () => ms, random: () => 0.5, limits, urgentCap: 0.5 })
      const ask = (/** @type {readonly Call[]} */ some) => {
        let taken = 0
        for (const { atMs, name, words } of some) {
          ms = atMs
          const answer = /** @type {Function} */ (pool[name])(...words)
          if (name === 'take') taken += answer.length
        }
        return taken
      }
      const first = ask(begin)
      const before = process.cpuUsage()
      const taken = ask(rest)
      const { user } = process.cpuUsage(before)
      if (first + taken !== sent) throw new Error(`asked again, the scheduler sends ${first + taken} requests and not ${sent}`)
      return user / taken
    })
    return Math.min(...times)
  }
  // The first is slow: nothing is compiled then.
  costUs(COUNTS[0])
  const costs = COUNTS.map(costUs)
  return COUNTS.slice(1).map((count, n) => {
    const [fewer = 1, before = Number.NaN, now = Number.NaN] = [COUNTS[n], costs[n], costs[n + 1]]
    const most = Math.log(count) / Math.log(fewer)
    const beside = `${now.toFixed(1)} µs, ${before.toFixed(1)} µs`
    const what = `a decision with ${count.toLocaleString('en')} agents, of one with ${fewer}`
    return { what, measured: `${(now / before).toFixed(2)} ×`, beside, goal: `≤ ${most.toFixed(2)} × (log N)`, reached: yesNo(now / before <= most) }
  })
}
