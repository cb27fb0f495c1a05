/** What a holder may not change is put back. */
import type { Value } from '../core/message.ts'
import { oneLine } from '../core/text.ts'
import { digestOf, type Mail } from '../mailbox/index.ts'
import { type HolderPart, type MessageText, parseMessage, readHolder, rewrite } from '../message/index.ts'
import type { SettleGiven } from './types.ts'

export type Mended = Readonly<{
  text: string
  /** Whether everything is as it was; else the original is past the retention time, and only what the journal tells is. */
  isWhole: boolean
}>

/** The text with everything put back that is not the holder's, as far as it is known; undefined where nothing was changed. */
export function restoreProtected(
  mail: Mail,
  bytes: Uint8Array,
  message: MessageText,
  holder: HolderPart,
  lastGood: () => string | undefined,
): Mended | undefined {
  const seen = digestOf(holder.protectedPart)
  if (mail.protectedHash === undefined && mail.contentHash === digestOf(bytes)) mail.protectedHash = seen
  if (mail.protectedHash === seen) return undefined
  const good = lastGood()
  const reference = good === undefined ? undefined : parseMessage(Buffer.from(good), { frontMatterBytes: good.length * 4 })
  if (good === undefined || !reference?.ok) return restoreFacts(mail, message, seen)
  mail.protectedHash = digestOf(readHolder(reference.message).protectedPart)
  if (mail.protectedHash === seen) return undefined
  const own = Object.fromEntries(
    Object.entries(message.values).filter(([key]) => ['status', 'result', 'progress', 'blocked_on'].includes(key) || key.startsWith('x-')),
  )
  const body = message.text.slice(message.bodyAt)
  const front = good.slice(0, reference.message.bodyAt)
  return { text: rewrite(front + body, { ...own, ...(holder.updated === undefined ? {} : { updated: holder.updated }) }), isWhole: true }
}

/** Without the original: what the journal tells of every message. Something else was changed where the digest was known. */
function restoreFacts(mail: Mail, message: MessageText, seen: string): Mended | undefined {
  const wasKnown = mail.protectedHash !== undefined
  const wrong = Object.fromEntries(
    Object.entries(factsOf(mail)).filter(([key, fact]) => ![message.values[key], message.written[key]].some((value) => says(value, fact))),
  )
  const text = Object.keys(wrong).length === 0 ? message.text : rewrite(message.text, wrong)
  const now = text === message.text ? undefined : parseMessage(Buffer.from(text), { frontMatterBytes: text.length * 4 })
  // Told once: from here on it is what it is.
  mail.protectedHash = now?.ok ? digestOf(readHolder(now.message).protectedPart) : seen
  return wasKnown || now !== undefined ? { text, isWhole: false } : undefined
}

/** What stands in every delivered text, and in the journal too. */
function factsOf(mail: Mail): Readonly<Record<string, string>> {
  const { id, from, via, origin, kind, subject, priority, thread, due, answered } = mail
  return {
    id,
    from,
    via,
    origin: origin ?? via,
    kind,
    subject,
    priority,
    thread,
    ...(due === undefined ? {} : { due }),
    ...(answered === undefined ? {} : { answered }),
  }
}

/** A sender's own words may stand there in more than one way. */
const says = (value: Value | undefined, fact: string): boolean =>
  value !== undefined && value !== null && typeof value !== 'object' && oneLine(String(value)) === oneLine(fact)

export function tellTampered(given: SettleGiven, mail: Mail, { isWhole }: Mended): void {
  const what = isWhole
    ? 'it was put back'
    : 'its original is past the retention time, so only what the journal tells of it (sender, subject, priority …) was put back'
  given.raise({
    code: 'tampered',
    about: mail.id,
    agent: mail.holder,
    sentence: `${mail.holder} changed a part of message ${mail.id} (${mail.subject}) that is not its to change; ${what}.`,
    fix: `penny log ${mail.id}`,
  })
}
