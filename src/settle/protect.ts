/** What a holder may not change is put back. */
import { digestOf, type Mail } from '../mailbox/index.ts'
import { type HolderPart, type MessageText, parseMessage, readHolder, rewrite } from '../message/index.ts'

/** The text with everything put back that is not the holder's; undefined where nothing was changed, or nothing is known. */
export function restoreProtected(
  mail: Mail,
  bytes: Uint8Array,
  message: MessageText,
  holder: HolderPart,
  lastGood: () => string | undefined,
): string | undefined {
  const seen = digestOf(holder.protectedPart)
  if (mail.protectedHash === undefined && mail.contentHash === digestOf(bytes)) mail.protectedHash = seen
  if (mail.protectedHash === seen) return undefined
  const good = lastGood()
  const reference = good === undefined ? undefined : parseMessage(Buffer.from(good), { frontMatterBytes: good.length * 4 })
  if (good === undefined || !reference?.ok) return undefined
  mail.protectedHash = digestOf(readHolder(reference.message).protectedPart)
  if (mail.protectedHash === seen) return undefined
  const own = Object.fromEntries(
    Object.entries(message.values).filter(([key]) => ['status', 'result', 'progress', 'blocked_on'].includes(key) || key.startsWith('x-')),
  )
  const body = message.text.slice(message.bodyAt)
  const front = good.slice(0, reference.message.bodyAt)
  return rewrite(front + body, { ...own, ...(holder.updated === undefined ? {} : { updated: holder.updated }) })
}
