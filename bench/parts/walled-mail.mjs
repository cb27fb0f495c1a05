/** Mail and runs with walls beside the same without, in turn: agents with uids of their own beside one uid for all, jails beside none. */
import { join } from 'node:path'
import { cpuMs, quiet, startReady, stopDaemon } from '../harness/daemon.mjs'
import { compare, drop, pass, watchFolders } from '../harness/mail.mjs'
import { median, percentile, showMs, showRate, showRatio } from '../harness/numbers.mjs'
import { mailFolder, makeOrganisation, removeOrganisation } from '../harness/organisation.mjs'

/** @typedef {import('../main.mjs').Bench} Bench */
/** @typedef {import('./walls.mjs').Mode} Mode */

/** @param {Bench} bench @param {Mode} walled @param {Mode} plain */
export const delivery = async (bench, walled, plain) => {
  const { programs, penny, dir, amounts, say, add } = bench
  const { warmUp, messages, perSecond, burst, rounds } = amounts.walls
  const sides = [walled, plain].map(({ mode, as }) => ({
    mode,
    as,
    organisation: makeOrganisation(join(dir, `walls-mail-${mode.replace(' ', '-')}`), 30, { owner: as }),
    latencies: /** @type {number[]} */ ([]),
    rates: /** @type {number[]} */ ([]),
    lost: 0,
  }))
  for (let round = 0; round < rounds; round++) {
    // now the one first, now the other: neither always finds the disk as the other left it
    for (const side of round % 2 === 0 ? sides : [...sides].reverse()) {
      const daemon = await startReady(penny, side.organisation.root, undefined, side.as)
      await pass(programs, side.organisation, { way: 'rate', count: warmUp, value: perSecond, seconds: warmUp / perSecond + 30 })
      await quiet(daemon)
      const steady = await pass(programs, side.organisation, { way: 'rate', count: messages, value: perSecond, seconds: messages / perSecond + 30 })
      await quiet(daemon)
      const crowd = await pass(programs, side.organisation, { way: 'burst', count: burst, seconds: 300 })
      await quiet(daemon)
      await stopDaemon(daemon)
      side.latencies.push(...steady.arrivals.map(({ latencyMs }) => latencyMs))
      side.rates.push(crowd.arrivals.length / (crowd.tookMs / 1000))
      side.lost += steady.missing + steady.twice + crowd.missing + crowd.twice
      say(`delivery, ${side.mode}: p50 ${showMs(median(side.latencies))}, p99 ${showMs(percentile(side.latencies, 0.99))}, ${showRate(side.rates.at(-1) ?? 0)}`)
    }
  }
  for (const { organisation } of sides) removeOrganisation(organisation)
  const [one, other] = sides
  if (one === undefined || other === undefined) return
  const trouble = one.lost + other.lost === 0 ? '' : `; ${one.lost} and ${other.lost} lost or twice`
  for (const [what, share] of /** @type {const} */ ([
    ['p50', 0.5],
    ['p99', 0.99],
  ])) {
    const [a, b] = [percentile(one.latencies, share), percentile(other.latencies, share)]
    add({
      what: `drop → new/ at ${perSecond}/s with walls, ${what}`,
      measured: showMs(a) + trouble,
      beside: `${showRatio(a / b)} without (${showMs(b)}): ${one.mode} beside ${other.mode}, in turn`,
      goal: '',
      reached: '',
    })
  }
  const [a, b] = [median(one.rates), median(other.rates)]
  add({
    what: `burst of ${burst.toLocaleString('en')} × 2 KB from 30 writers with walls`,
    measured: showRate(a) + trouble,
    beside: `${showRatio(a / b)} without (${showRate(b)})`,
    goal: '',
    reached: '',
  })
}

/** Tasks that a runner settles which does nothing, from the first drop to the last one in done/.
 * @param {Bench} bench */
export const runs = async ({ programs, penny, dir, amounts, say, add }) => {
  const { runs: count, rounds } = amounts.walls
  const org = 'wake: { concurrency: 8, stagger: 0s }\n'
  const runner = 'runner: { command: [/usr/bin/true] }\n'
  const sides = ['', 'jail: none\n'].map((jail) => ({
    organisation: makeOrganisation(join(dir, `walls-runs-${jail === '' ? 'jailed' : 'plain'}`), 30, { org, agent: runner + jail }),
    what: jail === '' ? 'in jails' : 'jail: none',
    rates: /** @type {number[]} */ ([]),
    costs: /** @type {number[]} */ ([]),
    missing: 0,
  }))
  for (let round = 0; round < rounds; round++) {
    for (const side of round % 2 === 0 ? sides : [...sides].reverse()) {
      const daemon = await startReady(penny, side.organisation.root)
      await quiet(daemon)
      const folders = side.organisation.agents.map((agent) => mailFolder(side.organisation, agent, 'done'))
      const cpuBefore = cpuMs(daemon)
      const { seen } = await watchFolders(programs, folders, { count, seconds: 120, mark: 'bench-' })
      const passage = compare(await drop(programs, side.organisation, 'burst', count), await seen)
      await quiet(daemon)
      side.costs.push((cpuMs(daemon) - cpuBefore) / count)
      await stopDaemon(daemon)
      side.rates.push(passage.arrivals.length / (passage.tookMs / 1000))
      side.missing += passage.missing
      say(`runs, ${side.what}: ${showRate(side.rates.at(-1) ?? 0)}${passage.missing === 0 ? '' : `, ${passage.missing} missing`}`)
    }
  }
  for (const { organisation } of sides) removeOrganisation(organisation)
  const [jailed, plain] = sides.map((side) => median(side.rates))
  const [jailedCost, plainCost] = sides.map((side) => showMs(median(side.costs)))
  const missing = sides.reduce((sum, side) => sum + side.missing, 0)
  add({
    what: `tasks handled by \`true\`, 8 runs at once, in jails`,
    measured: showRate(jailed ?? 0) + (missing === 0 ? '' : `; ${missing} not handled`),
    beside: `${showRatio((jailed ?? 0) / (plain ?? 0))} jail: none (${showRate(plain ?? 0)}); ${jailedCost} to ${plainCost} of CPU each; ${process.getuid?.() === 0 ? 'system mode' : 'user mode'}, in turn`,
    goal: '',
    reached: '',
  })
}
