/** What each agent works on: told by the daemon when a run begins and ends, or named by a caller outside a run, and then asked of the daemon. */
import type { Name } from '../core/names.ts'
import type { Clock } from '../system/types.ts'
import type { Work } from './link.ts'
import type { Caller } from './types.ts'

export type Works = Readonly<{
  began: (work: Work) => void
  over: (run: string) => void
  /** `named`: of `x-penny-message`. `isOutside`: it does not come through the wall of a run. */
  of: (agent: Name, named: string | undefined, isOutside: boolean) => Promise<Pick<Caller, 'rank' | 'message'>>
  /** The daemon's word to `holds`. */
  answered: (id: number, rank: number | undefined) => void
}>

export type WorksGiven = Readonly<{ clock: Clock; ask: (holds: Readonly<{ id: number; agent: Name; message: string }>) => void }>

const NORMAL = 3
/** An answer holds for so long: a message may be settled, or get another priority. Milliseconds. */
const HOLDS_MS = 5_000
/** The daemon may be at something else; the request is normal then. Milliseconds. */
const ANSWERED_MS = 2_000
const MOST_KNOWN = 1_000
/** Of one agent at a time: it can name what it likes, and the daemon has other work. */
const MOST_ASKED = 8

type Known = { rank: Promise<number | undefined>; untilMs: number }

export function createWorks({ clock, ask }: WorksGiven): Works {
  const works = new Map<string, Work>()
  const known = new Map<string, Known>()
  const asked = new Map<number, (rank: number | undefined) => void>()
  const asking = new Map<Name, number>()
  let last = 0

  function bestOf(agent: Name): Work | undefined {
    return [...works.values()].filter((work) => work.agent === agent).sort((a, b) => a.rank - b.rank)[0]
  }

  function rankOf(agent: Name, message: string): Promise<number | undefined> {
    const key = `${agent} ${message}`
    const before = known.get(key)
    if (before && before.untilMs > clock.monotonic()) return before.rank
    const count = asking.get(agent) ?? 0
    if (count >= MOST_ASKED) return Promise.resolve(undefined)
    asking.set(agent, count + 1)
    const id = ++last
    const rank = new Promise<number | undefined>((resolve) => {
      const end = (found: number | undefined): void => {
        cancel()
        asked.delete(id)
        asking.set(agent, (asking.get(agent) ?? 1) - 1)
        resolve(found)
      }
      const cancel = clock.after(ANSWERED_MS, () => end(undefined))
      asked.set(id, end)
    })
    known.delete(key)
    known.set(key, { rank, untilMs: clock.monotonic() + HOLDS_MS })
    const [oldest] = known.keys()
    if (known.size > MOST_KNOWN && oldest !== undefined) known.delete(oldest)
    ask({ id, agent, message })
    return rank
  }

  return {
    began: (work) => void works.set(work.run, work),
    over: (run) => void works.delete(run),
    of: async (agent, named, isOutside) => {
      const best = bestOf(agent)
      const mine = [...works.values()].find((work) => work.agent === agent && work.message === named)
      // In a run it may say which of its messages it means, and no other.
      if (mine) return { rank: mine.rank, message: mine.message }
      const rank = named !== undefined && (isOutside || !best) ? await rankOf(agent, named) : undefined
      if (rank !== undefined) return { rank, message: named }
      return best ? { rank: best.rank, message: best.message } : { rank: NORMAL }
    },
    answered: (id, rank) => asked.get(id)?.(rank),
  }
}
