/**
 * How full the context of each session is, by what the provider counted, and when somebody must be told (contract, page 6, "The context
 * cliff"). A session is the client's, or the message that is worked on; one context may send side requests, so that the largest since
 * it began counts. It begins anew with a compaction that is recognised, or when all that comes is much smaller.
 */
import { HIGH, NEARLY_FULL, ORDERED } from '../core/marks.ts'
import type { Name } from '../core/names.ts'
import { type Compaction, type Usage, windowOf } from '../model/index.ts'

const MARKS = [HIGH, ORDERED, NEARLY_FULL] as const
export type Mark = (typeof MARKS)[number]

export type ContextsGiven = Readonly<{
  /** Of a monotonic clock. */
  nowMs: () => number
  /** `context_window:` of its file. */
  contextWindowOf: (agent: Name) => number | undefined
}>

/** An answer that came. */
export type Heard = Readonly<{
  agent: Name
  message: string | undefined
  session: string | undefined
  model: string
  usage: Usage
  compaction: Compaction | undefined
}>

/** A request that has not been sent. */
export type Asked = Pick<Heard, 'agent' | 'message' | 'session' | 'model'> & Readonly<{ promptTokens: number }>

export type Gauge = Readonly<{ agent: Name; message: string | undefined; session: string | undefined; usedTokens: number; windowTokens: number }>

/** `passed`: marks, each once until the context begins anew. */
export type ContextChange = Readonly<{ gauge: Gauge; passed: readonly Mark[]; isNew: boolean }>

export type Contexts = Readonly<{
  /** undefined: nothing that somebody would have to know. */
  heard: (heard: Heard) => ContextChange | undefined
  /** Whether it may be the last that its window has room for. True once, until the context begins anew. */
  isLast: (asked: Asked) => boolean
  /** Of each agent that was heard of lately: its fullest one. */
  report: () => Gauge[]
}>

/** `isEnding`: the checkpoint of our own loop was answered; it is written, and the next answer is of another context. */
type State = { gauge: Gauge; passed: number; smaller: number; compactedAt: number | undefined; heardMs: number; isLastTold: boolean; isEnding: boolean }

/** A client can make up any number of sessions: each agent has so many, and loses the one that is silent the longest. */
const MOST_SESSIONS = 256
const LATELY_MS = 3_600_000
/** Less than half, so often in a row: it was compacted by a client that nobody knows. Side requests are fewer, or come between others. */
const SMALLER_IN_A_ROW = 12

const BEGINNING = { passed: 0, isLastTold: false, isEnding: false } as const

export function createContexts({ nowMs, contextWindowOf }: ContextsGiven): Contexts {
  const known = new Map<Name, Map<string, State>>()

  function sessionsOf(agent: Name): Map<string, State> {
    const sessions = known.get(agent) ?? new Map<string, State>()
    known.set(agent, sessions)
    return sessions
  }

  function measure(state: State | undefined, { agent, message, session, model, usage, compaction }: Heard): State & { isNew: boolean } {
    const level = state?.gauge.usedTokens ?? 0
    const used = usage.contextTokens
    const isEnd = compaction === 'claude-code' || compaction === 'openclaw-summary'
    // Claude Code's request to compact is the whole context; OpenClaw's is another one about it.
    const fullest = Math.max(level, compaction === 'claude-code' ? used - usage.outputTokens : 0)
    const compactedAt = (isEnd || usage.compacted) && fullest > 0 ? fullest : state?.compactedAt
    const smaller = used < level / 2 ? (state?.smaller ?? 0) + 1 : 0
    const isEnding = compaction === 'own-loop'
    const isNew = isEnd || usage.compacted || smaller >= SMALLER_IN_A_ROW || (state?.isEnding === true && !isEnding)
    const usedTokens = isEnd ? 0 : isNew ? used : Math.max(used, level)
    const windowTokens = windowFor(agent, model, compactedAt)
    // A side request, perhaps of another model, leaves the gauge as it is.
    const gauge = state && !isNew && used < level ? { ...state.gauge, message } : { agent, message, session, usedTokens, windowTokens }
    const { passed, ...before } = state && !isNew ? state : BEGINNING
    // Estimated too high: there will be another.
    const isLastTold = before.isLastTold && gauge.usedTokens * 100 >= NEARLY_FULL * gauge.windowTokens
    return { gauge, passed, smaller: isNew ? 0 : smaller, compactedAt, heardMs: nowMs(), isLastTold, isEnding, isNew }
  }

  function keep(sessions: Map<string, State>, key: string, state: State): void {
    sessions.delete(key)
    sessions.set(key, state)
    const [oldest] = sessions.keys()
    if (sessions.size > MOST_SESSIONS && oldest !== undefined) sessions.delete(oldest)
  }

  function windowFor(agent: Name, model: string, compactedAt: number | undefined): number {
    return Math.min(windowOf(model), contextWindowOf(agent) ?? Number.POSITIVE_INFINITY, compactedAt ?? Number.POSITIVE_INFINITY)
  }

  return {
    heard: (heard) => {
      const { agent } = heard
      const key = keyOf(heard)
      if (key === undefined) return undefined
      const sessions = sessionsOf(agent)
      const { isNew, ...state } = measure(sessions.get(key), heard)
      const { usedTokens, windowTokens } = state.gauge
      const passed = MARKS.filter((mark) => mark > state.passed && usedTokens * 100 >= mark * windowTokens)
      keep(sessions, key, { ...state, passed: passed.at(-1) ?? state.passed })
      return passed.length > 0 || isNew ? { gauge: state.gauge, passed, isNew } : undefined
    },
    isLast: ({ promptTokens, ...asked }) => {
      const { agent, message, session, model } = asked
      const key = keyOf(asked)
      if (key === undefined) return false
      const sessions = sessionsOf(agent)
      const state = sessions.get(key)
      if (state?.isLastTold) return false
      const used = state?.gauge.usedTokens ?? 0
      // An estimate may be too low; what is no side request is at least as long as what was counted before it.
      const tokens = promptTokens * 2 > used ? Math.max(promptTokens, used) : promptTokens
      const windowTokens = windowFor(agent, model, state?.compactedAt)
      if (tokens * 100 < NEARLY_FULL * windowTokens) return false
      const fresh = { gauge: { agent, message, session, usedTokens: 0, windowTokens }, smaller: 0, compactedAt: undefined, heardMs: nowMs(), ...BEGINNING }
      keep(sessions, key, { ...(state ?? fresh), isLastTold: true })
      return true
    },
    report: () => {
      const sinceMs = nowMs() - LATELY_MS
      return [...known.values()].flatMap((sessions) => {
        const lately = [...sessions.values()].filter(({ heardMs }) => heardMs >= sinceMs).map(({ gauge }) => gauge)
        return lately.sort((a, b) => fullness(b) - fullness(a)).slice(0, 1)
      })
    },
  }
}

/** A message has no session's name: those have no spaces. */
function keyOf({ session, message }: Pick<Heard, 'session' | 'message'>): string | undefined {
  return session ?? (message === undefined ? undefined : `message ${message}`)
}

/** From 0 on; more than 1 where a client goes on beyond the window. */
export function fullness({ usedTokens, windowTokens }: Gauge): number {
  return usedTokens / windowTokens
}
