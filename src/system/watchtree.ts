/**
 * Reports changes anywhere under a folder that only operators write. One watch a folder and none a file, for that of a file goes with
 * it when another takes its place, as with every editor and `sed -i`.
 */
import { type FSWatcher, statSync, watch } from 'node:fs'
import { listTree } from './tree.ts'
import type { Cancel } from './types.ts'

export type TreeWatch = Readonly<{
  /** Watches the folders that came since the last time, and forgets those that went; what changed in a new one before that is for the caller to read. */
  follow: () => void
  cancel: Cancel
}>

export function watchTree(folder: string, deepest: number, changed: () => void): TreeWatch {
  const watched = new Map<string, { which: string; watcher: FSWatcher }>()

  function follow(): void {
    const found = foldersOf(folder, deepest)
    if (!found) return
    for (const [path, { which, watcher }] of watched) {
      if (found.get(path) === which) continue
      watcher.close()
      watched.delete(path)
    }
    for (const [path, which] of found) {
      if (watched.has(path)) continue
      const watcher = tryToWatch(path)
      watcher?.on('change', changed).on('error', changed)
      if (watcher) watched.set(path, { which, watcher })
    }
  }

  follow()
  // What changed while the watch was being set up counts as found by it.
  changed()
  return {
    follow,
    cancel: () => {
      for (const { watcher } of watched.values()) watcher.close()
      watched.clear()
    },
  }
}

/** Undefined: it is gone, or the kernel allows no more. The periodic look finds what changes there, and tries again. */
function tryToWatch(path: string): FSWatcher | undefined {
  try {
    return watch(path, { persistent: false })
  } catch {
    return undefined
  }
}

/** Path → which folder lies there (the number of an inode alone is given again to the next); undefined: it is being changed, or not readable. */
function foldersOf(folder: string, deepest: number): Map<string, string> | undefined {
  const found = new Map<string, string>()
  try {
    const below = listTree(folder, deepest).filter(({ kind }) => kind === 'folder')
    for (const path of [folder, ...below.map((entry) => `${folder}/${entry.path}`)]) {
      const { dev, ino, birthtimeMs } = statSync(path)
      found.set(path, `${dev}:${ino}:${birthtimeMs}`)
    }
    return found
  } catch {
    return undefined
  }
}
