/**
 * One file per cause, for whoever must act.
 *
 * Given: a clock, a disk, ids, a log, the layout, the configuration (for the scheme's words, the retention and the notify
 * commands), what records an event and what starts a notify command.
 * Returns: `raise` and `clear` for every other room; `done` and `open` for the command line; `sweep`, which makes memory and
 * `spool/alerts/` agree: what a person moved to done/ or removed is closed, an event is closed after 24 h, closed ones go
 * after the retention. `operationsPage`: docs/operations.md, from the fault table.
 * Bounded: twenty files of one code for one agent, 1,000 of one code, and one each that counts the rest.
 * When it fails: `raise` never throws; an alert that cannot be written (the disk is full) stays in memory, is in the log and
 * the journal, and is written by a later sweep. Alerts are not fsynced: after a power cut an event whose file is empty says so.
 */
export { type Alerts, type AlertsGiven, type AlertView, createAlerts } from './alerts.ts'
export { keyOf } from './key.ts'
export { makeNotices, type Notices } from './notice.ts'
export { operationsPage } from './operations.ts'
