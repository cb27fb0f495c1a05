/** A message whose record is lost (somebody removed .penny/): the mirror at its sender proves that it was sent, its own front matter says the rest. */
import { isHolder } from '../core/config.ts'
import type { Admission } from '../core/event.ts'
import { isMessageId, type MessageId } from '../core/ids.ts'
import { KINDS } from '../core/message.ts'
import type { Name } from '../core/names.ts'
import { isLeased, leadsNowhere, parseFileName } from '../mailbox/index.ts'
import { parseMessage, type Values } from '../message/index.ts'
import type { Fd } from '../system/types.ts'
import { largestBytes, type Place, snapshot } from './file.ts'
import type { SettleGiven } from './types.ts'

/** undefined: nothing but its holder speaks for it. `busy`: it, or the mirror, is being written. */
export function admissionByMirror(given: SettleGiven, holder: Name, place: Place, id: MessageId): Admission | 'busy' | undefined {
  const named = parseFileName(place.file)
  const read = snapshot(given, { holder }, place)
  if (read === 'busy') return 'busy'
  if (!named || typeof read === 'string') return undefined
  const from = wordOf(valuesOf(read.bytes), 'from')
  read.letGo()
  if (from === undefined || !isHolder(given.config(), from)) return undefined
  // Written by the daemon, where neither holder nor sender can write (of a person: the sender alone).
  const facts = readMirror(given, from, place.file)
  if (facts === 'busy') return 'busy'
  if (!facts || wordOf(facts, 'id') !== id || wordOf(facts, 'from') !== from || !mayBeFor(given, facts, holder)) return undefined
  const [kind, thread, inReplyTo] = ['kind', 'thread', 'in_reply_to'].map((key) => wordOf(facts, key))
  const [origin, ref, due, expires, created] = ['origin', 'ref', 'due', 'expires', 'created'].map((key) => wordOf(facts, key))
  const subject = wordOf(facts, 'subject') ?? named.slug
  return {
    event: 'admitted',
    drop: id,
    internal: true,
    from,
    via: given.config().agents.has(from) ? 'agent' : 'person',
    ...(origin === undefined ? {} : { origin }),
    ...(ref === undefined ? {} : { ref }),
    sha256: '',
    thread: thread !== undefined && isMessageId(thread) ? thread : id,
    hops: 0,
    ...(inReplyTo !== undefined && isMessageId(inReplyTo) ? { in_reply_to: inReplyTo } : {}),
    ...(due === undefined ? {} : { due }),
    ...(expires === undefined ? {} : { expires }),
    ...(created === undefined ? {} : { created }),
    name: place.file,
    copies: [{ id, to: holder, kind: KINDS.find((one) => one === kind) ?? 'task', file: place.file, subject, priority: named.priority, rank: named.rank }],
  }
}

function readMirror(given: SettleGiven, from: Name, file: string): Values | 'busy' | undefined {
  const { disk, layout, pins } = given
  let fd: Fd
  try {
    fd = disk.openRead(pins.at(layout.sent(from), file))
  } catch (cause) {
    if (leadsNowhere(cause)) return undefined
    if (isLeased(cause)) return 'busy'
    throw cause
  }
  try {
    const { kind, size, links } = disk.fstat(fd)
    return kind === 'file' && links === 1 && size <= largestBytes(given) ? valuesOf(disk.read(fd, size)) : undefined
  } finally {
    disk.close(fd)
  }
}

function valuesOf(bytes: Uint8Array): Values | undefined {
  const parsed = parseMessage(bytes, { frontMatterBytes: bytes.length })
  return parsed.ok ? parsed.message.values : undefined
}

function wordOf(values: Values | undefined, key: string): string | undefined {
  const value = values?.[key]
  return typeof value === 'string' ? value : undefined
}

/** It names this holder, or a group: whoever else is named by a name alone is another. */
function mayBeFor(given: SettleGiven, facts: Values, holder: Name): boolean {
  const addresses = [facts['to'], facts['cc']].flat().filter((address) => typeof address === 'string')
  return addresses.some((address) => address === holder || !isHolder(given.config(), address))
}
