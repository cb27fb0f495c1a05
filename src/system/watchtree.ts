/** Reports changes anywhere under a folder that only operators write; chokidar suits a tree of few files. */
import { watch } from 'chokidar'
import type { Cancel } from './types.ts'

export function watchTree(folder: string, deepest: number, changed: () => void): Cancel {
  const watcher = watch(folder, { ignoreInitial: true, followSymlinks: false, depth: deepest, persistent: false })
  watcher.on('all', changed)
  // What it cannot watch, the periodic look finds.
  watcher.on('error', changed)
  // What changed while the watch was being set up counts as found by it.
  watcher.on('ready', changed)
  return () => void watcher.close()
}
