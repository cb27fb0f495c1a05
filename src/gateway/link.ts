/**
 * What the daemon and the gateway's process say to each other: a JSON object a line, over a pair of sockets that nobody else has. Keys of
 * providers go this way and no other. What one side does not know it passes over, so that it can be replaced before the other.
 */
import type { Budget, Provider } from '../core/config.ts'
import type { Name } from '../core/names.ts'
import type { Verdict } from '../model/index.ts'
import type { PoolReport } from '../share/index.ts'
import type { BudgetState } from './budgets.ts'
import type { ContextChange, Gauge } from './contexts.ts'
import type { LedgerReport } from './ledger.ts'
import type { SealedRequest } from './seal.ts'

/** The whole of it, at the start and after each change of the configuration. */
export type Settings = Readonly<{
  /** As JSON has it: maps as entries. */
  providers: readonly (Omit<Provider, 'models' | 'weights'> & Readonly<{ models: readonly [string, string][]; weights: readonly [string, number][] }>)[]
  callers: readonly CallerSettings[]
  /** Who may use each agent's keys, besides root and that agent. */
  operatorUids?: readonly number[]
  /** Of the loopback. */
  listen: Readonly<{ host: string; port: number }>
  /** Of the organisation: budgets end with its day. */
  timezone: string
  ledgerKeepMs: number
}>

export type CallerSettings = Readonly<{
  agent: Name
  /** Where its socket lies; its folder is made, and only this agent may enter it. undefined: it has none, and its keys alone lead in. */
  socket: string | undefined
  /** As whom it acts; undefined: as the daemon. A caller over TCP whose uid can be told must be this one, or an operator's. */
  uid: number | undefined
  holdMs: number
  /** sha256, hex, of keys that are its own over TCP. */
  keys: readonly string[]
  contextWindow: number | undefined
  budget: Budget | undefined
}>

/** A run that goes on, and what it works on; its agent's requests have the best rank of those. */
export type Work = Readonly<{ agent: Name; run: string; message: string; rank: number }>

export type ToGateway =
  | Readonly<{ tell: 'settings'; settings: Settings }>
  /** Before the first of these nothing is sent to that provider; undefined: there is none, requests wait. `turn`: what it is called in `provider`. */
  | Readonly<{ tell: 'key'; provider: string; key: string | undefined; turn?: number }>
  | Readonly<{ tell: 'work'; work: Work }>
  | Readonly<{ tell: 'over'; run: string }>
  | Readonly<{ tell: 'ask'; id: number; ask: Ask }>
  /** To `holds`: undefined, it does not hold that message. */
  | Readonly<{ tell: 'answer'; id: number; rank: number | undefined }>

export type Ask =
  | Readonly<{ what: 'status' }>
  /** Asks the provider for its models, past the line: free, and tells whether address and key are right. */
  | Readonly<{ what: 'test'; provider: string }>
  /** Nothing: one that answers is not stuck. */
  | Readonly<{ what: 'alive' }>

export type FromGateway =
  /** Every door is open, or told of. */
  | Readonly<{ tell: 'ready' }>
  /** `why` undefined: it is open again. `about`: the address or the agent. */
  | Readonly<{ tell: 'door'; about: string; why: string | undefined }>
  | Readonly<{ tell: 'provider'; provider: string; verdict: Verdict['kind'] | 'ok'; turn: number }>
  | Readonly<{ tell: 'context'; change: ContextChange }>
  | Readonly<{ tell: 'sealed'; sealed: SealedRequest }>
  /** Once a second while it changes: how many requests could be sent now, how many wait. */
  | Readonly<{ tell: 'room'; rooms: readonly Readonly<{ provider: string; pool: string; room: number; waiting: number }>[] }>
  /** An agent went over its budget, or its day ended. */
  | Readonly<{ tell: 'budget'; agent: Name; state: BudgetState | undefined }>
  /** Lines of the ledger that the disk refuses; `why` undefined: it takes them again. */
  | Readonly<{ tell: 'ledger'; why: string | undefined }>
  | Readonly<{ tell: 'asked'; id: number; answer: GatewayStanding | Tested | Alive }>
  /** In which pool this agent was answered last: told when it changes, and again now and then while it goes on. */
  | Readonly<{ tell: 'pool'; agent: Name; provider: string; pool: string }>
  /** Whether this agent holds that message (`x-penny-message`). */
  | Readonly<{ tell: 'holds'; id: number; agent: Name; message: string }>

/** Answers `status`. What has no bound (room, a window that was never met) is null, as JSON has it. */
export type GatewayStanding = Readonly<{
  providers: readonly Readonly<{
    provider: string
    fallback: readonly string[]
    /** `refused`: the provider said so; nothing is sent with it again. */
    key: 'there' | 'missing' | 'refused'
    /** The last word that somebody must know; undefined: it has not been asked yet. */
    verdict: Verdict['kind'] | undefined
  }>[]
  pools: readonly PoolStanding[]
  agents: readonly AgentStanding[]
  /** Those that could not be opened. */
  doors: readonly Readonly<{ about: string; why: string }>[]
  ledger: LedgerReport
}>

export type PoolStanding = Readonly<{ provider: string; pool: string; room: number | null; report: PoolReport }>

/** Of today, in the organisation's time zone. `share`: of the tokens that all took which count towards limits, from 0 to 1. */
export type AgentStanding = Readonly<{
  agent: Name
  requests: number
  tokens: number
  usd: number
  share: number
  gauge: Gauge | undefined
  budget: BudgetState | undefined
}>

/** Answers `alive`. */
export type Alive = Readonly<{ kind: 'alive' }>

/** Answers `test`. */
export type Tested =
  | Readonly<{ kind: 'answered'; status: number; verdict: Verdict['kind']; ms: number; requestId: string | undefined }>
  /** `why`: as net(7) has it, ECONNREFUSED. */
  | Readonly<{ kind: 'unreachable'; why: string; ms: number }>
  | Readonly<{ kind: 'no-key' | 'no-provider' }>
