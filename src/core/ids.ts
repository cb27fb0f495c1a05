/** Message ids are UUIDv7 (RFC 9562, section 5.7), lower case; one per delivered copy. */

declare const idBrand: unique symbol
export type MessageId = string & { readonly [idBrand]: true }

const PATTERN = /^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/

export function isMessageId(text: string): text is MessageId {
  return PATTERN.test(text)
}

/** The id made of 48 bits of milliseconds, a 12-bit counter and 62 random bits. */
export function formatId(atMs: number, counter: number, random: Uint8Array): MessageId {
  const time = Math.floor(atMs).toString(16).padStart(12, '0')
  const tail = Buffer.from(random.buffer, random.byteOffset, 8).toString('hex')
  const variant = ((Number.parseInt(tail[0] ?? '0', 16) & 0x3) | 0x8).toString(16)
  const counterHex = (counter & 0xfff).toString(16).padStart(3, '0')
  return `${time.slice(0, 8)}-${time.slice(8)}-7${counterHex}-${variant}${tail.slice(1, 4)}-${tail.slice(4)}` as MessageId
}

/** Milliseconds since 1970 at which the id was made. */
export function idTimeMs(id: MessageId): number {
  return Number.parseInt(id.slice(0, 8) + id.slice(9, 13), 16)
}

/** The 12-bit counter that orders ids made in one millisecond. */
export function idCounter(id: MessageId): number {
  return Number.parseInt(id.slice(15, 18), 16)
}

/** A sender's own handle for a message (contract, page 2). */
export function isRef(text: string): boolean {
  return /^[A-Za-z0-9._-]{1,64}$/.test(text)
}

/** When a message was made: its id tells, but for one that was made after the clock was stepped, for ids only grow and grow slowly. */
export function createdMsOf(id: MessageId, created: string | undefined): number {
  return created === undefined ? idTimeMs(id) : Date.parse(created)
}
