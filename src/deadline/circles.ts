/** Tasks that wait for each other in a circle. */
import type { MessageId } from '../core/ids.ts'
import type { Mail } from '../mailbox/index.ts'

export type WaitsFor = (task: MessageId) => readonly MessageId[]

/** Each circle once, beginning with its smallest id; of circles that share tasks at least one. Linear in tasks and what they wait for. */
export function findCircles(blocked: readonly Mail[], waitsFor: WaitsFor): Mail[][] {
  const waiting = new Map<MessageId, Mail>(blocked.map((mail) => [mail.id, mail]))
  const circles: Mail[][] = []
  const finished = new Set<MessageId>()
  for (const first of blocked) {
    if (finished.has(first.id)) continue
    // The path from `first`, and for each step what it still waits for: no recursion, a chain may be as long as the mail.
    const path: { mail: Mail; rest: MessageId[] }[] = []
    const at = new Map<MessageId, number>()
    const step = (mail: Mail): void => {
      at.set(mail.id, path.length)
      path.push({ mail, rest: waitsFor(mail.id).filter((id) => waiting.has(id)) })
    }
    step(first)
    for (let top = path.at(-1); top; top = path.at(-1)) {
      const id = top.rest.pop()
      if (id === undefined) {
        finished.add(top.mail.id)
        at.delete(top.mail.id)
        path.pop()
        continue
      }
      const back = at.get(id)
      const next = waiting.get(id)
      if (back !== undefined) circles.push(fromSmallest(path.slice(back).map(({ mail }) => mail)))
      else if (next && !finished.has(id)) step(next)
    }
  }
  return circles
}

function fromSmallest(circle: Mail[]): Mail[] {
  const smallest = circle.reduce((least, mail, at) => (mail.id < (circle[least]?.id ?? mail.id) ? at : least), 0)
  return [...circle.slice(smallest), ...circle.slice(0, smallest)]
}
