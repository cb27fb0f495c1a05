/**
 * What happened, and what was about to happen.
 *
 * Given: a disk, a clock, a folder under .penny/ that nobody else writes.
 * Returns: the journal (facts, one JSON line each, kept for ever in closed segments, so that an audit log can take their
 * hashes) and the sealed log (intents with the bytes of each drop, kept for the retention time, and longer while they are needed).
 * Both are append-only; a line half written at a crash is cut off at the next start. Many writers share one fdatasync.
 * When it fails: a full disk rejects `seal` with nothing written, so that the drop stays where it is; `sync` rejects with
 * the system's error and may be called again.
 */
export type { AdmitIntent, HoldIntent, Intent, RepeatIntent, SealedCopy, Source } from './intents.ts'
export { JOURNAL_START, type Journal, openJournal } from './journal.ts'
export { openSealed, type Sealed } from './sealed.ts'
export { openSegments, type Position, type Segments } from './segments.ts'
