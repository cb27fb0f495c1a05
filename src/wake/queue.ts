/** Candidates of each agent in order of service. A candidate is only a hint: what the ledger says decides when it is its turn. */

import { type Heap, makeHeap } from '../core/heap.ts'
import type { MessageId } from '../core/ids.ts'
import type { Name } from '../core/names.ts'
import { byService, type Ledger, type Mail } from '../mailbox/index.ts'
import type { Wakes } from './wakes.ts'

type Candidate = Readonly<{ rank: number; id: MessageId }>
type Later = Readonly<{ atMs: number; id: MessageId }>

export type Queue = Readonly<{
  /** This message may have become one to wake for. */
  offer: (mail: Mail) => void
  /** Everything may have changed: each mailbox is gone through once, when its agent is next asked for. */
  refresh: (agent?: Name) => void
  /** The first in order of service over these agents. Whose first may not start has none: what stands behind it may still less. */
  first: (agents: Iterable<Name>, nowMs: number, mayStart?: (mail: Mail) => boolean) => Mail | undefined
  /** When the first message that has to wait becomes one to wake for, milliseconds since 1970. */
  nextAtMs: () => number | undefined
}>

const before = (a: Candidate, b: Candidate): boolean => a.rank < b.rank || (a.rank === b.rank && a.id < b.id)

export function makeQueue(ledger: Ledger, wakesNow: (mail: Mail, nowMs: number) => Wakes): Queue {
  const heaps = new Map<Name, Heap<Candidate>>()
  /** Agents whose heap says all there is. */
  const known = new Set<Name>()
  const later = makeHeap<Later>((a, b) => a.atMs < b.atMs)

  function heapOf(agent: Name): Heap<Candidate> | undefined {
    if (known.has(agent)) return heaps.get(agent)
    known.add(agent)
    const candidates: Candidate[] = []
    if (ledger.count(agent) > 0) {
      for (const { id, rank, folder } of ledger.of(agent).values()) if (folder === 'new') candidates.push({ id, rank })
    }
    const heap = candidates.length > 0 ? makeHeap(before, candidates) : undefined
    if (heap) heaps.set(agent, heap)
    else heaps.delete(agent)
    return heap
  }

  function offer(mail: Mail): void {
    if (!known.has(mail.holder)) return
    const heap = heaps.get(mail.holder) ?? makeHeap(before)
    heaps.set(mail.holder, heap)
    heap.push({ id: mail.id, rank: mail.rank })
  }

  /** The agent's first message that wakes it; what stands before it and does not is dropped. */
  function head(agent: Name, nowMs: number): Mail | undefined {
    const heap = heapOf(agent)
    for (let candidate = heap?.first(); heap && candidate; candidate = heap.first()) {
      const mail = ledger.get(candidate.id)
      const answer = mail && mail.holder === agent && mail.rank === candidate.rank ? wakesNow(mail, nowMs) : 'no'
      if (answer === 'yes') return mail
      if (answer !== 'no') later.push({ atMs: answer.notBeforeMs, id: candidate.id })
      heap.takeFirst()
    }
    heaps.delete(agent)
    return undefined
  }

  function ripen(nowMs: number): void {
    for (let next = later.first(); next && next.atMs <= nowMs; next = later.first()) {
      later.takeFirst()
      const mail = ledger.get(next.id)
      if (mail) offer(mail)
    }
  }

  return {
    offer,
    refresh: (agent) => {
      if (agent === undefined) known.clear()
      else known.delete(agent)
    },
    first: (agents, nowMs, mayStart) => {
      ripen(nowMs)
      let best: Mail | undefined
      for (const agent of agents) {
        const mail = head(agent, nowMs)
        if (mail && (!best || byService(mail, best) < 0) && (mayStart?.(mail) ?? true)) best = mail
      }
      return best
    },
    nextAtMs: () => later.first()?.atMs,
  }
}
