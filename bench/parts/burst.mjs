/** A burst from thirty writers, in turn with the same work done by the neighbours: one round after the other, medians at the end. */
import { join } from 'node:path'
import { cpuMs, quiet, startReady, stopDaemon } from '../harness/daemon.mjs'
import { pass } from '../harness/mail.mjs'
import { median, showMs, showRate, showRatio } from '../harness/numbers.mjs'
import { makeOrganisation, removeOrganisation } from '../harness/organisation.mjs'
import { notMeasured, yesNo } from '../harness/report.mjs'
import { dovecot } from '../neighbours/dovecot.mjs'
import { maildrop } from '../neighbours/maildrop.mjs'
import { postfix } from '../neighbours/postfix.mjs'

/** @typedef {import('../main.mjs').Bench} Bench */
/** @typedef {{ readonly what: string, readonly goal: number | undefined, readonly measure: (bench: Bench) => Promise<number> }} Neighbour */

/** Goals: how many times as fast the burst has to be (contract page 4).
 * @type {readonly Neighbour[]} */
const neighbours = [
  { what: 'maildrop, one process after the other', goal: 5, measure: (bench) => maildrop(bench, 1) },
  { what: 'maildrop, eight processes at a time', goal: undefined, measure: (bench) => maildrop(bench, 8) },
  { what: 'Dovecot LMTP on 8 connections', goal: 4, measure: dovecot },
  { what: 'Postfix end to end', goal: 2, measure: postfix },
]

/** @param {Bench} bench @param {{ readonly withNeighbours?: boolean, readonly where?: string }} options */
export const burst = async (bench, { withNeighbours = false, where = '' }) => {
  const { programs, penny, dir, amounts, reference, say, add } = bench
  const { messages, rounds } = amounts.burst
  const begin = reference.mark()
  const organisation = makeOrganisation(join(dir, 'burst'), 30)
  /** @type {number[]} */
  const rates = []
  /** @type {number[]} */
  const costs = []
  /** @type {Map<string, number[]>} */
  const theirs = new Map()
  /** @type {Map<string, string>} */
  const failed = new Map()
  let lost = 0
  for (let round = 0; round < rounds; round++) {
    await reference.sample()
    // started anew each round, so that no daemon idles beside the neighbours; warm, because a daemon that serves is warm
    const daemon = await startReady(penny, organisation.root)
    await pass(programs, organisation, { way: 'rate', count: 100, value: 100, seconds: 60 })
    await quiet(daemon)
    const cpuBefore = cpuMs(daemon)
    const passage = await pass(programs, organisation, { way: 'burst', count: messages, seconds: 300 })
    costs.push((cpuMs(daemon) - cpuBefore) / messages)
    rates.push(passage.arrivals.length / (passage.tookMs / 1000))
    lost += passage.missing + passage.twice
    say(`burst${where}: ${showRate(rates.at(-1) ?? 0)}${lost > 0 ? `, ${passage.missing} missing, ${passage.twice} twice` : ''}`)
    await quiet(daemon)
    await stopDaemon(daemon)
    await reference.sample()
    if (withNeighbours) await visit(bench, theirs, failed)
  }
  removeOrganisation(organisation)

  const rate = median(rates)
  const [l1, l64] = [reference.l1(begin).rate, reference.l64(begin).rate]
  const goal = Math.min(0.4 * l64, 3 * l1)
  add({
    what: `burst of ${messages.toLocaleString('en')} × 2 KB from 30 writers${where}`,
    measured: showRate(rate) + (lost === 0 ? '' : `; ${lost} lost or twice`),
    beside: `${showRatio(rate / l64)} L64 (${showRate(l64)}), ${showRatio(rate / l1)} L1 (${showRate(l1)}); ${showMs(median(costs))} of CPU each`,
    goal: `≥ ${showRate(goal)} (0.4 × L64 or 3 × L1)`,
    reached: yesNo(rate >= goal && lost === 0),
  })
  if (withNeighbours) addNeighbours(bench, rate, theirs, failed)
}

/** One measurement of each neighbour; one that fails is not tried again.
 * @param {Bench} bench @param {Map<string, number[]>} rates @param {Map<string, string>} failed */
const visit = async (bench, rates, failed) => {
  for (const { what, measure } of neighbours.filter((one) => !failed.has(one.what))) {
    try {
      const rate = await measure(bench)
      rates.set(what, [...(rates.get(what) ?? []), rate])
      bench.say(`${what}: ${showRate(rate)}`)
    } catch (error) {
      failed.set(what, error instanceof Error ? error.message : String(error))
      bench.say(`${what}: ${failed.get(what)}`)
    }
    await bench.reference.sample()
  }
}

/** @param {Bench} bench @param {number} rate @param {ReadonlyMap<string, readonly number[]>} theirs @param {ReadonlyMap<string, string>} failed */
const addNeighbours = (bench, rate, theirs, failed) => {
  for (const { what, goal } of neighbours) {
    const shown = goal === undefined ? '' : `≥ ${goal} ×`
    const trouble = failed.get(what)
    if (trouble !== undefined) {
      bench.add(notMeasured(`beside ${what}`, trouble, shown))
      continue
    }
    const their = median(theirs.get(what) ?? [])
    bench.add({
      what: `beside ${what}`,
      measured: showRatio(rate / their),
      beside: `${showRate(rate)} to ${showRate(their)}`,
      goal: shown,
      reached: goal === undefined ? '' : yesNo(rate / their >= goal),
    })
  }
}
