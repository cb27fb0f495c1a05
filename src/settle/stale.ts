/** One id has one place: what an editor saves where the message no longer lies is merged if it only adds, else kept aside. */

import type { Mail } from '../mailbox/index.ts'
import { type HolderPart, parseMessage, readHolder, rewrite } from '../message/index.ts'
import { fixByDiff, keepAside, setAside } from './aside.ts'
import { basis } from './decide.ts'
import { locate, type Place, snapshot } from './file.ts'
import { swap } from './swap.ts'
import { MOST_EARLIER, type SettleGiven } from './types.ts'
import { updatedOf } from './versions.ts'
import { freshUpdated, whole } from './whole.ts'

/** False: somebody writes one of the two just now, so it is to be tried again. */
export async function mergeStale(given: SettleGiven, mail: Mail, stale: Place): Promise<boolean> {
  const place = locate(given, mail)
  if (!place) return true
  if (place.stat.ino === stale.stat.ino) {
    // One file under two names (ln): the one that was agreed stays.
    if (place.folder !== stale.folder || place.file !== stale.file) given.disk.unlink(stale.path)
    return true
  }
  const late = snapshot(given, mail, stale)
  if (late === 'busy') return false
  if (late === 'gone') return true
  if (typeof late === 'string') {
    tellKept(given, mail, place, stale, setAside(given, mail, stale.path, 'stale'))
    return true
  }
  try {
    const current = snapshot(given, mail, place)
    if (current === 'busy' || current === 'gone') return false
    if (typeof current === 'string') {
      // Nothing can be merged into it: what it is itself is looked at next.
      tellKept(given, mail, place, stale, setAside(given, mail, stale.path, 'stale'))
      return true
    }
    try {
      const now = whole(given, mail, current.bytes)
      const merged = merge(mail, now, late.bytes)
      if (merged === undefined) tellKept(given, mail, place, stale, keepAside(given, mail, late.bytes, 'stale'))
      else if (merged !== now.toString('utf8')) {
        const updated = freshUpdated(given, mail)
        if (typeof (await swap(given, mail, place, current, rewrite(merged, { updated }))) === 'string') return false
        // What it says of the status is still measured against the version that its holder had.
        mail.earlier = [{ updated, status: basis(mail, updatedOf(now)) }, ...mail.earlier].slice(0, MOST_EARLIER)
      }
      given.disk.unlink(stale.path)
      mail.mark = undefined
      return true
    } finally {
      current.letGo()
    }
  } finally {
    late.letGo()
  }
}

function tellKept(given: SettleGiven, mail: Mail, place: Place, stale: Place, kept: string): void {
  given.raise({
    code: 'status-conflict',
    about: mail.id,
    agent: mail.holder,
    sentence: `An older copy of message ${mail.id} (${mail.subject}) was saved in ${stale.folder}/ while it lies in ${place.folder}/; it is kept in ${kept}.`,
    fix: fixByDiff(kept, { ...place, holder: mail.holder }),
  })
}

/** The current text with what the late one adds; undefined where the late one also takes something away. */
export function merge(mail: Pick<Mail, 'status' | 'updated' | 'earlier'>, current: Buffer, late: Buffer): string | undefined {
  const limits = { frontMatterBytes: Math.max(current.length, late.length) }
  const ours = parseMessage(current, limits)
  const theirs = parseMessage(late, limits)
  if (!ours.ok || !theirs.ok) return undefined
  const ourBody = ours.message.text.slice(ours.message.bodyAt)
  const theirBody = theirs.message.text.slice(theirs.message.bodyAt)
  if (!onlyAdds(ourBody.split('\n'), theirBody.split('\n'))) return undefined
  const theirPart = readHolder(theirs.message)
  const ourPart = readHolder(ours.message)
  if (saysOtherwise(mail, theirPart) || takesAway(ourPart.progress, theirPart.progress) || takesAway(ourPart.result, theirPart.result)) return undefined
  for (const [key, value] of Object.entries(ourPart.extra)) if (JSON.stringify(theirPart.extra[key]) !== JSON.stringify(value)) return undefined
  const front = ours.message.text.slice(0, ours.message.bodyAt)
  return rewrite(front + theirBody, {
    ...(theirPart.progress === undefined ? {} : { progress: theirPart.progress }),
    ...(theirPart.result === undefined ? {} : { result: theirPart.result }),
    ...theirPart.extra,
  })
}

/** A status of its own, not the one of the version it was made from: a decision, which nobody may drop silently. */
function saysOtherwise(mail: Pick<Mail, 'status' | 'updated' | 'earlier'>, late: HolderPart): boolean {
  return late.badStatus !== undefined || (late.status !== undefined && late.status !== basis(mail, late.updated))
}

function takesAway(ours: string | undefined, theirs: string | undefined): boolean {
  return ours !== undefined && theirs?.startsWith(ours) !== true
}

/** Whether every line of `old` stands in `now`, in order. */
function onlyAdds(old: readonly string[], now: readonly string[]): boolean {
  let at = 0
  for (const line of now) if (at < old.length && old[at] === line) at++
  return at === old.length
}
