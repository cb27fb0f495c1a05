/** A holder's text, with what its writer can't have seen. */
import { formatTime } from '../core/time.ts'
import type { Mail } from '../mailbox/index.ts'
import { fixByDiff, keepAside } from './aside.ts'
import { laterThan } from './good.ts'
import { mergeThreeWays } from './threeways.ts'
import type { SettleGiven } from './types.ts'
import { type Gap, updatedOf } from './versions.ts'

type About = Pick<Mail, 'id' | 'holder' | 'subject' | 'folder' | 'file'>

/**
 * The same bytes where nothing lacks; else also what another text, which this one took the place of, had more. One version leads
 * to the next, so a text of three versions ago becomes whole too. What cannot be merged is kept aside and told.
 */
export function whole(given: SettleGiven, mail: About, bytes: Buffer): Buffer {
  const gaps = new Set(given.versions.of(mail))
  let text = bytes
  let updated = gaps.size > 0 ? updatedOf(bytes) : undefined
  while (gaps.size > 0) {
    const gap = [...gaps].find((one) => one.updated === updated)
    const next = gap && updatedOf(gap.whole)
    if (!gap || next === updated) return text
    // Each once: who forges `updated` could lead us in a circle.
    gaps.delete(gap)
    const merged = mergeThreeWays(gap.seen, gap.whole, text)
    if (merged === undefined) {
      keepWhole(given, mail, gap)
      return text
    }
    // What is merged bears the `updated` of the whole one.
    text = merged
    updated = next
  }
  return text
}

/** What a text that does not parse lacks cannot be put in: all of it is kept beside it. */
export function keepLacking(given: SettleGiven, mail: About, text: Buffer): void {
  for (const gap of given.versions.of(mail)) if (text.includes(`updated: ${gap.updated}`)) keepWhole(given, mail, gap)
}

function keepWhole(given: SettleGiven, mail: About, gap: Gap): void {
  const kept = keepAside(given, mail, gap.whole, 'late')
  given.versions.forget(mail, gap)
  given.raise({
    code: 'status-conflict',
    about: mail.id,
    agent: mail.holder,
    sentence: `Message ${mail.id} (${mail.subject}) was changed twice in one moment, at the same place; one of the two texts is kept in ${kept}.`,
    fix: fixByDiff(kept, mail),
  })
}

/** The `updated` of a version to be written; never that of one which was in place for a moment and then taken back. */
export function freshUpdated(given: SettleGiven, mail: Pick<Mail, 'id' | 'holder' | 'updated'>): string {
  const used = new Set(given.versions.of(mail).map(({ updated }) => updated))
  let updated = laterThan(mail.updated, formatTime(given.clock.now()))
  while (used.has(updated)) updated = laterThan(updated, updated)
  return updated
}
