/**
 * Messages that come again and again: policies/schedules/*.md.
 *
 * Given: a clock, the file that remembers the last slot of each schedule, the configuration, and `drop`, which puts a
 * schedule's message into the mail once per name and slot, however often it is asked.
 * Returns: a scheduler. It drops each slot within a second of its time; slots that passed while nobody was there are made
 * up by one drop, that of the latest. A schedule that is new or changed begins now: no slot of the past is its.
 * Slots are those of crontab(5), on the wall clock of the schedule's time zone (slots.ts says what happens when it is set).
 * When it fails: a drop that is refused (a full disk, a full mailbox) stays due and is tried again every 5 s; an expression that node-cron
 * cannot read is said in the log, and the other schedules go on.
 */
export { createScheduler, RETRY_MS, type Scheduler, type SchedulerGiven } from './scheduler.ts'
export { latestSlot, nextSlot, readRule, type SlotRule } from './slots.ts'
