/** What one decision costs with 30, 300 and 3,000 agents: agents, provider and clock are simulated, the scheduler is the real one. */
import { pathToFileURL } from 'node:url'
import { yesNo } from '../harness/report.mjs'

const COUNTS = /** @type {const} */ ([30, 300, 3000])
/** Less than thirty ask for: there is a line in each case. */
const RPM = 1500
const UNTIL_MS = 300_000
/** The least of so many counts: what else the machine does only adds. */
const TIMES = 3

/** @param {import('./scenes.mjs').Stage} stage @returns {Promise<import('../harness/report.mjs').Row[]>} */
export const many = async ({ programs, seed }) => {
  /** @type {typeof import('../../test/share/house.ts')} */
  const { named, runHouse } = await import(pathToFileURL(programs.house).href)
  const costUs = (/** @type {number} */ count) => {
    const agents = named(count, (n) => ({
      rank: 1 + (n % 5),
      weight: 1 + (n % 3),
      call: (chance) => ({ input: 1000 * chance(), guess: 2000 * chance(), output: 100, serviceMs: 500 + 1000 * chance() }),
    }))
    const times = Array.from({ length: TIMES }, () => {
      const before = process.cpuUsage()
      const { sends } = runHouse({ seed, untilMs: UNTIL_MS, limits: { requests: RPM }, provider: { shown: { requests: RPM } }, agents })
      return process.cpuUsage(before).user / sends.length
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
