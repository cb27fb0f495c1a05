/** The daemon with nothing to do: memory with thirty and with three thousand agents, CPU with thirty. */
import { join } from 'node:path'
import { cpuMs, quiet, residentBytes, startReady, stopDaemon } from '../harness/daemon.mjs'
import { pause, showMb } from '../harness/numbers.mjs'
import { makeOrganisation, removeOrganisation } from '../harness/organisation.mjs'
import { yesNo } from '../harness/report.mjs'

/** Goals of contract page 4: bytes for thirty agents and for three thousand, share of a core. */
const goals = { few: 100e6, many: 160e6, cpu: 0.002 }

/**
 * Four folders of each agent are looked at every second, for a report that may have been lost: some 15 µs an agent. With thousands
 * that is several percent of a core for as long as the daemon lives, and no sign that it has something left to do.
 */
const restMs = (/** @type {number} */ agents) => 30 + agents * 0.02

/** @param {import('../main.mjs').Bench} bench @param {number} agents @param {number} goal */
const atRest = async ({ penny, dir, amounts, say, add }, agents, goal) => {
  const organisation = makeOrganisation(join(dir, `rest-${agents}`), agents)
  const daemon = await startReady(penny, organisation.root, 180_000)
  const still = await quiet(daemon, restMs(agents))
  await pause(amounts.rest.settleMs)
  const resident = residentBytes(daemon)
  say(`memory, ${agents} agents at rest: ${showMb(resident)}`)
  add({
    what: `memory, ${agents.toLocaleString('en')} agents at rest`,
    measured: showMb(resident),
    beside: still ? '' : 'it did not come to rest within two minutes',
    goal: `≤ ${showMb(goal)}`,
    reached: yesNo(still && resident <= goal),
  })
  return { organisation, daemon }
}

/** @param {import('../main.mjs').Bench} bench */
export const rest = async (bench) => {
  const { agents, idleMs } = bench.amounts.rest
  const few = await atRest(bench, 30, goals.few)
  const before = cpuMs(few.daemon)
  const begun = performance.now()
  await pause(idleMs)
  const share = (cpuMs(few.daemon) - before) / (performance.now() - begun)
  bench.say(`idle CPU: ${(share * 100).toFixed(2)} %`)
  bench.add({
    what: 'idle CPU, 30 agents',
    measured: `${(share * 100).toFixed(2)} % of a core`,
    beside: `over ${idleMs / 1000} s, the canary of each minute included`,
    goal: `≤ ${goals.cpu * 100} %`,
    reached: yesNo(share <= goals.cpu),
  })
  await stopDaemon(few.daemon)
  removeOrganisation(few.organisation)
  const many = await atRest(bench, agents, goals.many)
  await stopDaemon(many.daemon)
  removeOrganisation(many.organisation)
}
