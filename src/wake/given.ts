/** What the room is given: the outside world, and what other rooms do. */
import type { Config } from '../core/config.ts'
import type { Event } from '../core/event.ts'
import type { MessageId } from '../core/ids.ts'
import type { Name } from '../core/names.ts'
import type { Apply, Changed, Clear, Raise, Submit } from '../core/post.ts'
import type { Folder, Status } from '../core/status.ts'
import type { Jail } from '../jail/index.ts'
import type { Folders, Layout, Ledger, Mail } from '../mailbox/index.ts'
import type { Host } from '../system/host.ts'
import type { Clock, Disk, Ids, Log, Owner, RunGroups, Spawner, SpawnPlan } from '../system/types.ts'

/** As whom an agent's runs act. */
export type Identity = Readonly<{
  /** undefined: as the daemon's own user (user mode). */
  as: SpawnPlan['as']
  /** Owner of the run's log, which the agent may read; undefined: as created. */
  logOwner: Owner | undefined
  /** undefined: the operator wants none for it. */
  jail: Jail | undefined
  /** Its socket to the model gateway, for runs without a jail; undefined: it has none. */
  gateway: string | undefined
}>

/** What of the model gateway concerns runs. */
export type Models = Readonly<{
  /** Whether a run of this agent may begin now, for a message of this rank: each that was told to have started has taken its room. */
  mayStart: (agent: Name, rank: number) => boolean
  /** Why not, for people; undefined: it may. */
  whyNot: (agent: Name, rank: number) => string | undefined
  runStarted: (work: Readonly<{ agent: Name; run: MessageId; message: MessageId; rank: number }>) => void
  runEnded: (run: MessageId) => void
  rankChanged: (run: MessageId, rank: number) => void
}>

export type WakeGiven = Readonly<{
  clock: Clock
  disk: Disk
  log: Log
  ids: Ids
  spawner: Spawner
  /** undefined: no memory limits, as no cgroups were delegated. */
  groups?: RunGroups | undefined
  /** What the machine has for jails; `again`: perhaps it has more by now. */
  host: (again?: 'again') => Host
  bootId: string
  /** undefined: there is no gateway, and nothing waits for one. */
  models?: Models | undefined
  ledger: Ledger
  layout: Layout
  pins: Folders
  config: () => Config
  apply: Apply
  /** As `apply`, for mail without a status: `cur` claims, `new` returns, `done` settles. `changed` only where it was elsewhere. */
  moveNote: (id: MessageId, to: Folder, by: string) => Promise<Changed>
  /** Brings the ledger in step with what the holder's folders and file say now. Returns the status then (also of settled mail), null for a note, undefined where there is no such message. */
  lookAgain: (id: MessageId, holder: Name) => Promise<Status | null | undefined>
  submit: Submit
  raise: Raise
  clear: Clear
  record: (event: Event) => void
  /** undefined: nothing may be started for this agent (it has no uid yet). */
  identity: (agent: Name) => Identity | undefined
  /** Where a program of policies/runners/ lies as it is run. */
  runnerPath: (program: string) => string
  /** What was kept of a context in which this message was worked on: paths in `runs/`. */
  keptFor: (mail: Mail) => Readonly<{ checkpoint: string | undefined; sealed: string | undefined }>
  /** Whether this agent sent the message, settled or not. */
  wroteIt: (agent: Name, id: MessageId) => boolean
  /** The id that an entry of this holder's `blocked_on` means, settled or not. */
  meant: (holder: Name, idOrRef: string) => MessageId | undefined
  /** What runs inherit of the daemon's environment: PATH, LANG, TZ and nothing that is a secret. */
  environment: Readonly<Record<string, string>>
}>
