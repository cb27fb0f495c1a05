/** One alert per agent and code: what it says. */
import type { Fault, FaultCode } from '../core/fault.ts'
import type { Name } from '../core/names.ts'
import { counted, shellWord } from '../core/text.ts'
import type { Mail } from '../mailbox/index.ts'

/** The conditions that are computed as a whole at each look. */
export const LATE_CODES = ['stuck-new', 'stuck-cur', 'overdue', 'answered-open'] as const
export type SummaryCode = (typeof LATE_CODES)[number]

const MOST_LISTED = 10

/** The oldest tasks of one agent and code, and how many there are. */
export type Pile = { readonly first: Mail[]; count: number }
export type Piles = ReadonlyMap<SummaryCode, Map<Name, Pile>>

export function emptyPiles(): Piles {
  return new Map(LATE_CODES.map((code) => [code, new Map<Name, Pile>()]))
}

export function pile(piles: Piles, code: SummaryCode, mail: Mail): void {
  const ofCode = piles.get(code)
  const known = ofCode?.get(mail.holder)
  if (!known) ofCode?.set(mail.holder, { first: [mail], count: 1 })
  else {
    known.count++
    if (known.first.length < MOST_LISTED) known.first.push(mail)
  }
}

export function summaryFault(code: SummaryCode, agent: Name, { first, count }: Pile): Fault {
  const tasks = counted(count, 'task')
  const ids = first.map(({ id }) => id).join(', ')
  const list = count > first.length ? `${ids} and ${count - first.length} more` : ids
  switch (code) {
    case 'stuck-new':
      return fault(
        code,
        agent,
        `${agent} has not claimed ${tasks} within the time of their priority: ${list}.`,
        `penny tasks to:${shellWord(agent)} status:open`,
      )
    case 'stuck-cur':
      return fault(
        code,
        agent,
        `${agent} has not finished ${tasks} within the time of their priority: ${list}.`,
        `penny tasks to:${shellWord(agent)} status:in_progress`,
      )
    case 'overdue':
      return fault(code, agent, `${agent} has ${tasks} past the date that was set: ${list}.`, `penny tasks to:${shellWord(agent)} overdue`)
    case 'answered-open':
      return fault(code, agent, `${agent} answered ${tasks} without closing: ${list}.`, `penny settle ${first[0]?.id ?? ''} done --agent ${shellWord(agent)}`)
  }
}

/** About its smallest id, so that it is one alert however often it is found. */
export function circleFault(circle: readonly Mail[]): Fault {
  const [first] = circle
  const whole = first ? [...circle, first] : []
  const shown = whole.length > MOST_LISTED ? [...whole.slice(0, MOST_LISTED - 1), undefined, first] : whole
  const chain = shown.map((mail) => (mail ? `${mail.id} (${mail.holder})` : '…')).join(' → ')
  const about = first?.id ?? ''
  const sentence = `${circle.length === 1 ? 'A task waits for itself' : `${circle.length} tasks wait for each other, so none of them can go on`}: ${chain}.`
  const fix = `penny settle ${shellWord(about)} failed -m 'waited in a circle' --agent ${shellWord(first?.holder ?? '')}`
  return { code: 'blocked-cycle', about, ...(first ? { agent: first.holder } : {}), sentence, fix }
}

function fault(code: FaultCode, agent: Name, sentence: string, fix: string): Fault {
  return { code, about: agent, agent, sentence, fix }
}
