/** A watch on each workspace: it reports what is done to the folders in it, also to those that nothing else watches (home/, sent/, runs/). */
import type { Cancel, Watch } from '../system/types.ts'

/** Some 3 KB each: with thousands of workspaces the memory counts for more than the time until it is told what somebody did to home/. */
const MOST_WATCHED = 500

export type WorkspaceWatch = Readonly<{
  /** Watches it, unless it is watched; true: it was not until now, and whatever happened to it was not reported. */
  follow: (workspace: string) => boolean
  keepOnly: (workspaces: ReadonlySet<string>) => void
  count: () => number
}>

/** `noticed` is called as often as somebody likes: once for each change of a folder's name, owner or mode. */
export function createWorkspaceWatch(watch: Watch, noticed: (workspace: string) => void): WorkspaceWatch {
  const watched = new Map<string, Cancel>()

  function drop(workspace: string): void {
    watched.get(workspace)?.()
    watched.delete(workspace)
  }

  return {
    follow: (workspace) => {
      if (watched.has(workspace) || watched.size >= MOST_WATCHED) return false
      const basename = workspace.slice(workspace.lastIndexOf('/') + 1)
      try {
        const cancel = watch(workspace, (name) => {
          // How a watch reports that its own folder went away, or has another mode; null: it cannot say what happened.
          if (name === null || name === basename) drop(workspace)
          noticed(workspace)
        })
        watched.set(workspace, cancel)
        return true
      } catch {
        // Gone again: the patrol that made it looks at it again.
        return false
      }
    },
    keepOnly: (workspaces) => {
      for (const workspace of [...watched.keys()]) if (!workspaces.has(workspace)) drop(workspace)
    },
    count: () => watched.size,
  }
}
