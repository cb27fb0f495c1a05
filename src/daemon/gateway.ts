/** The model gateway as the daemon sees it: what the dispatcher asks and tells. */
import type { Name } from '../core/names.ts'
import type { Work } from '../gateway/link.ts'

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
