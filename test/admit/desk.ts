/** Judging texts as the pipeline does, with the questions of a test answered as it likes. */
import { type Asked, judge, type Parent, type Verdict } from '../../src/admit/index.ts'
import type { Envelope } from '../../src/core/message.ts'
import type { Name } from '../../src/core/names.ts'
import { parseMessage } from '../../src/message/index.ts'
import { route } from '../../src/route/index.ts'
import { configOf } from '../config/organisation.ts'
import { nextId } from '../deadline/office.ts'

export const NOW_MS = Date.UTC(2030, 0, 7, 9)
export const config = configOf({
  'priorities.yaml': 'urgent: { claim_within: 5m, finish_within: 1h }\nnormal: { claim_within: 4h, finish_within: 3d }\naliases: { P1: urgent }\n',
})

export function judged(text: string, envelope: Partial<Envelope> = {}, asked: Partial<Asked> = {}): Verdict {
  const parsed = parseMessage(Buffer.from(text), { frontMatterBytes: 16_384 })
  if (!parsed.ok) throw new Error(JSON.stringify(parsed.complaints))
  const full: Asked = {
    parent: () => undefined,
    refSeen: () => undefined,
    threadPace: () => ({ all: 0, own: 0, senders: 1 }),
    load: () => 0,
    wroteBefore: () => false,
    room: () => true,
    nowMs: NOW_MS,
    ...asked,
  }
  const from = { from: 'cfo' as Name, via: 'agent', folder: 'workspaces/cfo/outbox', name: 'a.md', box: undefined, sha256: 'x', ...envelope } as const
  return judge(from, parsed.message, config, full, (addresses, sender, questions) =>
    route(addresses, { config, from: sender, load: questions.load, wroteBefore: (holder) => questions.wroteBefore(holder, sender) }),
  )
}

export function plan(text: string, envelope: Partial<Envelope> = {}, asked: Partial<Asked> = {}) {
  const verdict = judged(text, envelope, asked)
  if (verdict.verdict !== 'admit') throw new Error(JSON.stringify(verdict))
  return verdict.plan
}

export function refusal(text: string, envelope: Partial<Envelope> = {}, asked: Partial<Asked> = {}): string {
  const verdict = judged(text, envelope, asked)
  if (verdict.verdict !== 'hold') return verdict.verdict
  const [first] = verdict.complaints
  return `${verdict.code} ${first?.spot?.line ?? '-'} ${first?.near ?? ''}`.trim()
}

export function parent(more: Partial<Parent> = {}): Parent {
  const id = nextId()
  return {
    id,
    thread: id,
    hops: 0,
    holder: 'cfo' as Name,
    from: 'ceo',
    origin: 'person',
    kind: 'task',
    subject: 's',
    status: 'in_progress',
    settled: false,
    ...more,
  }
}
