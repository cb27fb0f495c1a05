/**
 * What commands ask of a running daemon: one JSON line there, one or more back, over `.penny/run/daemon.sock`.
 * Every answer's last line has `end: true`. The socket is the operators': whoever can open it acts as the postmaster.
 */
import type { Network } from './config.ts'
import type { MessageId } from './ids.ts'
import type { Folder, Status } from './status.ts'

export type Request =
  | Readonly<{ verb: 'status' }>
  /** What is not settled; with `settled`, what is settled too. */
  | Readonly<{ verb: 'tasks'; settled?: boolean }>
  | Readonly<{ verb: 'agents' }>
  /** Full ids that end in (or refs that equal) `id`, at most ten. */
  | Readonly<{ verb: 'find'; id: string }>
  | Readonly<{ verb: 'change'; id: string; to: Status; result?: string; progress?: string; agent?: string }>
  | Readonly<{ verb: 'next'; agent: string; wait: boolean }>
  | Readonly<{ verb: 'set'; id: string; priority?: string; due?: string; status?: Status }>
  | Readonly<{ verb: 'pause' | 'resume'; name: string; now?: boolean }>
  | Readonly<{ verb: 'stop'; drainMs: number }>
  | Readonly<{ verb: 'alerts' }>
  | Readonly<{ verb: 'alerts-done'; which: string }>
  /** Says `{ file }` (where it was dropped again) at once, and answers when that drop is admitted; held again it is a Refusal. */
  | Readonly<{ verb: 'release'; file: string }>
  /** Answers once this drop is admitted or held, also where that happened before it was asked; with `settled` once all its copies are settled. */
  | Readonly<{ verb: 'wait'; drop: Dropped; settled: boolean }>
  /**
   * Journal entries, oldest first: those since a moment (RFC 3339), or whose line holds one of the texts, or all; with `follow` also
   * those that are recorded from now on, until the client goes away. Nothing is left out in between, nothing told twice.
   */
  | Readonly<{ verb: 'journal'; since?: string; about?: readonly string[]; past: boolean; follow: boolean }>
  /** A message as it is now, settled or not. */
  | Readonly<{ verb: 'read'; id: string }>
  /** Puts a file through the whole path and tells how long each step took; a Refusal where it is not through in 5 s. */
  | Readonly<{ verb: 'canary' }>
  /** The original, as sealed. */
  | Readonly<{ verb: 'original'; id: string }>
  | Readonly<{ verb: 'gateway' }>
  /** Makes a key for a program outside a jail, or takes all of this agent's back. */
  | Readonly<{ verb: 'gateway-key'; agent: string; revoke?: boolean }>
  /** Really asks the provider. */
  | Readonly<{ verb: 'gateway-test'; provider: string }>
  /** Lines of the gateway's ledger since that moment (milliseconds), oldest first. */
  | Readonly<{ verb: 'ledger'; sinceMs: number }>

/** How a sender knows its own drop again: the name of the file, which begins with `SENT_PREFIX`, and what it held. */
export type Dropped = Readonly<{ name: string; from: string; ref: string; sha256: string }>
/** Files that `penny send` drops are called so; the daemon remembers for some minutes what became of them. */
export const SENT_PREFIX = 'send-'

export type Refusal = Readonly<{ end: true; ok: false; exit: number; error: string; why?: string; fix: string }>

/**
 * What stands in the last line of each verb's answer, besides `end` and `ok`. Before it, `tasks` sends a TaskRow a line,
 * `agents` an AgentRow, `alerts` an AlertRow, `journal` an Entry.
 */
export type Replies = Readonly<{
  status: { report: StatusReport }
  tasks: object
  agents: object
  find: { ids: readonly MessageId[] }
  change: { id: MessageId; status: Status }
  /** Without an id: no mail. `text` is the message as claimed. */
  next: { id?: MessageId; path?: string; text?: string }
  set: { id: MessageId }
  pause: { names: readonly string[] }
  resume: { names: readonly string[] }
  stop: object
  alerts: object
  'alerts-done': { closed: number }
  /** The ids of its copies. */
  release: { file: string; ids: readonly MessageId[] }
  /** A held drop is a Refusal that says why. */
  wait: { copies: readonly WaitedCopy[] }
  journal: object
  read: { id: MessageId; holder: string; folder: Folder; path: string; text: string }
  canary: { ms: number; steps: readonly Readonly<{ step: string; ms: number }>[] }
  original: { text: string }
  /** `standing`, of a process that answers: a `GatewayStanding` of gateway/link.ts. `why`: it does not. */
  gateway: { gateway: GatewayState; standing?: object; why?: string }
  /** The key is shown this once. */
  'gateway-key': { key: string; url: string } | { revoked: number }
  /** A `Tested` of gateway/link.ts. */
  'gateway-test': { tested: object }
  ledger: object
}>
export type GatewayState = Readonly<{
  /** `none`: no provider is configured, and none runs. */
  state: 'none' | 'starting' | 'ready' | 'down'
  pid?: number
  since?: string
  why?: string
  providers: readonly string[]
  /** Providers that nothing is sent to, with why. */
  without_key: readonly Readonly<{ provider: string; why: string }>[]
  over_budget: readonly string[]
  /** What stands in policies/ now cannot be used: this is of what ran before. */
  config_invalid?: true
}>
export type WaitedCopy = Readonly<{ id: MessageId; to: string; status: Status | null; result?: string }>

export type Accounting = Readonly<{
  /** drops = admitted + held + repeats */
  drops: number
  admitted: number
  held: number
  repeats: number
  /** copies = open + in_progress + blocked + settled + notes */
  copies: number
  open: number
  in_progress: number
  blocked: number
  settled: number
  notes: number
  bounces: number
  alerts: number
  canaries: number
}>

export type StatusReport = Readonly<{
  organisation: string
  root: string
  pid: number
  version: string
  mode: 'system' | 'user'
  started: string
  completeness: 'lease' | 'proc'
  /** True once every message on disk is known. */
  ready: boolean
  agents: number
  people: number
  running: readonly Readonly<{ agent: string; id: MessageId; since: string }>[]
  paused: readonly string[]
  /** Agents that act outside a jail with the operator's uid. */
  not_walled: readonly string[]
  /** `jail: none` in their files, with or without a uid of their own. */
  no_jail: readonly string[]
  /** `network: full`: their jails reach what this machine reaches. */
  full_network: readonly string[]
  /** Per priority in order of service: the age of the oldest unclaimed message, undefined where none waits. */
  unclaimed: readonly Readonly<{ priority: string; count: number; oldest_ms?: number }>[]
  alerts: readonly Readonly<{ code: string; about: string; file: string; agent?: string; count: number }>[]
  held: number
  /** Commands of `notify:` that failed when they were last started. */
  notify_failing?: readonly Readonly<{ command: readonly string[]; why: string; at: string }>[]
  waiting_drops: number
  /** undefined: the daemon that answers is older than its gateway. */
  gateway?: GatewayState
  /** Milliseconds the last canary took. */
  canary_ms?: number
  accounting: Accounting
  config: Readonly<{ digest: string; invalid: boolean }>
}>

export type TaskRow = Readonly<{
  id: MessageId
  holder: string
  from: string
  via: string
  /** The least trusted of its thread so far. */
  origin: string
  /** Where it came from outside the organisation, or goes back to what did: a sentence. */
  outside?: string
  to: string
  kind: string
  status: Status | null
  folder: string
  priority: string
  rank: number
  subject: string
  created: string
  updated: string
  due?: string
  thread: MessageId
  /** What a blocked task waits for: ids, refs or text. */
  blocked_on?: readonly string[]
  path: string
}>

/** An open alert, also one that could not be written as the disk is full. */
export type AlertRow = Readonly<{
  /** Its name in spool/alerts/. */
  file: string
  code: string
  about: string
  agent?: string
  first_seen: string
  last_seen: string
  count: number
  fix: string
  sentence: string
}>

export type AgentRow = Readonly<{
  name: string
  title?: string
  manager: string
  state: 'idle' | 'running' | 'waiting' | 'stuck' | 'paused' | 'no runner'
  /** Why it waits. */
  why?: string
  uid?: number
  jail: 'bubblewrap' | 'none'
  network: Network
  /** A jail, or at least a uid of its own, keeps it from what is not its own. */
  walled: boolean
  counts: Readonly<Record<'open' | 'in_progress' | 'blocked' | 'notes', number>>
}>
