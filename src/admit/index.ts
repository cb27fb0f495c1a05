/**
 * Checks a complete drop against every rule of contract page 2, and plans its delivery or says why not.
 *
 * Given: the envelope (what the system knows), the parsed text (what the sender says), the configuration, and questions
 * it may ask about other messages.
 * Returns: a plan (recipients, what will be stamped on the copies), or `hold` with a code, all complaints with their place,
 * a sentence and a fix; `repeat` for a message that was sent before under the same ref; `wait` where time will tell
 * (not_before, a full mailbox, knowledge that is still being read).
 * It touches no file. When it fails it has a bug: every input has an answer.
 */
export { hopsFrom, judge } from './judge.ts'
export type { AdmitPlan, Asked, Parent, Verdict } from './types.ts'
