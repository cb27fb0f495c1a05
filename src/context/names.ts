/** What lies in `runs/` of an agent beside the logs of its runs: it may read all of it, and change nothing. */
import { isMessageId, type MessageId } from '../core/ids.ts'
import { isKey, ORDER_END } from '../core/orderfile.ts'
import { timeOfStamp } from '../core/stamp.ts'

/** In `home/`: its own, and the only one of these that it writes. */
export const CHECKPOINT = 'checkpoint.md'
const VERSION = /^(.{36})\.checkpoint-(\d{8}T\d{9}Z)\.md$/

/** The newest of the versions, under a name that stays. */
export const checkpointFile = (id: MessageId): string => `${id}.checkpoint.md`
export const versionFile = (id: MessageId, stamp: string): string => `${id}.checkpoint-${stamp}.md`
export const sealedFile = (id: MessageId): string => `${id}.sealed.json`

function isOrderFile(name: string): boolean {
  return name.endsWith(ORDER_END) && isKey(name.slice(0, -ORDER_END.length))
}

export function versionOf(name: string): Readonly<{ id: MessageId; stamp: string }> | undefined {
  const [, id = '', stamp = ''] = VERSION.exec(name) ?? []
  return isMessageId(id) ? { id, stamp } : undefined
}

/** When this version of the message's checkpoint was kept, RFC 3339; undefined: the file is none. */
export function checkpointTime(id: MessageId, name: string): string | undefined {
  const version = versionOf(name)
  return version?.id === id ? timeOfStamp(version.stamp) : undefined
}

/** Whether the daemon made it for the context of a message: then it is no stray. */
export function isContextFile(name: string): boolean {
  const id = name.slice(0, 36)
  return isOrderFile(name) || versionOf(name) !== undefined || (isMessageId(id) && [checkpointFile(id), sealedFile(id)].includes(name))
}
