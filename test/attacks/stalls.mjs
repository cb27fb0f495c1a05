/**
 * Loaded into a daemon before its own code (node --import): how long its event loop stood still, a line for each time that is worth one.
 * What the machine gave to other programs meanwhile is no fault of the daemon's: the kernel says how long it waited for a processor.
 * PENNY_STALLS names the file.
 */
import { appendFileSync, readFileSync } from 'node:fs'

const TICK_MS = 10
const WORTH_A_LINE_MS = 40
const file = process.env.PENNY_STALLS

/** schedstats of Linux (Documentation/scheduler/sched-stats): time on a processor, time waiting for one, in nanoseconds. */
function scheduled() {
  const [ran = 0, waited = 0] = readFileSync('/proc/self/schedstat', 'utf8').split(' ').map(Number)
  return { ranMs: ran / 1e6, waitedMs: waited / 1e6 }
}

let lastAt = performance.now()
let last = scheduled()
setInterval(() => {
  const now = performance.now()
  const since = now - lastAt - TICK_MS
  const next = scheduled()
  const stoodMs = since - (next.waitedMs - last.waitedMs)
  if (stoodMs > WORTH_A_LINE_MS)
    appendFileSync(file, `${JSON.stringify({ at: Date.now(), stoodMs: Math.round(stoodMs), ranMs: Math.round(next.ranMs - last.ranMs) })}\n`)
  lastAt = now
  last = next
}, TICK_MS).unref()
