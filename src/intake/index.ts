/**
 * Sees a drop, waits until it is whole, hands it over.
 *
 * Given: the drop folders (spool, boxes, outboxes), a watch that hints and a disk that knows.
 * Returns: to the `handle` it was given, each file once it is complete: nobody has it open for writing, and its bytes
 * are a stable snapshot. What cannot be a message (a link, pipe, folder …) goes to `refuse` unopened.
 * An event only says "look at this name"; `sweep` lists every folder that changed and makes up for any event that was lost.
 * Work is taken from all folders in turn, so a flood in one does not delay the others.
 * When it fails: a file that cannot be read is named by an alert and looked at again, with growing delay; an internal
 * error on one file sets that file aside in the same way.
 */
export { createIntake, type Intake } from './intake.ts'
export { createLeftovers } from './leftovers.ts'
export type { DropFolder, Fate, IntakeGiven, Taken } from './types.ts'
