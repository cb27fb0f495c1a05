/** How many runs may begin: as many as the gateway has room for, no more than one budget allows; and what it is told of runs. */
import type { Agent, Config } from '../core/config.ts'
import type { Name } from '../core/names.ts'
import type { Clear, Raise } from '../core/post.ts'
import { shellWord } from '../core/text.ts'
import { formatTime } from '../core/time.ts'
import type { BudgetState, FromGateway, ToGateway, Work } from '../gateway/index.ts'
import type { Clock } from '../system/types.ts'
import { usesGateway } from './gateway-settings.ts'

/**
 * For the dispatcher. Without providers every run may start, and nothing is told.
 *
 * The socket of an agent lies in a folder of its own, `<root>/.penny/sockets/<agent>/`: a jail shows the folder. A socket that is bound by
 * itself would be dead once the process was started again.
 */
export type GatewayRuns = Readonly<{
  /** Whether agents have a gateway at all: a provider is configured. */
  isThere: () => boolean
  /**
   * Whether a run of this agent may begin now, for a message of this rank (1 is urgent): there is room for what it will ask, and it is
   * within its budget. Each run that is told to have started counts as one request on its way. `kick` is called when this may have changed.
   */
  mayStart: (agent: Name, rank: number) => boolean
  /** Why not, for people; undefined: it may. */
  whyNot: (agent: Name, rank: number) => string | undefined
  runStarted: (work: Work) => void
  runEnded: (run: string) => void
  rankChanged: (run: string, rank: number) => void
}>

export type GatewayRoomGiven = Readonly<{
  clock: Clock
  config: () => Config
  raise: Raise
  clear: Clear
  /** Runs may be begun that could not before. */
  kick: () => void
  tell: (message: ToGateway) => void
  /** Whether the process opened its doors; while it starts, runs wait for it a moment. */
  isOpen: () => boolean
}>

type Rooms = Extract<FromGateway, { tell: 'room' }>['rooms']
type Pool = Readonly<{ provider: string; pool: string }>

const keyOf = ({ provider, pool }: Pool): string => `${provider} ${pool}`

/** The best rank: it waits for nothing but money. */
const URGENT = 1
/** Who asked in a pool so lately is expected there again; anybody else in whichever has room. */
const LATELY_MS = 10 * 60_000
/** So long after its start a run has asked for something, and the gateway says itself how much room is left. */
const ON_ITS_WAY_MS = 2_000

export function createGatewayRoom(given: GatewayRoomGiven) {
  const { clock, config } = given
  const works = new Map<string, Work>()
  const over = new Map<Name, BudgetState>()
  let rooms: Rooms = []
  const lately = new Map<Name, Readonly<{ pool: string; atMs: number }>>()
  let started: Readonly<{ pool: string | undefined; atMs: number }>[] = []

  /** Where it is expected; undefined: anywhere. */
  function poolOf(agent: Name): string | undefined {
    const used = lately.get(agent)
    return used && clock.monotonic() - used.atMs < LATELY_MS ? used.pool : undefined
  }

  /** On their way to that pool; those that are expected anywhere may go there, too. */
  function comingTo(pool: string): number {
    started = started.filter(({ atMs }) => clock.monotonic() - atMs < ON_ITS_WAY_MS)
    return started.filter((one) => one.pool === undefined || one.pool === pool).length
  }

  /** Where it is expected, or else every line that is known of: which of them a run will stand in, nobody knows then. */
  function isFull(agent: Name): boolean {
    const pool = poolOf(agent)
    const known = rooms.filter((one) => keyOf(one) === pool)
    const all = known.length > 0 ? known : rooms
    return all.length > 0 && all.every(isFullLine)
  }

  function isFullLine(line: Rooms[number]): boolean {
    const coming = comingTo(keyOf(line))
    // What has no bound is null in JSON.
    return (line.room ?? Number.POSITIVE_INFINITY) - coming <= 0 && line.waiting + coming > 0
  }

  function whyNot(agent: Name, rank: number): string | undefined {
    const known = config().agents.get(agent)
    if (config().providers.size === 0 || !known || !usesGateway(known)) return undefined
    const spent = overOf(known)
    if (spent) return `its budget of today is used up, until ${formatTime(spent.endsMs)}`
    if (!given.isOpen()) return 'the model gateway is being started'
    if (rank !== URGENT && isFull(agent)) return 'the model gateway has no room'
    return undefined
  }

  /** A budget that was taken out of the file holds nobody, and a day that ended neither, whatever was told last. */
  function overOf({ name, budget }: Agent): BudgetState | undefined {
    const state = over.get(name)
    return budget && state && clock.now() < state.endsMs ? state : undefined
  }

  function setBudget(agent: Name, state: BudgetState | undefined): void {
    if (state?.over === undefined) {
      if (over.delete(agent)) given.kick()
      return given.clear('over-budget', agent)
    }
    over.set(agent, state)
    const { usdPerDay = 0, tokensPerDay = 0 } = state.budget
    const used =
      state.over === 'usd'
        ? `USD ${state.usedUsd.toFixed(2)} of ${usdPerDay.toFixed(2)}`
        : `${state.usedTokens.toLocaleString('en')} of ${tokensPerDay.toLocaleString('en')} tokens`
    given.raise({
      code: 'over-budget',
      about: agent,
      agent,
      sentence: `${agent} has used ${used} today; new runs of it wait until ${formatTime(state.endsMs)}, what runs goes on.`,
      fix: `\${EDITOR:-vi} ${shellWord(`policies/agents/${agent}.md`)}   # budget:`,
    })
  }

  const runs: GatewayRuns = {
    isThere: () => config().providers.size > 0,
    mayStart: (agent, rank) => whyNot(agent, rank) === undefined,
    whyNot,
    runStarted: (work) => {
      works.set(work.run, work)
      const agent = config().agents.get(work.agent)
      if (!runs.isThere() || !agent || !usesGateway(agent)) return
      started.push({ pool: poolOf(work.agent), atMs: clock.monotonic() })
      clock.after(ON_ITS_WAY_MS, given.kick)
      given.tell({ tell: 'work', work })
    },
    runEnded: (run) => {
      if (works.delete(run)) given.tell({ tell: 'over', run })
    },
    rankChanged: (run, rank) => {
      const known = works.get(run)
      if (!known || known.rank === rank) return
      const work = { ...known, rank }
      works.set(run, work)
      given.tell({ tell: 'work', work })
    },
  }

  return {
    runs,
    works: () => works.values(),
    setRooms: (next: Rooms) => {
      rooms = next
      given.kick()
    },
    usedPool: (agent: Name, where: Pool) => void lately.set(agent, { pool: keyOf(where), atMs: clock.monotonic() }),
    setBudget,
    overBudget: () => [...config().agents.values()].filter((agent) => overOf(agent)).map(({ name }) => name),
    /** A day ends also while nobody tells. */
    look: () => {
      for (const [agent, { endsMs }] of over) {
        const isGone = config().agents.get(agent)?.budget === undefined || config().providers.size === 0
        if (isGone || clock.now() >= endsMs) setBudget(agent, undefined)
      }
    },
  }
}
