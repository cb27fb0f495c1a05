/** What `policies/` says, as an immutable snapshot. Made by the config room; read by every other. */
import type { Name } from './names.ts'
import type { PriorityScheme } from './priority.ts'

/** A reference to a recipient: a name, `@group`, `all`, or `postmaster`. */
export type Address = string

/** Runners that come with pennypost. */
export const BUILTINS = ['claude', 'anthropic'] as const
export type Builtin = (typeof BUILTINS)[number]

export type Runner = Readonly<{
  /** argv; `./x` is a program of policies/runners/. */
  command: readonly string[]
  /** Which of ours the command line stands for; undefined: the operator wrote it. */
  builtin?: Builtin | undefined
  /** A run for every note too. */
  notes: boolean
  concurrency: number
  timeoutMs: number
  maxAttempts: number
}>

export type Mount = Readonly<{ from: string; at: string; mode: 'ro' | 'rw' }>

/** What a jail reaches: nothing · the gateway's socket · what the machine reaches. From narrow to wide. */
export const NETWORKS = ['none', 'gateway', 'full'] as const
export type Network = (typeof NETWORKS)[number]

/** What an agent may spend of models in a day of the organisation's time zone; undefined: as much as it likes. */
export type Budget = Readonly<{ usdPerDay: number | undefined; tokensPerDay: number | undefined }>

export type Agent = Readonly<{
  name: Name
  title: string | undefined
  /** Default: the postmaster. */
  manager: Name
  /** undefined: everyone. */
  mayWriteTo: readonly Address[] | undefined
  reads: readonly Name[]
  /** undefined: nobody is started. */
  runner: Runner | undefined
  /** An existing account this agent acts as, by login name or uid. */
  user: string | undefined
  /** false: the operator wrote `jail: none`. */
  jailed: boolean
  /** Of an agent that is not jailed: what its file says, which counts for nothing; `full` where it says nothing. */
  network: Network
  mounts: readonly Mount[]
  protected: boolean
  /** Tokens; undefined: its model's. */
  contextWindow: number | undefined
  /** How long a request of its may wait for room; undefined: as its way in has it. */
  holdMs: number | undefined
  budget: Budget | undefined
  /** The body of the file: the agent's role. */
  role: string
}>

export type Person = Readonly<{
  name: Name
  /** Login name or uid; undefined: whoever runs the daemon. */
  user: string | undefined
  manager: Name | undefined
  notify: readonly (readonly string[])[]
}>

export type Group = Readonly<{ name: Name; members: readonly Name[]; deliver: 'all' | 'one' }>

export type Schedule = Readonly<{
  /** The file's stem. */
  name: string
  /** Five fields, as cron(8) writes them. */
  cron: string
  timezone: string | undefined
  /** The message to drop, front matter without `cron` and `timezone`, and the body as it stands. */
  text: string
}>

/** Models that share limits. Patterns: `*` stands for any characters. Limits a minute; undefined: learned from the provider's answers. */
export type Pool = Readonly<{ models: readonly string[]; rpm: number | undefined; itpm: number | undefined; otpm: number | undefined }>

export type Provider = Readonly<{
  name: string
  /** Without a slash at its end. */
  baseUrl: string
  keyFile: string
  pools: readonly Pool[]
  /** Providers that stand in for it, in this order. */
  fallback: readonly string[]
  /** What the models that are asked for are called there. */
  models: ReadonlyMap<string, string>
  /** The part of the limits that urgent work may take while other work waits. */
  urgentCap: number
  /** Of agents; 1 for all others. */
  weights: ReadonlyMap<string, number>
}>

export type Org = Readonly<{
  name: string
  postmaster: Name
  /** Unix group of the operators, '' where there is none. */
  operators: string
  timezone: string
  uids: Readonly<{ from: number; to: number }>
  wake: Readonly<{ concurrency: number; staggerMs: number }>
  limits: Readonly<{ messageBytes: number; frontMatterBytes: number; attachmentBytes: number; attachments: number; backlog: number }>
  retentionMs: number
  notify: readonly (readonly string[])[]
  acceptUnknownUids: boolean
  /** Where the model gateway listens for programs outside a jail. */
  gateway: Readonly<{ host: string; port: number }>
}>

export type Config = Readonly<{
  /** The folder this was read from. */
  dir: string
  /** sha256 over every file's name and content: two equal digests are one configuration. */
  digest: string
  org: Org
  priorities: PriorityScheme
  agents: ReadonlyMap<Name, Agent>
  people: ReadonlyMap<Name, Person>
  groups: ReadonlyMap<Name, Group>
  schedules: ReadonlyMap<string, Schedule>
  providers: ReadonlyMap<string, Provider>
}>

/** Who has a mailbox. */
export function holdersOf(config: Config): Name[] {
  return [...config.agents.keys(), ...config.people.keys()]
}

export function isHolder(config: Config, name: string): name is Name {
  return config.agents.has(name as Name) || config.people.has(name as Name)
}

/** Every name a message can be addressed to: for suggestions. */
export function addressable(config: Config): string[] {
  return [...holdersOf(config), ...config.groups.keys(), 'all', 'postmaster']
}

/** The manager of an agent or person; the postmaster where none is named. */
export function managerOf(config: Config, name: Name): Name {
  return config.agents.get(name)?.manager ?? config.people.get(name)?.manager ?? config.org.postmaster
}
