/** What one agent's jail shows and allows. */
import type { Mount, Network } from '../core/config.ts'
import type { Name } from '../core/names.ts'

export type Jail = Readonly<{
  agent: Name
  /** As whom it acts, inside as outside. */
  uid: number
  gid: number
  /** The agent's own folder. */
  workspace: string
  /** Folders of it that are the daemon's. */
  readOnly: readonly string[]
  /** Agents whose mail it may read, each with the folders that are shown. */
  readable: readonly Readonly<{ name: Name; folders: readonly string[] }>[]
  /** The programs of policies/runners/, as they run. */
  runners: string
  mounts: readonly Mount[]
  /** What no mount may show: the root. */
  organisation: string
  /** What others may write by their mounts: nothing in there is mounted, for they can put a link in its place. */
  writable: readonly string[]
  network: Network
  /** The folder of its socket to the model gateway; undefined: nothing leads there. */
  gateway: string | undefined
  /** All agents have one uid (user mode): then the names in a workspace are its agent's, to be exchanged at any moment. */
  sameUid: boolean
}>
