/** Whether a client may compact its context now, or must write a checkpoint first. Pure: the hook of Claude Code asks. */
import { NEARLY_FULL } from '../core/marks.ts'
import type { Order } from './order.ts'

/** What the hook remembers of a session between its calls. */
export type Asked = Readonly<{
  sinceMs: number
  times: number
  /** What the model was told last: it is told once of each order, and once more each time that it was asked. */
  told?: string | undefined
}>

export type Compacting = Readonly<{
  nowMs: number
  /** Of this session or message; undefined: the context is not that full yet, or nobody meters it. */
  order: Order | undefined
  /** undefined: it was not asked before. */
  asked: Asked | undefined
  /** As `home/checkpoint.md` is; undefined: there is no plain file. */
  checkpoint: Readonly<{ mtimeMs: number; bytes: number }> | undefined
}>

/** `there`: what was asked for is; `late`: the window is nearly full; `asked`: often enough. */
export type CompactVerdict = Readonly<{ kind: 'pass'; why: 'there' | 'late' | 'asked' }> | Readonly<{ kind: 'block'; asked: Asked }>

export const MOST_ASKED = 5

export function judgeCompaction({ nowMs, order, asked, checkpoint }: Compacting): CompactVerdict {
  // Compacted before it was nearly full: then it is asked for here.
  const sinceMs = order ? Date.parse(order.ordered) : (asked?.sinceMs ?? nowMs)
  if (isWrittenSince(checkpoint, sinceMs)) return { kind: 'pass', why: 'there' }
  if (order && order.passed >= NEARLY_FULL) return { kind: 'pass', why: 'late' }
  const times = asked?.times ?? 0
  return times >= MOST_ASKED ? { kind: 'pass', why: 'asked' } : { kind: 'block', asked: { ...asked, sinceMs, times: times + 1 } }
}

export function isWrittenSince(checkpoint: Compacting['checkpoint'], sinceMs: number): boolean {
  return checkpoint !== undefined && checkpoint.bytes > 0 && checkpoint.mtimeMs > sinceMs
}

/** What to remember, where the model is to be told now that a checkpoint is asked for; undefined: it is not, or knows. */
export function judgeTelling({ nowMs, order, asked, checkpoint }: Compacting): Asked | undefined {
  const sinceMs = order ? Date.parse(order.ordered) : asked?.sinceMs
  if (sinceMs === undefined || isWrittenSince(checkpoint, sinceMs)) return undefined
  const times = asked?.times ?? 0
  const told = `${sinceMs} ${times}`
  return asked?.told === told ? undefined : { sinceMs: asked?.sinceMs ?? nowMs, times, told }
}
