/** A hundred thousand messages: a restart with all of them pending, the memory they take, `penny tasks` when most of them are settled. */
import { readdirSync, renameSync } from 'node:fs'
import { join } from 'node:path'
import { penny as command, quiet, residentBytes, startDaemon, startReady, stopDaemon, waitForCount } from '../harness/daemon.mjs'
import { compare, drop, watchFolders } from '../harness/mail.mjs'
import { median, nowNs, pause, showMb, showMs } from '../harness/numbers.mjs'
import { countNew, inboxes, mailFolder, makeOrganisation, removeOrganisation } from '../harness/organisation.mjs'
import { yesNo } from '../harness/report.mjs'

/** Goals of contract page 4, in milliseconds and bytes. */
const goals = { first: 500, known: 5000, up: 1000, down: 5000, memory: 250e6 }

/** How long filling and settling may take before the bench gives up, in ms. */
const patienceMs = 900_000

/** @typedef {import('../main.mjs').Bench} Bench */
/** @typedef {import('../harness/organisation.mjs').Organisation} Organisation */

/** Has the daemon deliver `count` messages, 10,000 at a time, then waits until it rests.
 * @param {Bench} bench @param {Organisation} organisation @param {number} count */
const fill = async ({ programs, penny, say }, organisation, count) => {
  const daemon = await startReady(penny, organisation.root)
  const end = performance.now() + patienceMs
  for (let dropped = 0; dropped < count; ) {
    const some = Math.min(10_000, count - dropped)
    await drop(programs, organisation, 'burst', some)
    dropped += some
    while (countNew(organisation) < dropped) {
      if (performance.now() > end) throw new Error(`only ${countNew(organisation)} of ${dropped} messages were delivered in ${patienceMs / 1000} s`)
      await pause(250)
    }
    say(`pending: ${dropped.toLocaleString('en')} delivered`)
  }
  await quiet(daemon)
  await stopDaemon(daemon)
}

/** One start with everything pending: from the start of the process to the delivery of a message dropped before it, and to the moment
 * when `penny status` has counted all.
 * @param {Bench} bench @param {Organisation} organisation @param {number} count */
const restart = async ({ programs, penny, say }, organisation, count) => {
  const { seen } = await watchFolders(programs, inboxes(organisation), { count: 1, seconds: 120, mark: 'bench-' })
  const dropped = await drop(programs, organisation, 'burst', 1)
  const daemon = startDaemon(penny, organisation.root)
  const first = compare(dropped, await seen)
  if (first.missing > 0) throw new Error('the message dropped before the start was not delivered within 120 s')
  const dropNs = [...dropped.values()][0] ?? 0
  const firstMs = first.tookMs - (daemon.startedNs - dropNs) / 1e6
  const knownMs = ((await waitForCount(penny, daemon, 'open', count, 120_000)) - daemon.startedNs) / 1e6
  say(`start with ${count.toLocaleString('en')} pending: first delivery ${showMs(firstMs)}, all known ${showMs(knownMs)}`)
  return { daemon, firstMs, knownMs }
}

/** Settles messages as a holder does, by `mv new/X done/`, until `keep` are left, and waits until the daemon has seen it all.
 * @param {Bench} bench @param {Organisation} organisation @param {import('../harness/daemon.mjs').Daemon} daemon @param {number} settle */
const settleMost = async ({ penny, say }, organisation, daemon, settle) => {
  const each = Math.ceil(settle / organisation.agents.length)
  let moved = 0
  for (const agent of organisation.agents) {
    const folder = mailFolder(organisation, agent, 'new')
    for (const name of readdirSync(folder).slice(0, Math.min(each, settle - moved))) {
      renameSync(join(folder, name), join(mailFolder(organisation, agent, 'done'), name))
      moved++
    }
  }
  const begun = nowNs()
  const settledNs = await waitForCount(penny, daemon, 'settled', moved, patienceMs)
  say(`settled ${moved.toLocaleString('en')} messages; the daemon needed ${showMs((settledNs - begun) / 1e6)}`)
  await quiet(daemon)
}

/** @param {Bench} bench @param {string} root @param {number} expected lines at least */
const timeTasks = async ({ penny }, root, expected) => {
  /** @type {number[]} */
  const times = []
  for (let round = 0; round < 3; round++) {
    const begun = performance.now()
    const { code, stdout, stderr } = await command(penny, root, ['tasks', '--json'])
    times.push(performance.now() - begun)
    const listed = stdout.split('\n').length - 1
    if (code !== 0 || listed < expected) throw new Error(`penny tasks ended with ${code} and listed ${listed} of ${expected}: ${stderr.trim()}`)
  }
  return median(times)
}

/** @param {Bench} bench */
export const pending = async (bench) => {
  const { messages, notSettled, restarts } = bench.amounts.pending
  const many = messages.toLocaleString('en')
  const organisation = makeOrganisation(join(bench.dir, 'pending'), 30)
  await fill(bench, organisation, messages)
  /** @type {Awaited<ReturnType<typeof restart>>[]} */
  const starts = []
  for (let round = 0; round < restarts; round++) {
    const one = await restart(bench, organisation, messages)
    starts.push(one)
    if (round < restarts - 1) await stopDaemon(one.daemon)
  }
  const firstMs = median(starts.map((one) => one.firstMs))
  const knownMs = median(starts.map((one) => one.knownMs))
  const daemon = starts.at(-1)?.daemon
  if (daemon === undefined) throw new Error('no restart was measured')
  bench.add({
    what: `start with ${many} pending: first delivery`,
    measured: showMs(firstMs),
    beside: `from the start of the process; median of ${restarts}`,
    goal: `≤ ${showMs(goals.first)}`,
    reached: yesNo(firstMs <= goals.first),
  })
  bench.add({
    what: `start with ${many} pending: all known`,
    measured: showMs(knownMs),
    beside: 'as `penny status` counts them, its own start-up included',
    goal: `≤ ${showMs(goals.known)}`,
    reached: yesNo(knownMs <= goals.known),
  })
  await quiet(daemon)
  await pause(bench.amounts.rest.settleMs)
  const resident = residentBytes(daemon)
  bench.add({
    what: `memory, ${many} messages pending`,
    measured: showMb(resident),
    beside: '',
    goal: `≤ ${showMb(goals.memory)}`,
    reached: yesNo(resident <= goals.memory),
  })
  bench.say(`memory, ${many} pending: ${showMb(resident)}`)

  await settleMost(bench, organisation, daemon, messages - notSettled)
  const upMs = await timeTasks(bench, organisation.root, notSettled)
  await stopDaemon(daemon)
  const downMs = await timeTasks(bench, organisation.root, notSettled)
  removeOrganisation(organisation)
  for (const [state, took, goal] of /** @type {const} */ ([
    ['up', upMs, goals.up],
    ['down', downMs, goals.down],
  ])) {
    bench.say(`penny tasks, daemon ${state}: ${showMs(took)}`)
    bench.add({
      what: `penny tasks over ${many}, ${notSettled.toLocaleString('en')} not settled, daemon ${state}`,
      measured: showMs(took),
      beside: 'median of 3, start-up included',
      goal: `≤ ${showMs(goal)}`,
      reached: yesNo(took <= goal),
    })
  }
}
