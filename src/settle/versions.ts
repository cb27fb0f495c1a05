/**
 * Which text lacks what. Every version the daemon writes has an `updated` of its own, and a text that was made from it bears it
 * still (sed -i, an editor): so it tells what its writer had before him, and with that what he can't have seen.
 */
import type { MessageId } from '../core/ids.ts'
import type { Name } from '../core/names.ts'
import type { Mail } from '../mailbox/index.ts'
import { parseMessage, readHolder } from '../message/index.ts'

export type Gap = Readonly<{
  id: MessageId
  updated: string
  /** What a text with this `updated` was made from. */
  seen: Buffer
  /** What it should have been made from. */
  whole: Buffer
}>

export type Versions = Readonly<{
  /** Who was shown `seen` lacks what `whole` has more. */
  note: (mail: Pick<Mail, 'holder' | 'id'>, seen: Buffer, whole: Buffer) => void
  of: (mail: Pick<Mail, 'holder' | 'id'>) => readonly Gap[]
  forget: (mail: Pick<Mail, 'holder'>, gap: Gap) => void
}>

/** Kept for each holder, whatever its messages grow to: so nobody pushes out what another needs. */
const MOST_BYTES = 512 * 1024
/** Kept even if they are larger. */
const FEWEST = 4

export function makeVersions(): Versions {
  const byHolder = new Map<Name, Gap[]>()
  return {
    note: ({ holder, id }, seen, whole) => {
      const updated = updatedOf(seen)
      if (updated === undefined) return
      const gaps = (byHolder.get(holder) ?? []).filter((gap) => gap.id !== id || gap.updated !== updated)
      gaps.push({ id, updated, seen, whole })
      byHolder.set(holder, newest(gaps))
    },
    of: ({ holder, id }) => (byHolder.get(holder) ?? []).filter((gap) => gap.id === id),
    forget: ({ holder }, gap) =>
      void byHolder.set(
        holder,
        (byHolder.get(holder) ?? []).filter((one) => one !== gap),
      ),
  }
}

function newest(gaps: Gap[]): Gap[] {
  let from = gaps.length
  for (let bytes = 0; from > 0; from--) {
    const gap = gaps[from - 1]
    bytes += gap ? gap.seen.length + gap.whole.length : 0
    if (bytes > MOST_BYTES && gaps.length - from >= FEWEST) break
  }
  return gaps.slice(from)
}

export function updatedOf(text: Buffer): string | undefined {
  const parsed = parseMessage(text, { frontMatterBytes: text.length })
  return parsed.ok ? readHolder(parsed.message).updated : undefined
}
