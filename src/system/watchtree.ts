/** Reports changes anywhere under a folder that only operators write; chokidar suits a tree of few files. */
import { type FSWatcher, watch } from 'chokidar'
import type { Cancel } from './types.ts'

export type TreeWatch = Readonly<{
  /** To be called after each change: a file that was replaced twice within milliseconds, as two `sed -i` in a line do, is lost by the watch that is there. */
  again: () => void
  cancel: Cancel
}>

export function watchTree(folder: string, deepest: number, changed: () => void): TreeWatch {
  let watcher: FSWatcher | undefined
  const cancel = (): void => {
    // First, for one that begins while the other is there shares what that has lost.
    void watcher?.close()
    watcher = undefined
  }
  const again = (): void => {
    cancel()
    watcher = watch(folder, { ignoreInitial: true, followSymlinks: false, depth: deepest, persistent: false })
    watcher.on('all', changed)
    // What it cannot watch, the periodic look finds.
    watcher.on('error', changed)
    // What changed while the watch was being set up counts as found by it.
    watcher.on('ready', changed)
  }
  again()
  return { again, cancel }
}
