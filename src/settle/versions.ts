/**
 * Which text lacks what. Every version the daemon writes has an `updated` of its own, and a text that was made from it bears it
 * still (sed -i, an editor): so it tells what its writer had before him, and with that what he can't have seen.
 */
import type { MessageId } from '../core/ids.ts'
import type { Name } from '../core/names.ts'
import type { Mail } from '../mailbox/index.ts'
import { parseMessage, readHolder } from '../message/index.ts'
import type { Clock } from '../system/types.ts'

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
  /** Lets go what is too old for anybody to be still at work on. */
  sweep: () => void
}>

/** Kept for each holder, whatever its messages grow to: so nobody pushes out what another needs. */
const MOST_BYTES = 512 * 1024
/** Kept even if they are larger. */
const FEWEST = 4
/** Kept for all holders together. Above it each keeps its share of the half, so who has little loses nothing. */
const MOST_BYTES_OF_ALL = 64 * 1024 * 1024
const OLDEST_MS = 10 * 60_000

type Kept = Gap & Readonly<{ atMs: number }>

export function makeVersions(clock: Pick<Clock, 'monotonic'>): Versions {
  const byHolder = new Map<Name, readonly Kept[]>()
  let bytes = 0

  const gapsOf = (holder: Name): readonly Kept[] => byHolder.get(holder) ?? []

  function keep(holder: Name, gaps: readonly Kept[]): void {
    bytes += sizeOf(gaps) - sizeOf(gapsOf(holder))
    if (gaps.length > 0) byHolder.set(holder, gaps)
    else byHolder.delete(holder)
  }

  return {
    note: ({ holder, id }, seen, whole) => {
      const updated = updatedOf(seen)
      if (updated === undefined) return
      const gaps = gapsOf(holder).filter((gap) => gap.id !== id || gap.updated !== updated)
      keep(holder, newest([...gaps, { id, updated, seen, whole, atMs: clock.monotonic() }], MOST_BYTES, FEWEST))
      if (bytes <= MOST_BYTES_OF_ALL) return
      const share = MOST_BYTES_OF_ALL / 2 / byHolder.size
      for (const [one, held] of byHolder) keep(one, newest(held, share, 0))
    },
    of: ({ holder, id }) => gapsOf(holder).filter((gap) => gap.id === id),
    forget: ({ holder }, gap) =>
      keep(
        holder,
        gapsOf(holder).filter((one) => one !== gap),
      ),
    sweep: () => {
      const oldest = clock.monotonic() - OLDEST_MS
      for (const [holder, gaps] of byHolder)
        if (gaps.some(({ atMs }) => atMs < oldest))
          keep(
            holder,
            gaps.filter(({ atMs }) => atMs >= oldest),
          )
    },
  }
}

const sizeOf = (gaps: readonly Gap[]): number => gaps.reduce((sum, { seen, whole }) => sum + seen.length + whole.length, 0)

function newest(gaps: readonly Kept[], mostBytes: number, fewest: number): readonly Kept[] {
  let from = gaps.length
  for (let bytes = 0; from > 0; from--) {
    bytes += sizeOf(gaps.slice(from - 1, from))
    if (bytes > mostBytes && gaps.length - from >= fewest) break
  }
  return from === 0 ? gaps : gaps.slice(from)
}

export function updatedOf(text: Buffer): string | undefined {
  const parsed = parseMessage(text, { frontMatterBytes: text.length })
  return parsed.ok ? readHolder(parsed.message).updated : undefined
}
