/**
 * The config room: `policies/` → an immutable Config.
 *
 * Given:   a Disk and the folder (`readPolicies`), or files made in code (`filesFrom`); in system mode what the machine has
 *          (`Machine`).
 * Returns: `loadConfig` checks every file against every other and returns a deeply frozen snapshot with a digest over
 *          all names and contents; a new configuration is another snapshot, never a change of this one.
 * Fails:   as a value, with *all* problems: file, line, column, one sentence and the nearest known word
 *          (`describeProblem` makes the line to show). A broken, unreadable, missing or empty folder is a problem,
 *          never an organisation without agents. It throws only for mistakes of its own.
 *
 * What is accepted without being acted on: `checkpoints_to:` of org.yaml; `speaks_for bridge` and x-… of agents; the
 * contents of authority/ bridges/ guarded/.
 */
export { type ExampleFile, exampleFiles } from './example.ts'
export { describeProblem, filesFrom, type PolicyFiles, type Problem } from './files.ts'
export { type Loaded, loadConfig } from './load.ts'
export type { Machine } from './machine.ts'
export { readPolicies } from './read.ts'
