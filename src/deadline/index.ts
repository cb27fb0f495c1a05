/**
 * What is late, and who is told.
 *
 * Given: a clock, the ledger of open mail, the configuration, what raises and closes alerts, what seals a letter, changes a
 * status and records an event; a small state that survives restarts (`.penny/state/deadlines.json`).
 * Returns: `check`, one pass over the ledger: per agent one alert each for stuck-new, stuck-cur, overdue and answered-open,
 * blocked-cycle per circle, `expires`; a note to the holder, at twice the time to its manager, at three times to the
 * postmaster, each once. And the canary.
 * Which time counts: not while the daemon was down (known to 10 s), not while the holder was paused, not while a task is
 * blocked; when it is unblocked its clock begins anew. `due` and `expires` follow the wall clock through everything.
 * When it fails: `check` never rejects; a note that cannot be sealed is tried again at the next look, under the same key.
 */
export { type Canary, type CanaryGiven, createCanary, type Flown, type Station } from './canary.ts'
export { createDeadlines, type Deadlines, type DeadlinesGiven, type DeadlinesState } from './deadlines.ts'
