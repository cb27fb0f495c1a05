/**
 * Waking agents: which message is next, its run from claim to consequence, and what is left of runs when a daemon dies.
 *
 * Given: the ledger, and functions of the other rooms (`WakeGiven`): how a status is changed, a letter submitted, a fault
 * raised, as whom an agent acts.
 * Returns: a dispatcher. Nothing is started before `recover` is through. Of all agents that may run one more, the most
 * urgent and then oldest message is claimed and the agent's command started for it, within the limits of org.yaml.
 * Order of writing: the run's record, the claim, the process, pid and start time; at the end what follows from it, then
 * doing that. So whatever moment the daemon dies at, the next one ends what still runs and returns the claim, or finishes
 * what follows; a reply goes out once per run.
 * When it fails: a program that cannot be started is an attempt; a disk that takes no record holds new runs for 5 s and
 * keeps an ended run's consequences until they can be done.
 */
export { createDispatcher, type Dispatcher, type Running } from './dispatcher.ts'
export type { Identity, Models, WakeGiven } from './given.ts'
export { type Presented, present } from './present.ts'
export { tryJail } from './tryjail.ts'
