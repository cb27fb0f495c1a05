/** Writers that pause in the middle, under the final name: never delivered early, delivered soon after the close. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { quiet, startReady, stopDaemon } from '../harness/daemon.mjs'
import { pass } from '../harness/mail.mjs'
import { median, showMs } from '../harness/numbers.mjs'
import { inboxes, makeOrganisation, removeOrganisation } from '../harness/organisation.mjs'
import { messageBytes } from '../harness/reference.mjs'
import { yesNo } from '../harness/report.mjs'

/** The goal of contract page 4. */
const goalMs = 50

/** @typedef {import('../harness/organisation.mjs').Organisation} Organisation */

/** Bytes after the front matter. @param {Buffer} text */
const bodyBytes = (text) => text.length - (text.indexOf('\n---\n') + 5)

/** Whether the delivered body is as long as the one that bench/c/drop wrote.
 * @param {Organisation} organisation @param {import('../harness/mail.mjs').Arrival} arrival */
const isWhole = (organisation, { number, name }) => {
  for (const [n, folder] of inboxes(organisation).entries()) {
    try {
      const head = `---\nto: ${organisation.agents[n]}\nsubject: bench-${number}\n---\n`
      return bodyBytes(readFileSync(join(folder, name))) === messageBytes - head.length
    } catch (error) {
      if (/** @type {NodeJS.ErrnoException} */ (error).code !== 'ENOENT') throw error
    }
  }
  return false
}

/** @param {import('../main.mjs').Bench} bench */
export const slow = async ({ programs, penny, dir, amounts, reference, say, add }) => {
  const { writers, pausesMs } = amounts.slow
  const organisation = makeOrganisation(join(dir, 'slow'), 30)
  const daemon = await startReady(penny, organisation.root)
  await pass(programs, organisation, { way: 'rate', count: 100, value: 100, seconds: 60 })
  for (const pauseMs of pausesMs) {
    await quiet(daemon)
    const { arrivals, missing } = await pass(programs, organisation, { way: 'slow', count: writers, value: pauseMs, seconds: pauseMs / 1000 + 30 })
    const latencies = arrivals.map((arrival) => arrival.latencyMs)
    const early = latencies.filter((ms) => ms < 0).length
    const cut = arrivals.filter((arrival) => !isWhole(organisation, arrival)).length
    const worst = Math.max(...latencies)
    say(`slow writer, ${pauseMs} ms: p50 ${showMs(median(latencies))}, worst ${showMs(worst)}, ${early} early, ${cut} cut, ${missing} missing`)
    add({
      what: `slow writer, ${pauseMs / 1000} s of silence in the middle (${writers} writers): close → new/`,
      measured: `worst ${showMs(worst)}`,
      beside: `p50 ${showMs(median(latencies))}; ${early} early, ${cut} cut off, ${missing} missing`,
      goal: `≤ ${goalMs} ms, never early`,
      reached: yesNo(worst <= goalMs && early + cut + missing === 0),
    })
  }
  await stopDaemon(daemon)
  removeOrganisation(organisation)
  await reference.sample()
}
