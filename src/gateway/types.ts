/** What the gateway's room is given, and what it tells. */
import type { Provider } from '../core/config.ts'
import type { Name } from '../core/names.ts'
import type { Verdict } from '../model/index.ts'
import type { Clock, Log } from '../system/types.ts'
import type { Upstream } from '../system/upstream.ts'
import type { ContextChange } from './contexts.ts'
import type { Seals } from './seal.ts'

/** Who calls, as its way in says: a socket of its own, or a key of its own. */
export type Caller = Readonly<{
  agent: Name
  /** How long a request of its may be held, ms. */
  holdMs: number
  /** Of the message it works on; 1 is urgent. */
  rank: number
  message?: string | undefined
}>

/** One line of the ledger: what a request was and took, never what was said in it. */
export type Entry = Readonly<{
  at: string
  agent: Name
  message?: string | undefined
  session?: string | undefined
  provider?: string | undefined
  model?: string | undefined
  status: number
  requestId?: string | undefined
  inputTokens: number
  cacheWriteTokens: number
  cacheReadTokens: number
  outputTokens: number
  usd?: number | undefined
  /** In line, all tries together. */
  queueMs: number
  ms: number
  /** Sent so often. */
  tries: number
}>

export type GatewayGiven = Readonly<{
  clock: Clock
  log: Log
  random: () => number
  upstream: Upstream
  providers: () => ReadonlyMap<string, Provider>
  /** undefined: its file is not there, or what lies in it was refused by the provider. */
  keyOf: (provider: string) => string | undefined
  /** An answer that somebody must be told of: a key that is refused, money that is spent. */
  told: (provider: string, verdict: Verdict['kind']) => void
  record: (entry: Entry) => void
  /** `context_window:` of its file. */
  contextWindowOf: (agent: Name) => number | undefined
  /** The context of a session is nearly full, or begins anew. */
  contextTold: (change: ContextChange) => void
  /** Where a request is kept with which the context it carries may end. */
  seals: Seals
}>
