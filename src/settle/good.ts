/** Texts the daemon can answer for. */
import type { Value } from '../core/message.ts'
import { formatTime } from '../core/time.ts'
import type { Mail } from '../mailbox/index.ts'
import { rewrite } from '../message/index.ts'
import type { SettleGiven } from './types.ts'

/** The message as it was delivered, with the state last agreed, and what its holder had written into its front matter. */
export function lastGoodText(given: SettleGiven, mail: Mail, said: Readonly<Record<string, Value>> = {}): string | undefined {
  const original = given.original(mail.id)
  if (original === undefined) return undefined
  return rewrite(original, {
    ...said,
    ...(mail.status === null ? {} : { status: mail.status }),
    updated: mail.updated,
    ...(mail.blockedOn.length > 0 ? { blocked_on: mail.blockedOn } : {}),
    priority: mail.priority,
    ...(mail.due === undefined ? {} : { due: mail.due }),
    ...(mail.answered === undefined ? {} : { answered: mail.answered }),
  })
}

/** Each version the daemon writes has an `updated` of its own, also within one millisecond and after the clock went back. */
export function laterThan(before: string, now: string): string {
  return now > before ? now : formatTime(Date.parse(before) + 1)
}
