/**
 * Whose request is read next. To read one takes time in which this process does nothing else, and an agent can send any number of them at
 * once, of any size: in each turn of the event loop so many bytes of each agent's are read, and the rest waits for its next ones. So
 * whoever sends little is kept waiting by little.
 */
import type { Name } from '../core/names.ts'
import type { Clock } from '../system/types.ts'

export type Desk = Readonly<{
  /** Resolves when it may be read; at once for whoever has sent little in this turn. */
  turn: (agent: Name, bytes: number) => Promise<void> | undefined
}>

const KB = 1024
/** Two requests of a usual client. */
const MOST_OF_AGENT = 256 * KB
/** Of those who wait, all together. */
const MOST_OF_ALL = 1_024 * KB
/** What the smallest takes, too: to be put in line, to be sent, to be answered. */
const LEAST = 16 * KB

type Waiting = Readonly<{ bytes: number; come: () => void }>

export function createDesk({ soon }: Pick<Clock, 'soon'>): Desk {
  /** In this turn. */
  const read = new Map<Name, number>()
  /** Who had a turn stands behind the others. */
  const waiting = new Map<Name, Waiting[]>()
  let isPlanned = false

  function take(agent: Name, bytes: number): void {
    read.set(agent, (read.get(agent) ?? 0) + LEAST + bytes)
    if (!isPlanned) soon(next)
    isPlanned = true
  }

  /** One that is too large for any turn has one of its own. */
  function mayTake(agent: Name, bytes: number): boolean {
    const before = read.get(agent) ?? 0
    return before === 0 || before + LEAST + bytes <= MOST_OF_AGENT
  }

  function next(): void {
    isPlanned = false
    read.clear()
    let all = 0
    for (const [agent, line] of [...waiting]) {
      if (all >= MOST_OF_ALL) break
      let count = 0
      for (const { bytes, come } of line) {
        if (!mayTake(agent, bytes)) break
        take(agent, bytes)
        all += LEAST + bytes
        count++
        come()
      }
      line.splice(0, count)
      waiting.delete(agent)
      if (line.length > 0) waiting.set(agent, line)
    }
  }

  return {
    turn: (agent, bytes) => {
      const line = waiting.get(agent)
      if (!line && mayTake(agent, bytes)) {
        take(agent, bytes)
        return undefined
      }
      return new Promise((resolve) => {
        const one = { bytes, come: resolve }
        if (line) line.push(one)
        else waiting.set(agent, [one])
      })
    },
  }
}
