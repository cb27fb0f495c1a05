/** Drop (rename in) → in new/, at a hundred a second. */
import { join } from 'node:path'
import { quiet, startReady, stopDaemon } from '../harness/daemon.mjs'
import { pass } from '../harness/mail.mjs'
import { percentile, showMs, showRatio } from '../harness/numbers.mjs'
import { makeOrganisation, removeOrganisation } from '../harness/organisation.mjs'
import { yesNo } from '../harness/report.mjs'

/** @param {import('../main.mjs').Bench} bench */
export const latency = async ({ programs, penny, dir, amounts, reference, say, add }) => {
  const { warmUp, messages, perSecond, rounds } = amounts.latency
  const begin = reference.mark()
  const organisation = makeOrganisation(join(dir, 'latency'), 30)
  const daemon = await startReady(penny, organisation.root)
  await pass(programs, organisation, { way: 'rate', count: warmUp, value: perSecond, seconds: warmUp / perSecond + 30 })
  /** @type {number[]} */
  const latencies = []
  let lost = 0
  for (let round = 0; round < rounds; round++) {
    await reference.sample()
    await quiet(daemon)
    const passage = await pass(programs, organisation, { way: 'rate', count: messages, value: perSecond, seconds: messages / perSecond + 30 })
    latencies.push(...passage.arrivals.map((arrival) => arrival.latencyMs))
    lost += passage.missing + passage.twice
    say(`latency: p50 ${showMs(percentile(latencies, 0.5))}, p99 ${showMs(percentile(latencies, 0.99))}`)
  }
  await reference.sample()
  await stopDaemon(daemon)
  removeOrganisation(organisation)

  const l1 = reference.l1(begin).p50Ms
  const p50 = percentile(latencies, 0.5)
  const p99 = percentile(latencies, 0.99)
  const p50Goal = 2.5 * l1 + 0.7
  const p99Goal = Math.max(15, 12 * l1)
  const trouble = lost === 0 ? '' : `; ${lost} lost or twice`
  add({
    what: `drop → new/ at ${perSecond}/s, p50`,
    measured: showMs(p50) + trouble,
    beside: `${showRatio(p50 / l1)} L1's p50 (${showMs(l1)})`,
    goal: `≤ 2.5 × L1's p50 + 0.7 ms = ${showMs(p50Goal)}`,
    reached: yesNo(p50 <= p50Goal && lost === 0),
  })
  add({
    what: `drop → new/ at ${perSecond}/s, p99`,
    measured: showMs(p99) + trouble,
    beside: `${showRatio(p99 / l1)} L1's p50; worst ${showMs(Math.max(...latencies))}`,
    goal: `≤ ${showMs(p99Goal)} (15 ms or 12 × L1's p50)`,
    reached: yesNo(p99 <= p99Goal && lost === 0),
  })
}
